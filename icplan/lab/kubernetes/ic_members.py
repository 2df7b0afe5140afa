"""A stand-in for what runs in the pods of Kube-OVN's Deployment ovn-ic-server; not the real one.

It starts a member of the IC databases for each pod, as the image's start script does; says when
the pod is ready, as its health check does; and gives the leaders' labels and keeps the transit
switches, as its leader check does. Without a pod there is no database.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from icplan.lab.kubernetes.objects import NAMESPACE, is_ready, ready_conditions
from icplan.lab.standin.switch_keeper import DEPLOYMENT, SwitchKeeper

if TYPE_CHECKING:
    from collections.abc import Mapping

    from icplan.lab.ic_databases import IcDatabase, IcDatabases
    from icplan.lab.kubernetes.client import ApiClient, Json

_log = logging.getLogger(__name__)
_PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
_LABELS: Mapping[str, IcDatabase] = {
    "ovn-ic-nb-leader": "northbound",
    "ovn-ic-sb-leader": "southbound",
}
_DATA = "/etc/ovn"
# What its leader check fails without, and with it the pod.
_NEEDED = ("POD_IP", "POD_NAME", "POD_NAMESPACE", "OVN_LEADER_PROBE_INTERVAL")


class IcMembers:
    """The members of the IC databases, each with its pod."""

    def __init__(self, client: ApiClient, databases: IcDatabases) -> None:
        """Begin without a member."""
        self._client = client
        self._databases = databases
        self._running: dict[int, Json] = {}
        self._refused: set[str] = set()

    def look(self) -> None:
        """Do once what is to be done.

        Raises:
            IcplanError: the API server does not answer, or a database did not start.
        """
        pods = self._pods()
        for member, before in list(self._running.items()):
            if _name(pods.get(member)) != _name(before):
                self._stop(member, before)
        for member, pod in pods.items():
            if member not in self._running:
                self._start(member, pod)
        leaders = {one: self._databases.leader(one) for one in _LABELS.values()}
        for member in self._running:
            self._tell(member, pods[member], leaders)
        leader = leaders["northbound"]
        if leader in self._running:
            self._keep(leader, pods[leader])

    def _pods(self) -> dict[int, Json]:
        """The pods that run, by the number of the member whose address they have."""
        found = self._client.list(_PODS, labels=f"app={DEPLOYMENT}")
        living = [each for each in found if "deletionTimestamp" not in each["metadata"]]
        by_address = {each["status"].get("podIP"): each for each in living}
        hosts = self._databases.hosts
        return {
            number: by_address[host]
            for number, host in enumerate(hosts, start=1)
            if host in by_address
        }

    def _start(self, member: int, pod: Json) -> None:
        told, name = _environment(pod), _name(pod)
        why = _unfit(told)
        if not why and not self._databases.start_as_told(member, _hosts(told)):
            why = "it is the first of NODE_IPS, and others lead already: it would join itself"
        if why:
            if name not in self._refused:
                _log.warning("stand-in: %s does not start: %s", name, why)
            self._refused.add(name)
            return
        _log.info("stand-in: member %d starts with %s (%s)", member, name, told["NODE_IPS"])
        self._running[member] = pod

    def _stop(self, member: int, pod: Json) -> None:
        _log.info("stand-in: member %d ends with %s", member, _name(pod))
        self._databases.stop_member(member)
        if not _persistent(pod):
            self._databases.forget_member(member)
        del self._running[member]

    def _tell(self, member: int, pod: Json, leaders: Mapping[IcDatabase, int | None]) -> None:
        """Labels by who leads, and the outcome of the readiness probe."""
        path = f"{_PODS}/{_name(pod)}"
        labels = {key: str(leaders[one] == member).lower() for key, one in _LABELS.items()}
        if not labels.items() <= pod["metadata"]["labels"].items():
            self._client.patch(path, {"metadata": {"labels": labels}})
        ready = self._databases.healthy(member)
        if ready != is_ready(pod):
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            conditions = ready_conditions(ready=ready, now=now)
            self._client.patch(f"{path}/status", {"status": {"conditions": conditions}})

    def _keep(self, member: int, pod: Json) -> None:
        host, port = self._databases.hosts[member - 1], self._databases.ports.northbound
        keeper = SwitchKeeper(f"tcp:{host}:{port}", protocol(pod))
        try:
            count = int(_environment(pod).get("TS_NUM", ""))
        except ValueError as error:
            _log.warning("stand-in: TS_NUM is no number, no switch is made: %s", error)
            return
        keeper.keep(count)


def protocol(pod: Json) -> str:
    """The address families of the switches that a pod makes: those of its own addresses."""
    families = {":" in each["ip"] for each in pod["status"].get("podIPs", ())}
    return "dual" if len(families) > 1 else "ipv6" if True in families else "ipv4"


def _name(pod: Json | None) -> str:
    return str(pod["metadata"]["name"]) if pod else ""


def _environment(pod: Json) -> dict[str, str]:
    """Its variables, those that come from the pod itself included."""
    own = {
        "status.podIP": pod["status"].get("podIP", ""),
        "status.podIPs": ",".join(each["ip"] for each in pod["status"].get("podIPs", ())),
        "metadata.name": _name(pod),
        "metadata.namespace": NAMESPACE,
    }
    found = {}
    for each in pod["spec"]["containers"][0].get("env", ()):
        path = each.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath")
        found[each["name"]] = str(own.get(path, "") if path else each.get("value", ""))
    return found


def _hosts(told: Mapping[str, str]) -> list[str]:
    return [one.strip() for one in told["NODE_IPS"].split(",") if one.strip()]


def _unfit(told: Mapping[str, str]) -> str:
    """Why the start script of the image would fail with these variables."""
    if told.get("ENABLE_SSL") != "false":
        return "ENABLE_SSL is not false, and there are no certificates"
    missing = [one for one in (*_NEEDED, "NODE_IPS") if not told.get(one)]
    return f"{', '.join(missing)} is not set" if missing else ""


def _persistent(pod: Json) -> bool:
    """Whether its files outlive it: a folder of the host lies where it keeps them."""
    mounts = pod["spec"]["containers"][0].get("volumeMounts", ())
    names = [each["name"] for each in mounts if each["mountPath"] == _DATA]
    return any(
        each["name"] in names and "hostPath" in each for each in pod["spec"].get("volumes", ())
    )
