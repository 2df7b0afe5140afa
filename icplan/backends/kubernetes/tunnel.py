"""A byte stream to a database by a command in a pod: WebSocket, with Kubernetes' channels."""

from __future__ import annotations

import shlex
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from icplan.backends.deadline import Deadline
from icplan.backends.failures import ConnectionFailed
from icplan.backends.kubernetes.execution import (
    ERRORS,
    INPUT,
    NOT_FOUND,
    OUTPUT,
    STATUS,
    exit_code,
    open_stream,
    words,
)
from icplan.backends.kubernetes.failures import AccessFailed, ClusterUnreadable, NotPermitted
from icplan.backends.kubernetes.objects import Objects
from icplan.core.io import IC_NORTHBOUND, IC_SOUTHBOUND, NORTHBOUND, SOUTHBOUND
from icplan.core.kubernetes import Body, ListObjects, Resource, at, pods

if TYPE_CHECKING:
    import websocket

    from icplan.backends.streams import Stream

NAMESPACE = "kube-system"
_CENTRAL, _IC_SERVER = "ovn-central", "ovn-ic-server"

_CHUNK = 1 << 15
_LONGEST = 200
_REFUSED = "connection refused"
"""What ncat says where nobody listens."""


@dataclass(frozen=True, slots=True)
class Place:
    """In which pod a database is led, and where its socket lies there."""

    application: str
    label: str
    socket: str


PLACES = {
    NORTHBOUND: Place(_CENTRAL, "ovn-nb-leader", "ovnnb_db"),
    SOUTHBOUND: Place(_CENTRAL, "ovn-sb-leader", "ovnsb_db"),
    IC_NORTHBOUND: Place(_IC_SERVER, "ovn-ic-nb-leader", "ovn_ic_nb_db"),
    IC_SOUTHBOUND: Place(_IC_SERVER, "ovn-ic-sb-leader", "ovn_ic_sb_db"),
}


@dataclass(frozen=True, slots=True)
class Tunnel:
    """A server of a database, reached by a command in a pod that has a label.

    Attributes:
        objects: the cluster's client, to find the pod.
        application: the value of the pod's label `app`, and its container's name.
        label: the label that the pod has with the value true.
        command: what connects its input and output with the server.
        target: the server, for messages.
        elsewhere: the server is not in that pod, so it is the same whichever pod leads.
    """

    objects: Objects
    application: str
    label: str
    command: tuple[str, ...]
    target: str
    elsewhere: bool = False

    @classmethod
    def to_leader(cls, objects: Objects, database: str) -> Tunnel:
        """To the leader of a database of the zone itself; the socket needs no certificate."""
        place = PLACES[database]
        path = f"${{OVN_RUNDIR:-/var/run/ovn}}/{place.socket}.sock"
        command = ("sh", "-c", f"exec ncat -U {path}")
        return cls(objects, place.application, place.label, command, f"{place.socket}.sock")

    @classmethod
    def through(cls, objects: Objects, host: str, port: int) -> Tunnel:
        """To a server that the zone's northbound leader can reach."""
        command = ("ncat", host, str(port))
        target = f"tcp:{host}:{port}"
        return cls(objects, _CENTRAL, "ovn-nb-leader", command, target, elsewhere=True)

    def __str__(self) -> str:
        """For messages: "ovnnb_db.sock in the ovn-central pod of az1 (ovn-nb-leader=true)"."""
        site = self.objects.access.site
        return f"{self.target} by exec in the {self.application} pod of {site} ({self.label}=true)"

    @property
    def moves(self) -> bool:
        """Whether the next connection may lead to another server."""
        return True

    @property
    def cure(self) -> str:
        """How a user can try the same."""
        kubectl = self.objects.access.kubectl
        return (
            f"try the same by hand: {kubectl} -n {NAMESPACE} exec -i "
            f"$({kubectl} -n {NAMESPACE} get pod -l {self.label}=true -o name) -- "
            f"{shlex.join(self.command)}"
        )

    def connect(self, deadline: Deadline) -> Stream:
        """Opens a connection.

        Raises:
            ConnectionFailed: no pod leads, or no command can be run there.
        """
        try:
            pod, container = self._leader(deadline)
            return _open(self, pod, container, deadline)
        except (AccessFailed, ClusterUnreadable) as error:
            raise ConnectionFailed(
                f"is not reached: {error.thing}: {error.cause}",
                lasting=True,
                forbidden=isinstance(error, NotPermitted),
            ) from error

    def _leader(self, deadline: Deadline) -> tuple[Resource, str]:
        """The pod that is ready and leads, and the container in it."""
        collection = pods(self.objects.access.site, NAMESPACE)
        labels = (("app", self.application), (self.label, "true"))
        for one in self.objects.list(ListObjects(collection, labels), deadline):
            if at(one, ("status", "phase")) == "Running" and not at(
                one, ("metadata", "deletionTimestamp")
            ):
                return collection[str(at(one, ("metadata", "name")))], self._container(one)
        raise ConnectionFailed(f"has no running pod with the label {self.label}=true")

    def _container(self, pod: Body) -> str:
        listed = at(pod, ("spec", "containers"))
        names = [str(at(one, ("name",))) for one in (listed if isinstance(listed, list) else [])]
        return self.application if self.application in names or not names else names[0]


