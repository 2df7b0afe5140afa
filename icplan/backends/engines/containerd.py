"""Containerd by its command line `ctr`. The arguments are those of Kube-OVN's documentation."""

from __future__ import annotations

import secrets
import shlex
import time
from collections.abc import Mapping, Sequence

import orjson

from icplan.backends.deadline import Deadline
from icplan.backends.engines.environment import environment
from icplan.backends.engines.failures import CommandFailed, last_line
from icplan.backends.engines.road import Done, Road
from icplan.backends.engines.runtime import STOP_SECONDS, Command
from icplan.core.engines import LABEL, NAMESPACE, RUNNING, Container, RunContainer, short

_SILENT = ("failed to dial", "connection refused", "no such file or directory: unavailable")
_PAUSE_SECONDS = 0.1
_OF_CLUSTERS = "k8s.io"
"""The namespace of containerd that kubelet uses, and that Kube-OVN's documentation names."""


class Containerd:
    """The containerd of one host.

    Args:
        road: the way to the host.
        socket: where its daemon listens; empty: where the command expects it.
    """

    def __init__(self, road: Road, socket: str = "") -> None:
        words = ("ctr", *(("-a", socket) if socket else ()), "-n")
        start = "systemctl start containerd"
        self._ctr = Command(road, (*words, NAMESPACE), _SILENT, start)
        self._of_clusters = Command(road, (*words, _OF_CLUSTERS), _SILENT, start)

    def inspect(self, name: str, variables: Sequence[str], deadline: Deadline) -> Container | None:
        """The container of that name; None when there is none."""
        done = self._ctr(("containers", "info", name), deadline)
        if done.code != 0:
            if "not found" in done.err.lower():
                return None
            raise CommandFailed(
                f"ctr says: {last_line(done.err)}",
                f"try by hand: {self._ctr.by_hand('containers', 'info', name)}",
            )
        return read(done.out, self._state(name, deadline), variables)

    def elsewhere(self, name: str, deadline: Deadline) -> str:
        """A container of that name that runs in the namespace of clusters, in words."""
        runs = self._state(name, deadline, self._of_clusters) == RUNNING
        return f"a container {name} runs in its namespace {_OF_CLUSTERS}" if runs else ""

    def _state(self, name: str, deadline: Deadline, ctr: Command | None = None) -> str:
        asked = ctr or self._ctr
        out = asked.demand(
            ("tasks", "ls"), deadline, f"try by hand: {asked.by_hand('tasks', 'ls')}"
        )
        tasks = (line.split() for line in out.splitlines()[1:])
        found = {words[0]: words[-1].lower() for words in tasks if len(words) >= 3}
        return found.get(name, "without a task")

    def execute(self, name: str, arguments: Sequence[str], deadline: Deadline) -> Done:
        """Runs a command in a container."""
        process = f"icplan-{secrets.token_hex(4)}"
        return self._ctr(("tasks", "exec", "--exec-id", process, name, *arguments), deadline)

    def prepare(self, wanted: RunContainer, deadline: Deadline) -> str:
        """Sees to it that the image and the folders are there; how the engine calls the image."""
        image = self._fetch(wanted.image, deadline)
        # Docker makes what it mounts; containerd wants it to be there.
        if sources := [source for source, _ in wanted.mounts]:
            made = self._ctr.road.run(("mkdir", "-p", "--", *sources), deadline)
            if made.code != 0:
                raise CommandFailed(
                    f"its folders cannot be made: {last_line(made.err)}", "use root there"
                )
        return image

    def _fetch(self, image: str, deadline: Deadline) -> str:
        """Sees to it that an image is there; how the engine calls it.

        Images that were pulled have the name of their registry in front, imported ones may not.
        """
        cure = f"try by hand: {self._ctr.by_hand('images', 'ls')}"
        listed = self._ctr.demand(("images", "ls", "-q"), deadline, cure)
        there = {short(one): one for one in sorted(listed.split(), reverse=True)}
        if image in listed.split():
            return image
        if short(image) in there:
            return there[short(image)]
        full = _full(image)
        done = self._ctr(("images", "pull", full), deadline)
        if done.code != 0:
            raise CommandFailed(
                f"the image {full} is not there and cannot be pulled: {last_line(done.err)}",
                f"correct the image, or bring an archive of it there (docker save) and load it: "
                f"{self._ctr.by_hand('images', 'import', 'ARCHIVE')}",
            )
        return full

    def run(self, wanted: RunContainer, image: str, deadline: Deadline) -> None:
        """Starts a container for which everything was prepared."""
        self._ctr.demand(
            arguments(wanted, image),
            deadline,
            f"see what there is: {self._ctr.by_hand('containers', 'info', wanted.name)}; "
            f"{self._ctr.by_hand('tasks', 'ls')}",
        )

    def mark(self, name: str, owner: str, deadline: Deadline) -> None:
        """Sets our mark on a container."""
        label = ("containers", "label", name, f"{LABEL}={owner}")
        self._ctr.demand(label, deadline, f"try by hand: {self._ctr.by_hand(*label)}")

    def remove(self, name: str, deadline: Deadline) -> None:
        """Stops a container and removes it."""
        cure = (
            f"see what holds it: {self._ctr.by_hand('tasks', 'ls')}; "
            f"{self._ctr.by_hand('containers', 'delete', name)}"
        )
        if self._state(name, deadline) == RUNNING:
            self._ctr(("tasks", "kill", "-s", "SIGTERM", name), deadline)
            patience = deadline.within(STOP_SECONDS)
            while self._state(name, deadline) == RUNNING and not patience.passed:
                time.sleep(_PAUSE_SECONDS)
        done = self._ctr(("tasks", "delete", "--force", name), deadline)
        if done.code != 0 and "not found" not in done.err.lower():
            raise CommandFailed(f"ctr says: {last_line(done.err)}", cure)
        self._ctr.demand(("containers", "delete", name), deadline, cure)


