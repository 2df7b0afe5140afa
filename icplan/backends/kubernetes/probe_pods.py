"""Pods to ping from: one that exists, else one that is made and removed again. Sends no ping."""

from __future__ import annotations

import os
import secrets
import shlex
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from icplan.backends.deadline import Deadline
from icplan.backends.failures import ConnectionFailed, WriteRefused
from icplan.backends.kubernetes.execution import Ended, run
from icplan.backends.kubernetes.failures import (
    AccessFailed,
    ClusterUnreadable,
    NotPermitted,
    ObjectStale,
)
from icplan.backends.kubernetes.objects import Objects
from icplan.backends.probing.prober import ProbeFailed, Said
from icplan.core.kubernetes import (
    Body,
    CreateObject,
    DeleteObject,
    GetObject,
    ListObjects,
    Resource,
    at,
    list_at,
    pods,
    text_at,
    texts_at,
)
from icplan.core.ping import refused
from icplan.errors import IcplanError
from icplan.ovn.prefix import Prefixes

PREFIX = "icplan-probe-"
LABELS = {
    "app.kubernetes.io/managed-by": "icplan",
    "app.kubernetes.io/component": "probe",
}
MAKER = "icplan/maker"
"""The annotation that says which process made a probe pod: whether it lives can be looked up."""
SUBNET = "ovn.kubernetes.io/logical_switch"
"""With this annotation Kube-OVN puts a pod into a Subnet; it also leaves it on every pod."""
LIFE_SECONDS = 600
"""After that the kubelet ends a probe pod, whatever has become of whoever made it."""
_TRIES = 3
_POLL_SECONDS = 0.3
_ELSEWHERE = "name another namespace with --probe-namespace"
_MISSING_ROLE = "cannot create resource"
_ROLE = "let this user have the role icplan-ping of examples/rbac there"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where a pod must lie.

    Attributes:
        subnet: the Subnet that one is made in.
        blocks: what the address of an existing one must lie in.
    """

    subnet: str
    blocks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PodProber:
    """A pod to ping from."""

    objects: Objects
    resource: Resource
    container: str
    addresses: tuple[str, ...]
    subnet: str
    can_ping: bool = True

    @property
    def place(self) -> str:
        """The pod: "pod default/web of az1"."""
        namespace, name = self.resource.collection.namespace, self.resource.name
        return f"pod {namespace}/{name} of {self.resource.collection.site}"

    def run(self, command: Sequence[str], seconds: float, cancelled: Callable[[], bool]) -> Said:
        """Runs a command in the pod.

        Raises:
            ProbeFailed: it could not be run, or did not end in time.
        """
        ended = self.execute(command, seconds, cancelled)
        return Said(ended.code, ended.output or ended.message)

    def execute(
        self, command: Sequence[str], seconds: float, cancelled: Callable[[], bool]
    ) -> Ended:
        """Likewise, with the server's words about the end.

        Raises:
            ProbeFailed: it could not be run, or did not end in time.
        """
        deadline = Deadline.after(seconds)
        try:
            return run(self.objects, self.resource, self.container, command, deadline, cancelled)
        except ConnectionFailed as error:
            raise ProbeFailed(
                f"{command[0]} in {self.place}",
                cause=str(error),
                cure=f"try it by hand: {self._by_hand(command)}",
            ) from error
        except (ClusterUnreadable, AccessFailed) as error:
            raise _explained(f"exec in {self.place}", error) from error

    def _by_hand(self, command: Sequence[str]) -> str:
        kubectl, namespace = self.objects.access.kubectl, self.resource.collection.namespace
        return f"{kubectl} -n {namespace} exec {self.resource.name} -- {shlex.join(command)}"


class ProbePods:
    """The pods of one zone that are pinged from.

    Args:
        objects: the cluster's client.
        namespace: where they are looked for and made.
        image: of those that are made; it has `ping` and `sleep`.
        seconds: how long one may take to run.
    """

    def __init__(self, objects: Objects, namespace: str, image: str, seconds: float) -> None:
        self._objects = objects
        self._collection = pods(objects.access.site, namespace)
        self._image = image
        self._seconds = seconds
        self._lock = threading.Lock()
        self._made: list[Resource] = []

    def take(self, wanted: Wanted, cancelled: Callable[[], bool]) -> PodProber:
        """A pod in a Subnet that can ping: one that exists, else a new one.

        Raises:
            ProbeFailed: there is none, and none could be made.
        """
        try:
            found = self._objects.list(ListObjects(self._collection))
        except (ClusterUnreadable, AccessFailed) as error:
            raise _explained(f"pods of {self._place}", error) from error
        self._sweep(found)
        candidates = list(self._usable(found, wanted.blocks))[:_TRIES]
        for one in candidates:
            if self._pings(one, cancelled):
                return one
        return self._create(wanted, cancelled)

    def close(self) -> tuple[str, ...]:
        """Removes what was made; gives what could not be removed, in words."""
        with self._lock:
            made, self._made = self._made, []
        left: list[str] = []
        for one in made:
            try:
                self._delete(one)
            except IcplanError as error:
                left.append(f"{one}: {error.cause}")
        return tuple(left)

    @property
    def _place(self) -> str:
        return f"namespace {self._collection.namespace} of {self._collection.site}"

    # Those that exist

    def _usable(self, found: Iterable[Body], blocks: Sequence[str]) -> Iterator[PodProber]:
        """Those that run, with a network of their own, in one of the blocks."""
        inside = Prefixes(blocks)
        for one in found:
            ready = any(
                text_at(each, "type") == "Ready" and text_at(each, "status") == "True"
                for each in list_at(one, "status", "conditions")
            )
            addresses = _addresses(one)
            if (
                ready
                and text_at(one, "status", "phase") == "Running"
                and not at(one, ("metadata", "deletionTimestamp"))
                and at(one, ("spec", "hostNetwork")) is not True
                and not _is_probe(one)
                and addresses
                and all(inside.contain(each) for each in addresses)
            ):
                yield self._prober(one)

    def _prober(self, body: Body) -> PodProber:
        default = texts_at(body, "metadata", "annotations").get(
            "kubectl.kubernetes.io/default-container"
        )
        names = [text_at(each, "name") for each in list_at(body, "spec", "containers")]
        return PodProber(
            self._objects,
            self._collection[text_at(body, "metadata", "name")],
            default if default in names else names[0] if names else "",
            _addresses(body),
            texts_at(body, "metadata", "annotations").get(SUBNET, ""),
        )

    def _pings(self, one: PodProber, cancelled: Callable[[], bool]) -> bool:
        """Whether the pod has a ping that may be used: at least itself it reaches.

        Raises:
            ProbeFailed: nobody lets us execute there, or in any other pod.
        """
        try:
            command = ("ping", "-c", "1", "-W", "1", one.addresses[0])
            ended = one.execute(command, self._objects.seconds, cancelled)
        except ProbeFailed as error:
            if isinstance(error.__cause__, NotPermitted):
                raise
            return False
        return ended.code == 0 and not refused(ended.output)

    # Those that are made

    def _create(self, wanted: Wanted, cancelled: Callable[[], bool]) -> PodProber:
        resource = self._collection[f"{PREFIX}{secrets.token_hex(4)}"]
        # First, so that it is removed even if the answer to its creation never comes.
        with self._lock:
            self._made.append(resource)
        try:
            self._objects.write(CreateObject(resource, _body(self._image, wanted.subnet)))
        except WriteRefused as error:
            cause, cure = error.cause, f"{_ELSEWHERE}, or another image with --probe-image"
            raise ProbeFailed(str(resource), place=error.place, cause=cause, cure=cure) from error
        except NotPermitted as error:
            # Also what admission does not take: a quota, or the security that pods must have.
            if _MISSING_ROLE in error.cause:
                raise _explained(str(resource), error) from error
            raise ProbeFailed(
                str(resource), place=error.place, cause=error.cause, cure=_ELSEWHERE
            ) from error
        except (ClusterUnreadable, AccessFailed) as error:
            raise _explained(str(resource), error) from error
        deadline, state = Deadline.after(self._seconds), ": nobody waits for it any more"
        while not deadline.passed and not cancelled():
            body = self._current(resource)
            if body is not None:
                phase, state = text_at(body, "status", "phase"), _state(body)
                if phase == "Running" and _addresses(body):
                    return self._prober(body)
                if phase in {"Failed", "Succeeded"}:
                    break
            time.sleep(_POLL_SECONDS)
        raise ProbeFailed(
            str(resource),
            cause=f"it does not run after {self._seconds:.3g} s{state}",
            cure="name an image that the nodes have with --probe-image, or wait longer with "
            "--probe-wait",
        )

    def _current(self, resource: Resource) -> Body | None:
        try:
            return self._objects.get(GetObject(resource))
        except (ClusterUnreadable, AccessFailed) as error:
            raise _explained(str(resource), error) from error

    def _delete(self, resource: Resource) -> None:
        # One that was never made, or is gone, is what was wanted.
        with suppress(ObjectStale):
            self._objects.write(DeleteObject(resource, ""))

    # Those of runs that were killed

    def _sweep(self, found: Iterable[Body]) -> None:
        """Removes the probe pods of runs that do not live any more; never those of others."""
        for one in found:
            if _is_probe(one) and _abandoned(one):
                with suppress(IcplanError):
                    self._delete(self._collection[text_at(one, "metadata", "name")])


def _is_probe(body: Body) -> bool:
    labels = texts_at(body, "metadata", "labels")
    name = text_at(body, "metadata", "name")
    return name.startswith(PREFIX) and LABELS.items() <= labels.items()


def _abandoned(body: Body) -> bool:
    """Whether the run that made a probe pod is known to be over."""
    if text_at(body, "status", "phase") in {"Succeeded", "Failed"}:
        return True
    machine, _, process = texts_at(body, "metadata", "annotations").get(MAKER, "").rpartition("/")
    pid, _, start = process.partition("-")
    # Of a process on another machine nothing can be said; the kubelet ends its pod in time.
    if not machine or machine != _machine() or not pid.isdecimal():
        return False
    return _started(int(pid)) != start


def _maker() -> str:
    """This process, so that others on this machine can tell whether it lives."""
    return f"{_machine()}/{os.getpid()}-{_started(os.getpid())}"


def _machine() -> str:
    """This boot of this machine, and who counts the processes; empty where nobody tells."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink().name}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """When a process was started, in ticks since the boot; empty when there is no such process."""
    try:
        # Behind the name, which may hold anything, it is the 20th field (proc(5)).
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _body(image: str, subnet: str) -> Body:
    annotations = {MAKER: _maker()} | ({SUBNET: subnet} if subnet else {})
    return {
        "metadata": {"labels": dict(LABELS), "annotations": annotations},
        "spec": {
            "restartPolicy": "Never",
            "activeDeadlineSeconds": LIFE_SECONDS,
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "containers": [
                {
                    "name": "probe",
                    "image": image,
                    "imagePullPolicy": "IfNotPresent",
                    "command": ["sleep", str(LIFE_SECONDS)],
                    # Not every image lets its own user ping.
                    "securityContext": {"runAsUser": 0},
                    "resources": {
                        "requests": {"cpu": "10m", "memory": "16Mi"},
                        "limits": {"memory": "64Mi"},
                    },
                }
            ],
        },
    }


def _addresses(body: Body) -> tuple[str, ...]:
    found = [text_at(one, "ip") for one in list_at(body, "status", "podIPs")]
    single = text_at(body, "status", "podIP")
    return tuple(filter(None, found or [single]))


def _state(body: Body) -> str:
    """Why a pod does not run, as far as it says so."""
    for one in list_at(body, "status", "containerStatuses"):
        reason = text_at(one, "state", "waiting", "reason")
        if reason:
            message = " ".join(text_at(one, "state", "waiting", "message").split())
            return f": {reason}" + (f", {message}" if message else "")
    for one in list_at(body, "status", "conditions"):
        if text_at(one, "status") == "False" and text_at(one, "message"):
            return f": {' '.join(text_at(one, 'message').split())}"
    phase = text_at(body, "status", "phase")
    return f": it is {phase}" if phase else ""


def _explained(thing: str, error: IcplanError) -> ProbeFailed:
    cure = _ROLE if isinstance(error, NotPermitted) else error.cure
    return ProbeFailed(thing, place=error.place, cause=error.cause, cure=cure)
