"""Docker by its command line. The arguments are those of Kube-OVN's documentation."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace

import orjson

from icplan.backends.deadline import Deadline
from icplan.backends.engines.environment import environment, other_variables
from icplan.backends.engines.failures import CommandFailed, complaint, last_line
from icplan.backends.engines.road import Done, Road
from icplan.backends.engines.runtime import STOP_SECONDS, Command
from icplan.core.engines import LABEL, RUNNING, Container, RunContainer

_SILENT = ("cannot connect to the docker daemon", "error during connect")
_NONE = ("no such object", "no such container")
_LINES = 50


class Docker:
    """The Docker of one host.

    Args:
        road: the way to the host.
        socket: where its daemon listens; empty: where the command expects it.
    """

    def __init__(self, road: Road, socket: str = "") -> None:
        words = ("docker", *(("-H", f"unix://{socket}") if socket else ()))
        self._docker = Command(road, words, _SILENT, "systemctl start docker")

    def inspect(self, name: str, variables: Sequence[str], deadline: Deadline) -> Container | None:
        """The container of that name; None when there is none."""
        done = self._docker(("container", "inspect", name), deadline)
        if done.code != 0:
            if any(one in done.err.lower() for one in _NONE):
                return None
            raise CommandFailed(
                f"docker says: {last_line(done.err)}",
                f"try by hand: {self._docker.by_hand('container', 'inspect', name)}",
            )
        container = self._without_the_image_s(read(done.out, variables), done.out, deadline)
        if container.state == RUNNING:
            return container
        # What a process complains of before it ends is most often why it does.
        said = self._docker(("logs", "--tail", str(_LINES), name), deadline)
        return replace(container, said=complaint(f"{said.out}\n{said.err}"))

    def elsewhere(self, _name: str, _deadline: Deadline) -> str:
        """Nothing: docker has one place for its containers."""
        return ""

    def _without_the_image_s(
        self, container: Container, text: str, deadline: Deadline
    ) -> Container:
        """Docker lists a container's variables together with those of its image."""
        if not container.variables:
            return container
        (found,) = orjson.loads(text)
        # By its id: the name may be another image's by now. One that is gone says nothing.
        done = self._docker(("image", "inspect", str(found.get("Image"))), deadline)
        images = orjson.loads(done.out) if done.code == 0 else []
        own = {entry for one in images for entry in one["Config"].get("Env") or ()}
        given = (entry for entry in found["Config"]["Env"] if entry not in own)
        names = {entry.partition("=")[0] for entry in given}
        left = (one for one in container.variables if one in names)
        return replace(container, variables=tuple(left))

    def execute(self, name: str, arguments: Sequence[str], deadline: Deadline) -> Done:
        """Runs a command in a container."""
        return self._docker(("exec", name, *arguments), deadline)

    def prepare(self, wanted: RunContainer, deadline: Deadline) -> str:
        """Sees to it that the image is there; how the engine calls it."""
        image = wanted.image
        if self._docker(("image", "inspect", "--format", "{{.Id}}", image), deadline).code != 0:
            done = self._docker(("pull", "--quiet", image), deadline)
            if done.code != 0:
                raise CommandFailed(
                    f"the image {image} is not there and cannot be pulled: {last_line(done.err)}",
                    "correct the image, or bring an archive of it there (docker save) and load "
                    f"it: {self._docker.by_hand('load', '-i', 'ARCHIVE')}",
                )
        return image

    def run(self, wanted: RunContainer, image: str, deadline: Deadline) -> None:
        """Starts a container for which everything was prepared."""
        self._docker.demand(
            arguments(wanted, image),
            deadline,
            f"see why: {self._docker.by_hand('ps', '-a')}; "
            f"{self._docker.by_hand('logs', wanted.name)}",
        )

    def mark(self, name: str, owner: str, deadline: Deadline) -> None:
        """Docker cannot change the labels of a container."""
        raise AssertionError(f"{owner} asks for a mark on {name} after {deadline.seconds} s")

    def remove(self, name: str, deadline: Deadline) -> None:
        """Stops a container and removes it."""
        cure = f"see what holds it: {self._docker.by_hand('rm', '-f', name)}"
        self._docker(("stop", "-t", str(STOP_SECONDS), name), deadline)
        self._docker.demand(("rm", "-f", name), deadline, cure)


def arguments(wanted: RunContainer, image: str) -> tuple[str, ...]:
    """What follows `docker` on the command line that starts a container."""
    return (
        "run",
        f"--name={wanted.name}",
        "-d",
        "--network=host",
        *(("--privileged",) if wanted.privileged else ()),
        *((f"--restart={wanted.restart}",) if wanted.restart else ()),
        f"--label={LABEL}={wanted.owner}",
        *(f"--env={key}={value}" for key, value in wanted.environment),
        *(word for source, inside in wanted.mounts for word in ("-v", f"{source}:{inside}")),
        image,
        *wanted.command,
    )


def read(text: str, variables: Sequence[str]) -> Container:
    """What `docker container inspect` prints of one container.

    Raises:
        CommandFailed: it prints something else.
    """
    try:
        (found,) = orjson.loads(text)
        config, state = found["Config"], found["State"]
        status = str(state["Status"])
        return Container(
            id=str(found["Id"]),
            image=str(config["Image"]),
            state=RUNNING if status == RUNNING else _ended(status, state),
            command=shlex.join(config["Cmd"] or ()),
            environment=environment(config["Env"] or (), variables),
            variables=other_variables(config["Env"] or (), variables),
            mounts={
                str(one["Destination"]): str(one["Source"]) for one in found.get("Mounts") or ()
            },
            owner=(config["Labels"] or {}).get(LABEL),
            privileged=bool(found["HostConfig"]["Privileged"]),
            host_network=found["HostConfig"]["NetworkMode"] == "host",
            restart=_restart(found["HostConfig"].get("RestartPolicy") or {}),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise CommandFailed(
            "docker describes a container in a way that icplan does not know",
            "try by hand: docker container inspect, and use a version that is known to work: 20.10",
        ) from error


def _ended(status: str, state: Mapping[str, object]) -> str:
    return f"{status} ({state.get('ExitCode')})" if status == "exited" else status


def _restart(policy: Mapping[str, object]) -> str:
    """A restart policy as `docker run --restart` takes it; empty: none."""
    name, count = policy.get("Name") or "no", policy.get("MaximumRetryCount")
    return f"{name}:{count}" if count else "" if name == "no" else str(name)
