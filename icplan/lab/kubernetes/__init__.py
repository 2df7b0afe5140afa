"""Zones of the lab that are Kubernetes clusters with Kube-OVN: a real API server and real etcd.

kwok plays the kubelets, so commands executed in pods really run, here; a process of the lab does
what the controller manager would for Deployments. Kube-OVN's objects are there, its controllers
are not: see `icplan.lab.standin`.

    with Lab(tmp_path / "lab", LabOptions(kubernetes=True)) as lab:
        az1 = lab.clusters["az1"]
        az1.cluster.kubeconfig()          # a file with the context az1
        az1.cluster.api.get("/api/v1/nodes/az1-gw1")
        az1.cluster.as_user("planner")    # without roles at first
        az1.cluster.exec(pod, ["sh", "-c", "exec ncat -U $OVN_RUNDIR/ovnnb_db.sock"], b"…")
        az1.start_controller("old")       # the stand-in
        az1.start_ic_server(1)            # the IC databases live with a pod, with TS_NUM=1
        lab.kubeconfig                    # one file with all contexts

With LabOptions(kubernetes=True, ic_cluster="az1") there are no IC databases until az1 has that
Deployment, whoever makes it; then a stand-in runs a raft member for each of its pods.
"""

from icplan.lab.kubernetes.client import ApiClient, ApiError
from icplan.lab.kubernetes.cluster import Cluster
from icplan.lab.kubernetes.exec_stream import ExecResult, ExecStream
from icplan.lab.kubernetes.objects import Workload
from icplan.lab.kubernetes.zone import KubernetesZone

__all__ = [
    "ApiClient",
    "ApiError",
    "Cluster",
    "ExecResult",
    "ExecStream",
    "KubernetesZone",
    "Workload",
]
