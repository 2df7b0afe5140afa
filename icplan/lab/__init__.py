"""Real OVN zones and their interconnection on one machine, without what icplan itself does.

Independent of the code it tests: imports only `icplan.errors`. A lab has no transit switches, no
zone names in NB_Global and no routes between zones; making them is icplan's work.

For tests:

    with Lab(tmp_path / "lab", LabOptions(play_ovn_controller=True)) as lab:
        az1 = lab.zones["az1"]
        az1.northbound.network          # "tcp:127.0.0.1:20001"
        az1.nbctl("lr-route-list", az1.router)
        az1.add_subnet("lab", "10.99.0.1/24")
        lab.ic.sbctl("show")
        lab.interconnect_file           # a file for icplan plan

    with Lab(tmp_path / "lab", LabOptions(kubernetes=True, play_kube_ovn=True)) as lab:
        lab.clusters["az1"].cluster.kubeconfig()    # see icplan.lab.kubernetes

    with StandaloneDatabases(tmp_path / "databases") as databases:
        databases.zones["az2"].northbound.unix
        databases.reset()               # empty again, within milliseconds
"""

from icplan.lab.lab import Lab
from icplan.lab.ping import PingResult
from icplan.lab.servers import Remote
from icplan.lab.standalone import StandaloneDatabases
from icplan.lab.state import Family, LabOptions, Mode
from icplan.lab.waiting import wait_until
from icplan.lab.zone import Zone
from icplan.lab.zone_databases import ZoneDatabases

__all__ = [
    "Family",
    "Lab",
    "LabOptions",
    "Mode",
    "PingResult",
    "Remote",
    "StandaloneDatabases",
    "Zone",
    "ZoneDatabases",
    "wait_until",
]
