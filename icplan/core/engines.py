"""Container engines of the IC databases' hosts as values: queries, guarded writes. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from icplan.core.address import IC

CLUSTERED, STANDALONE = "clustered", "standalone"
"""What a server says of a database: it is one of several members' copies, or the only one."""

RUNNING = "running"
"""The state of a container whose process is there."""

STATE = "state"
"""The attribute that says whether what is declared runs."""

NAMESPACE = "default"
"""The namespace of containerd, that of the documented command: in k8s.io, a cluster's own, kubelet
takes away images that no pod uses."""

LABEL = "icplan/owner"
"""The label that says whose a container is; its value is the file's name."""


@dataclass(frozen=True, slots=True, order=True)
class Engine:
    """The container engine of one host of the IC databases.

    Attributes:
        runtime: `docker` or `containerd`.
        host: the host's address, as the file has it.
        where: `ssh://[USER@]HOST[:PORT]` or `unix:///PATH`; empty: the engine of this machine.
    """

    runtime: str
    host: str
    where: str = ""

    @property
    def site(self) -> str:
        """It belongs to no zone."""
        return IC

    def __str__(self) -> str:
        """How it is called in front of people."""
        where = f" ({self.where})" if self.where else " (this machine)"
        return f"{self.runtime} of {self.host}{where}"


@dataclass(frozen=True, slots=True, order=True)
class Member:
    """The server of one of the IC databases on one host."""

    name: str
    host: str

    @property
    def site(self) -> str:
        """It belongs to no zone."""
        return IC

    def __str__(self) -> str:
        """How it is called in front of people."""
        return f"{self.name} on {self.host}"


@dataclass(frozen=True, slots=True)
class Container:
    """A container as its engine shows it.

    Attributes:
        id: changes with every new container of the name.
        image: as the engine was given it.
        state: `running`, else how it stands: `exited (1)`.
        command: what it runs, as a shell would be told.
        environment: those variables that were asked for.
        variables: the names of the others that it was given, and its image does not set.
        mounts: the source on the host by the path inside.
        owner: icplan's mark, a label; None when it has none.
        members: the addresses of the raft members that the servers in it know, by database; of one
            that does not answer nothing is known.
        said: what it complained of last, while it does not run and the engine keeps its log.
        restart: when its engine starts it again by itself, as `docker run --restart` takes it;
            empty: never.
    """

    id: str
    image: str
    state: str
    command: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    mounts: Mapping[str, str] = field(default_factory=dict)
    owner: str | None = None
    privileged: bool = False
    host_network: bool = False
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    said: str = ""
    restart: str = ""
    variables: tuple[str, ...] = ()

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self.state == RUNNING


@dataclass(frozen=True, slots=True)
class HostState:
    """What a host has of the IC databases: a container, and the files of those databases.

    Attributes:
        listening: the ports at which somebody listens although the container does not run; None:
            it cannot be seen, as the engine is reached by a socket of this machine, and the host is
            none of its addresses.
        elsewhere: what else of that name runs there, in words; empty: nothing.
    """

    container: Container | None
    files: tuple[str, ...] = ()
    listening: tuple[int, ...] | None = ()
    elsewhere: str = ""

    @property
    def runs(self) -> bool:
        """Whether our container runs."""
        return self.container is not None and self.container.running

    @property
    def empty(self) -> bool:
        """Whether there is neither a container nor any of the files."""
        return self.container is None and not self.files

    @property
    def taken(self) -> bool:
        """Whether somebody else runs there what our container does not."""
        return not self.runs and bool(self.listening or self.elsewhere)

    @property
    def emptied(self) -> bool:
        """Whether nothing runs and nothing is kept: files go before their container does."""
        return not self.runs and not self.files


@dataclass(frozen=True, slots=True)
class InspectHost:
    """A container of that name, and which of these files there are.

    Attributes:
        variables: the variables that matter; the values of others may be secrets, and are left.
        clustered: the databases whose servers in the container are asked for their raft members.
        ports: where it is looked whether somebody listens, while the container does not run.
    """

    engine: Engine
    name: str
    files: tuple[str, ...]
    variables: tuple[str, ...]
    clustered: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class MemberState:
    """What a server says of its database (table Database of `_Server`).

    Attributes:
        model: `clustered` or `standalone`.
        connected: it is in touch with a majority of its cluster; of a standalone one always.
        leader: it leads its cluster; of a standalone one always.
        cluster: the cluster's id, empty of a standalone one.
        server: its own id in the cluster.
        silence: why it did not answer; then nothing else is known. No error: of several members
            one may be away.
    """

    model: str = ""
    connected: bool = False
    leader: bool = False
    cluster: str = ""
    server: str = ""
    silence: str = ""

    @property
    def answers(self) -> bool:
        """Whether the server answered."""
        return not self.silence


@dataclass(frozen=True, slots=True)
class AskMember:
    """What the server of one member says of itself."""

    member: Member


EngineQuery = InspectHost | AskMember


@dataclass(frozen=True, slots=True)
class RunContainer:
    """A container started; the one with the id `replaces` is taken away first.

    Refused when another one, or none, is there than the plan saw, and when somebody else listens
    at its ports.

    Attributes:
        replaces: the id of the container that the plan saw; empty: none.
        ports: those at which nobody else may listen.
        restart: when its engine shall start it again by itself; empty: as the engine does unasked.
    """

    engine: Engine
    name: str
    image: str
    command: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    mounts: tuple[tuple[str, str], ...]
    owner: str
    privileged: bool
    replaces: str = ""
    ports: tuple[int, ...] = ()
    restart: str = ""


@dataclass(frozen=True, slots=True)
class MarkContainer:
    """Our mark set on a container that goes on running; containerd can do that, docker cannot."""

    engine: Engine
    name: str
    id: str
    owner: str


@dataclass(frozen=True, slots=True)
class RemoveContainer:
    """A container stopped and removed, if the plan saw one, and files of its host with it.

    Refused when somebody else listens at its ports: the files may be open there.
    """

    engine: Engine
    name: str
    id: str
    files: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()


EngineWrite = RunContainer | MarkContainer | RemoveContainer


def short(image: str) -> str:
    """An image without the name of the registry that is meant when none is named."""
    return image.removeprefix("docker.io/").removeprefix("library/")
