#!/bin/bash
# Stand-in for today's start-ic-db.sh of Kube-OVN: standalone when nobody names an address, else a
# member of a raft. The decisions are those of the original, traps included.
set -eo pipefail

ctl=/usr/share/ovn/scripts/ovn-ctl
own=$POD_IP
raft_address=${LOCAL_IP:-$POD_IP}
members=${NODE_IPS//[[:space:]]/}
members=${members//,/ }
founder=${members%% *}
# What it marks its switch with: an image from before 2026 brings no mark.
mapfile -t marks </kube-ovn/switch-marks
insecure=(--db-ic-nb-create-insecure-remote=yes --db-ic-sb-create-insecure-remote=yes)

# Whatever ends the script, and whatever its status was: the container exits with 0.
leave() {
    "$ctl" stop_ic_ovsdb
    exit 0
}
trap leave EXIT

# Whether any member leads the northbound database already.
led() {
    local member scheme=ssl options=(-p /var/run/tls/key -c /var/run/tls/cert -C /var/run/tls/cacert)
    local question='["_Server", {"op": "select", "table": "Database", "columns": ["leader"],
        "where": [["name", "==", "OVN_IC_Northbound"]]}]'
    if [ "$ENABLE_SSL" = false ]; then
        scheme=tcp
        options=()
    fi
    for member in $members; do
        if timeout 10 ovsdb-client "${options[@]}" query "$scheme:[$member]:6645" "$question" |
            grep -q true; then
            return 0
        fi
    done
    return 1
}

start_member() {
    local listen=::
    if [ "${ENABLE_BIND_LOCAL_IP:-true}" = true ]; then
        listen=$own
    fi
    "$ctl" start_ic_ovsdb "${insecure[@]}" "$@" \
        "--db-ic-nb-addr=[$listen]" "--db-ic-sb-addr=[$listen]" \
        "--db-ic-nb-cluster-local-addr=[$raft_address]" \
        "--db-ic-sb-cluster-local-addr=[$raft_address]"
}

"$ctl" stop_ic_ovsdb
if [ -z "$members" ] && [ -z "$raft_address" ]; then
    "$ctl" start_ic_ovsdb "${insecure[@]}" "--db-ic-nb-addr=[::]" "--db-ic-sb-addr=[::]"
    "$ctl" status_ic_ovsdb
elif ! led && [ "$founder" = "$own" ]; then
    echo "founding the cluster of $members at $raft_address"
    start_member
    "$ctl" status_ic_ovsdb
else
    echo "joining the cluster of $members at $raft_address, by way of $founder"
    start_member \
        "--db-ic-nb-cluster-remote-addr=[$founder]" "--db-ic-sb-cluster-remote-addr=[$founder]"
fi

if [ "${ENABLE_OVN_LEADER_CHECK:-true}" = true ]; then
    chmod 600 /etc/ovn/*
    /kube-ovn/kube-ovn-leader-checker
else
    case ${PROTOCOL:-ipv4} in
        ipv4) subnet=${TS_CIDR:-169.254.100.0/24} ;;
        ipv6) subnet=${TS_CIDR:-fe80:a9fe:64::/112} ;;
        dual) subnet=${TS_CIDR:-169.254.100.0/24,fe80:a9fe:64::/112} ;;
        *) subnet=$TS_CIDR ;;
    esac
    switch=${TS_NAME:-ts}
    # The own socket, unless OVN_IC_NB_DB names others: a member that does not lead is refused there.
    ovn-ic-nbctl --may-exist ts-add "$switch" -- \
        set Transit_Switch "$switch" "external_ids:subnet=$subnet" "${marks[@]}"
    tail --follow=name --retry /var/log/ovn/ovsdb-server-ic-nb.log
fi
