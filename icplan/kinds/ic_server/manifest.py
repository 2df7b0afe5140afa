"""The Deployment as a whole, as Kube-OVN's image wants to be run. Pure; decides nothing.

What stands here beyond docs/facts.md section 10 was read in Kube-OVN's source.
"""

from __future__ import annotations

from icplan.core.kubernetes import Body, Tree
from icplan.ovn.cluster import IC_SERVER, MASTER, MEMBERS, OWNER, SWITCH_NUMBER

LABELS = {"app": IC_SERVER}
DATA = "/etc/origin/ovn"
"""Where the databases lie on a host; in the pod it is /etc/ovn."""
FILES = ("ovn_ic_nb_db.db", "ovn_ic_sb_db.db")
_PROBE_SECONDS = "5"
_MOUNTS = {"data": ("/etc/ovn", DATA), "run": ("/var/run/ovn", "/run/ovn")} | {
    "log": ("/var/log/ovn", "/var/log/ovn")
}
_FROM_POD = {
    "POD_IP": "status.podIP",
    "POD_IPS": "status.podIPs",
    "POD_NAME": "metadata.name",
    "POD_NAMESPACE": "metadata.namespace",
}


def manifest(owner: str, image: str, members: tuple[str, ...], switches: str) -> Body:
    """The body of the new object.

    Args:
        owner: our mark.
        image: what its pods run.
        members: the addresses of the masters; a database that is not there yet is begun by the
            first one, and the others join it.
        switches: how many transit switches the leader makes.
    """
    key, value = MASTER
    pod: dict[str, Tree] = {
        "serviceAccountName": "ovn",
        "hostNetwork": True,
        "priorityClassName": "system-cluster-critical",
        # Masters are tainted.
        "tolerations": [{"operator": "Exists"}],
        "nodeSelector": {"kubernetes.io/os": "linux", key: value},
        "affinity": {
            "podAntiAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [
                    {
                        "labelSelector": {"matchLabels": LABELS},
                        "topologyKey": "kubernetes.io/hostname",
                    }
                ]
            }
        },
        "containers": [_container(image, members, switches)],
        "volumes": [
            {"name": name, "hostPath": {"path": host, "type": "DirectoryOrCreate"}}
            for name, (_, host) in _MOUNTS.items()
        ],
    }
    return {
        "metadata": {
            "labels": LABELS | {"app.kubernetes.io/managed-by": "icplan"},
            "annotations": {OWNER: owner},
        },
        "spec": {
            "replicas": len(members),
            # One by one, and none beside it on its node: the raft keeps its majority.
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1},
            },
            "selector": {"matchLabels": LABELS},
            "template": {
                "metadata": {"labels": LABELS | {"component": "network", "type": "infra"}},
                "spec": pod,
            },
        },
    }


def _container(image: str, members: tuple[str, ...], switches: str) -> Tree:
    set_here = {
        # Unset it means ssl, which no zone's controller speaks.
        "ENABLE_SSL": "false",
        # It has no default: without it the leader check ends, and with it the pod.
        "OVN_LEADER_PROBE_INTERVAL": _PROBE_SECONDS,
        SWITCH_NUMBER: switches,
        MEMBERS: ",".join(members),
    }
    environment: list[Tree] = [{"name": name, "value": text} for name, text in set_here.items()]
    environment += [
        {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}
        for name, path in _FROM_POD.items()
    ]
    probe: dict[str, Tree] = {
        "exec": {"command": ["bash", "/kube-ovn/ovn-ic-healthcheck.sh"]},
        "periodSeconds": 15,
        "timeoutSeconds": 45,
    }
    return {
        "name": IC_SERVER,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["/kube-ovn/start-ic-db.sh"],
        # The image's ovsdb-server has file capabilities: without these it is not executed.
        "securityContext": {"capabilities": {"add": ["NET_BIND_SERVICE", "SYS_NICE"]}},
        "env": environment,
        "resources": {
            "requests": {"cpu": "300m", "memory": "200Mi"},
            "limits": {"cpu": "3", "memory": "1Gi"},
        },
        "volumeMounts": [
            {"name": name, "mountPath": inside} for name, (inside, _) in _MOUNTS.items()
        ],
        "readinessProbe": probe,
        "livenessProbe": {**probe, "initialDelaySeconds": 30, "failureThreshold": 5},
    }