class ExecStream:
    """The input and output of a running command; every call ends by its deadline.

    It is what `icplan.backends.streams.SocketStream` is to a socket.
    """

    def __init__(self, connection: websocket.WebSocket, pod: Resource, *, elsewhere: bool) -> None:
        self._connection = connection
        self._pod = pod
        self._elsewhere = elsewhere
        self._errors = b""
        self._ended = False

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Sends all of it.

        Raises:
            ConnectionFailed: the command is gone or does not take it in time.
        """
        import websocket

        view = memoryview(data)
        for start in range(0, len(view), _CHUNK):
            if deadline.passed:
                raise ConnectionFailed(f"took no data for {deadline.seconds:g} s")
            try:
                self._connection.settimeout(max(deadline.left, 0.001))
                self._connection.send_binary(bytes([INPUT]) + view[start : start + _CHUNK])
            except (TimeoutError, websocket.WebSocketTimeoutException) as error:
                raise ConnectionFailed(f"took no data for {deadline.seconds:g} s") from error
            except (OSError, websocket.WebSocketException) as error:
                # Why it ended may wait to be read.
                self._explain_end(deadline)
                raise ConnectionFailed(f"broke off: {words(error)}") from error

    def receive(self, deadline: Deadline) -> bytes:
        """What has arrived, at least one byte; empty when the command has ended well.

        Raises:
            ConnectionFailed: the connection broke, the command failed, or the time is over.
        """
        import websocket

        late = f"is connected, but gave no whole answer within {deadline.seconds:.3g} s"
        while not self._ended:
            if deadline.passed:
                raise ConnectionFailed(late)
            try:
                self._connection.settimeout(max(deadline.left, 0.001))
                kind, data = self._connection.recv_data(control_frame=True)
            except (TimeoutError, websocket.WebSocketTimeoutException) as error:
                raise ConnectionFailed(late) from error
            except (OSError, websocket.WebSocketException) as error:
                raise self._gone(words(error)) from error
            if kind == websocket.ABNF.OPCODE_CLOSE:
                raise self._gone("the pod is gone, or its node does not answer")
            # Pings are answered by the library.
            if kind != websocket.ABNF.OPCODE_BINARY or not data:
                continue
            channel, payload = data[0], bytes(data[1:])
            if channel == OUTPUT and payload:
                return payload
            if channel == ERRORS:
                self._errors = (self._errors + payload)[-_LONGEST:]
            elif channel == STATUS:
                self._end(payload)
        return b""

    def close(self) -> None:
        """Ends the connection, and with its input the command; never fails."""
        with suppress(Exception):
            self._connection.close(timeout=0)

    def _end(self, status: bytes) -> None:
        """Notes that the command has ended.

        Raises:
            ConnectionFailed: it failed.
        """
        self._ended = True
        code, message = exit_code(status)
        if code == 0:
            return
        said = " ".join(self._errors.decode(errors="replace").split())
        if code == NOT_FOUND or "executable file not found" in message:
            raise ConnectionFailed(
                f"needs ncat, which the image of {self._pod} does not have: {said or message}",
                lasting=True,
            )
        raise ConnectionFailed(
            f"cannot be connected from {self._pod}: {said or message}",
            # In the pod itself it may just be starting.
            refused=self._elsewhere and _REFUSED in said.lower(),
        )

    def _explain_end(self, deadline: Deadline) -> None:
        with suppress(TimeoutError):
            while self.receive(deadline.within(1.0)):
                pass

    def _gone(self, why: str) -> ConnectionFailed:
        said = " ".join(self._errors.decode(errors="replace").split())
        return ConnectionFailed(f"broke off in {self._pod}: {said or why}")


def _open(tunnel: Tunnel, pod: Resource, container: str, deadline: Deadline) -> ExecStream:
    connection = open_stream(tunnel.objects, pod, container, tunnel.command, deadline, given=True)
    return ExecStream(connection, pod, elsewhere=tunnel.elsewhere)