def arguments(wanted: RunContainer, image: str) -> tuple[str, ...]:
    """What follows `ctr -n NAMESPACE` on the command line that starts a container."""
    return (
        "run",
        "-d",
        "--net-host",
        *(("--privileged",) if wanted.privileged else ()),
        f"--label={LABEL}={wanted.owner}",
        *(f"--env={key}={value}" for key, value in wanted.environment),
        *(
            f"--mount=type=bind,src={source},dst={inside},options=rbind:rw"
            for source, inside in wanted.mounts
        ),
        image,
        wanted.name,
        *wanted.command,
    )


def read(text: str, state: str, variables: Sequence[str]) -> Container:
    """What `ctr containers info` prints.

    Raises:
        CommandFailed: it prints something else.
    """
    try:
        found = orjson.loads(text)
        spec = found["Spec"]
        process, linux = spec["process"], spec["linux"]
        entries = process.get("env") or ()
        return Container(
            # The name is the id here; a new container of that name is made at another time.
            id=str(found["CreatedAt"]),
            image=str(found["Image"]),
            state=state,
            command=shlex.join(process.get("args") or ()),
            environment=environment(entries, variables),
            # No other variables: ctr tells nobody which of them the image sets.
            mounts=_mounts(spec.get("mounts") or ()),
            owner=(found.get("Labels") or {}).get(LABEL),
            # What a container must not see of /proc is masked, but for a privileged one.
            privileged=not linux.get("maskedPaths"),
            host_network=all(one["type"] != "network" for one in linux.get("namespaces") or ()),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CommandFailed(
            "ctr describes a container in a way that icplan does not know",
            "try by hand: ctr containers info, and use a version that is known to work: 1.6",
        ) from error


def _mounts(entries: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {one["destination"]: one["source"] for one in entries if one.get("type") == "bind"}


def _full(image: str) -> str:
    """An image with its registry's name, which containerd demands of what it pulls."""
    first, slash, _ = image.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return image
    return f"docker.io/{image}" if slash else f"docker.io/library/{image}"
