"""The rows of the facts about Kube-OVN that the cases are for, by section and number."""

from __future__ import annotations

ROWS = {
    # 2: the ConfigMap
    "2.labels": "labels and annotations are free: changing them does nothing [real]",
    "2.enable-ic": "any text but true or false: a first enable fails for ever [src]",
    "2.gw-nodes": "each gateway needs exactly one Chassis of that host name, and a Node",
    # 3: what a change does, from the table's first line to its last
    "3.01": "only gw-nodes changes: NEW in place [real], OLD tear-down and rebuild [real]; around "
    "a restart OLD ignores it [src]",
    "3.02": "any other key, or an unknown key: tear-down and rebuild [real]",
    "3.03": "the set of transit switches changes: tear-down and rebuild in every zone [real]",
    "3.04": "gw-nodes emptied: NEW a silent blackhole, OLD no ports and a stale route [real]",
    "3.05": "enable-ic of another text while enabled: stays enabled, after a rebuild [real]",
    "3.06": "ConfigMap deleted, or enable-ic false: clean, OLD leaves learned routes [real]",
    "3.07": "ic-db-host edited to an address that does not answer: deadlock [real]",
    "3.08": "controller restarted: NEW keeps ports, reconciles gateways; OLD skips both [src]",
    "3.09": "az-name changed in place: new ports, old rows gone [real]",
    "3.10": "ConfigMap deleted while the controller is down: nothing is cleaned, ever [src]",
    # 4: what the controller creates
    "4.01": "NB_Global: name, and three options when auto-route, none otherwise",
    "4.02": "what the blacklist holds; a NEW overlap silently disconnects [real]",
    "4.03": "the blacklist is sticky (NEW) until auto-route or enable-ic is cycled [real]",
    "4.04": "per transit switch: names, a random address, gateways rotated, remote ports [real]",
    "4.05": "two zones can draw the same address; cycling enable-ic of one heals it [real]",
    "4.06": "Node label, mark of the Chassis, Gateway in IC SB",
    "4.07": "a policy 29500 for each route whose options have the key origin [real]",
    "4.08": "learned routes: their mark is the row of IC SB; prefixes keep host bits [real]",
    "4.09": "advertised: connected networks and dst-ip routes, manual ones included",
    "4.10": "only the default VPC",
    # 5: transit switches
    "5.01": "rows ts, ts1, …: vendor and subnet; IPv4, IPv6, both",
    "5.02": "the missing vendor added: the switch appears to every NEW controller [src]",
    "5.03": "ovn-ic-server's leader keeps the count equal to TS_NUM [src]",
    "5.04": "kube-ovn-controller's start deletes NB switches: re-created, no local port [src]",
    # 7: manual routes
    "7.01": "the documented route: to the remote port's address, in each zone",
    "7.02": "origin=static on it makes the controller add the policy itself [real]",
    "7.03": "routes of others are left alone [src]",
    "7.04": "they survive tear-downs, and point to an address that is no more [real]",
    "7.05": "ECMP: one next hop per transit switch, same prefix",
    "7.06": "left in a zone that advertises: NEW loses the peer's subnet, and its removal does not "
    "heal; OLD learns its own prefix back until it is removed [real]",
}

NOT_EXPRESSED = {
    "3.02 gap": "0.2 to 1.2 s without control plane, and the data plane's own time: a duration is "
    "no row, and no packets flow here. What remains of a tear-down is: another row of "
    "Availability_Zone, another MAC.",
    "3.02 ports": "ic-nb-port and ic-sb-port to others: nobody listens there, so it is row 3.07.",
    "3.06 time": "back after 0.3 to 1 s: a duration.",
    "3.09 ovn-controller": "may need inc-engine/recompute: no ovn-controller runs here.",
    "3 advice": "never modify, delete and re-create: advice; what follows otherwise is all of 3.",
    "4.05 odds": "8 % at 5 zones, 30 % at 10, 79 % at 20: computed, from what 4.05 shows.",
    "4.06 Open vSwitch": "ovn-is-interconn lies between label and Chassis in a real node; here the "
    "test does what kube-ovn-cni and ovn-controller do, and the controller's part is the label.",
    "5.02 OLD": "the facts say that newer controllers need the vendor, and not what OLD does.",
    "5 start-ic-db.sh": "makes ts at each start of the image: no controller does it.",
    "5 docker": "with docker or ctr nobody makes the rows: every case begins by making them.",
    "7.01 29000": "policy 29000 reroutes the traffic first: the data plane. The half that is rows: "
    "no allow policy without origin.",
    "7.03 reconcile": "it is kube-ovn-controller that leaves routes without its vendor alone, and "
    "it does not run here; that the interconnection's controller does, is shown.",
    "7.05 --ecmp": "that ovn-nbctl wants --ecmp for the second next hop is ovn-nbctl's.",
}
"""What stands in those sections and has no case, and why."""
