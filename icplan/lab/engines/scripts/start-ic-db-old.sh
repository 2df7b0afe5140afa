#!/bin/bash
# Stand-in for the start-ic-db.sh of Kube-OVN 1.7.1: one pair of databases on all addresses.
# Of its environment it knows TS_NAME and TS_CIDR only.
set -eo pipefail

ctl=/usr/share/ovn/scripts/ovn-ctl
"$ctl" start_ic_ovsdb \
    --db-ic-nb-create-insecure-remote=yes \
    --db-ic-sb-create-insecure-remote=yes
"$ctl" status_ic_ovsdb

ovn-ic-nbctl --may-exist ts-add "${TS_NAME:-ts}"
# The switch is named here whatever TS_NAME says, as there.
ovn-ic-nbctl set Transit_Switch ts "external_ids:subnet=${TS_CIDR:-169.254.100.0/24}"

tail -f /var/log/ovn/ovsdb-server-ic-nb.log
