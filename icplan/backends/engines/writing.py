"""Guarded writes to one engine, and what has become of one in which something failed.

A write is made of several commands, and an engine can refuse the second of them. Then it is looked
at what is there: nobody is told that nothing was done when something was. What a container means to
users is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import NoReturn

from icplan.backends.deadline import Deadline
from icplan.backends.engines.failures import (
    CommandFailed,
    EngineWritePartly,
    EngineWriteUnknown,
    refused,
)
from icplan.backends.engines.files import delete, existing
from icplan.backends.engines.others import Others
from icplan.backends.engines.road import Road
from icplan.backends.engines.runtime import Runtime
from icplan.backends.failures import WriteRefused
from icplan.core.engines import (
    Container,
    Engine,
    EngineWrite,
    MarkContainer,
    RemoveContainer,
    RunContainer,
)

WRITE_SECONDS = 600.0
"""An image may have to be pulled."""


class _Unseen(Enum):
    """It could not be looked at."""

    UNSEEN = auto()


UNSEEN = _Unseen.UNSEEN
_Found = Container | None | _Unseen


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes to one engine.

    Attributes:
        engine: which one, for messages.
        runtime: the engine itself.
        road: the way to its host.
        others: who else runs there.
        seconds: how long it may be looked for what has become of a write.
    """

    engine: Engine
    runtime: Runtime
    road: Road
    others: Others
    seconds: float

    def write(self, operation: EngineWrite) -> None:
        """Does an operation while what it expects is there.

        Raises:
            WriteRefused: something else is there, or the engine does nothing of it.
            EngineWritePartly: a part of it was done.
            EngineWriteUnknown: nobody could say in time what became of it.
        """
        match operation:
            case RunContainer():
                self._run(operation)
            case MarkContainer():
                self._mark(operation)
            case RemoveContainer():
                self._remove(operation)

    def _run(self, wanted: RunContainer) -> None:
        deadline = Deadline.after(WRITE_SECONDS)
        try:
            # What can be refused before the old one goes, is: an image that cannot be fetched
            # takes nothing away.
            image = self.runtime.prepare(wanted, deadline)
            before = self._required(wanted.name, wanted.replaces, deadline)
            if before is None or not before.running:
                self.others.require_none(wanted.name, wanted.ports, deadline)
        except CommandFailed as error:
            raise refused(self.engine, error, wanted.name) from error
        deadline = Deadline.after(WRITE_SECONDS)
        if before is not None:
            self._take_away(wanted.name, before, (), deadline)
            if before.running:
                self._require_none(wanted, deadline)
        try:
            self.runtime.run(wanted, image, deadline)
        except CommandFailed as error:
            found = self._look(wanted.name)
            if not _came_about(wanted, found):
                self._judge_start(wanted, found, error)

    def _require_none(self, wanted: RunContainer, deadline: Deadline) -> None:
        """Looks again once our own container is away, which was the one who listened."""
        try:
            self.others.require_none(wanted.name, wanted.ports, deadline)
        except CommandFailed as error:
            self._stop(wanted.name, "the old one is removed, but no new one is started", error)

    def _judge_start(self, wanted: RunContainer, found: _Found, error: CommandFailed) -> NoReturn:
        gone = "the old one is removed" if wanted.replaces else ""
        match found:
            case Container() if found.owner == wanted.owner and found.id != wanted.replaces:
                begun = f"{gone}, and a new one" if gone else "a new one"
                done = f"{begun} is there, but does not run ({found.state})"
            case Container():
                done = f"{gone}, but another one has taken its place" if gone else ""
            case _:
                done = f"{gone}, but no new one is started" if gone else ""
        if error.unanswered or (found is UNSEEN and not error.unsent):
            raise EngineWriteUnknown(
                self.engine, error, f"the old container {wanted.name} is removed" if gone else ""
            ) from error
        self._stop(wanted.name, done, error)

    def _mark(self, wanted: MarkContainer) -> None:
        deadline = Deadline.after(WRITE_SECONDS)
        try:
            self._required(wanted.name, wanted.id, deadline)
        except CommandFailed as error:
            raise refused(self.engine, error, wanted.name) from error
        try:
            self.runtime.mark(wanted.name, wanted.owner, deadline)
        except CommandFailed as error:
            found = self._look(wanted.name)
            if isinstance(found, Container) and found.owner == wanted.owner:
                return
            if error.unanswered:
                raise EngineWriteUnknown(self.engine, error) from error
            raise refused(self.engine, error, wanted.name) from error

    def _remove(self, wanted: RemoveContainer) -> None:
        """Files first: so a removal that ends halfway is told from a container that was lost.

        Who finds a container without its files knows that nothing is left to be kept; of files
        without a container nobody knows whether they are still wanted. A server goes on with a
        file that was removed until it ends.
        """
        deadline = Deadline.after(WRITE_SECONDS)
        try:
            before = self._required(wanted.name, wanted.id, deadline)
            if before is None or not before.running:
                self.others.require_none(wanted.name, wanted.ports, deadline)
            files = existing(self.road, wanted.files, deadline)
        except CommandFailed as error:
            raise refused(self.engine, error, wanted.name) from error
        self._delete(wanted, files, "", deadline)
        if before is None:
            return
        self._take_away(wanted.name, before, files, deadline)
        # A server that compacts a database writes its file anew.
        self._delete(wanted, wanted.files, "it is removed", deadline)

    def _delete(
        self, wanted: RemoveContainer, files: tuple[str, ...], before: str, deadline: Deadline
    ) -> None:
        try:
            delete(self.road, files, deadline)
        except CommandFailed as error:
            if error.unsent:
                self._stop(wanted.name, f"{before}, but its files are not" if before else "", error)
            try:
                left = existing(self.road, files, Deadline.after(self.seconds))
            except CommandFailed:
                raise EngineWriteUnknown(
                    self.engine, error, f"container {wanted.name} is removed" if before else ""
                ) from error
            if not left:
                return
            if error.unanswered:
                raise EngineWriteUnknown(
                    self.engine, error, f"{' and '.join(left)} still there just now"
                ) from error
            done = [*([before] if before else []), *_removed(files, left)]
            still = f"{', '.join(done)}, but not {' and '.join(left)}" if done else ""
            self._stop(wanted.name, still, error)

    def _take_away(
        self, name: str, before: Container, files: tuple[str, ...], deadline: Deadline
    ) -> None:
        """Removes a container, of which these files were removed already."""
        try:
            self.runtime.remove(name, deadline)
        except CommandFailed as error:
            found = self._look(name)
            if found is None:
                return
            done = _removed(files, ())
            if error.unanswered or found is UNSEEN:
                seen = f"{done[0]}" if done else ""
                raise EngineWriteUnknown(self.engine, error, seen) from error
            if found.id != before.id:
                done = [*done, "it is removed", "but another one has taken its place"]
            elif found.state != before.state:
                done = [*done, f"it is stopped ({found.state})", "but not removed"]
            elif done:
                done = [*done, "but the container is as it was"]
            self._stop(name, ", ".join(done), error)

    def _stop(self, name: str, done: str, error: CommandFailed) -> NoReturn:
        """Raises what the failure of a write comes to; `done` empty: nothing of it was done."""
        if done:
            raise EngineWritePartly(self.engine, name, done, error) from error
        raise refused(self.engine, error, name) from error

    def _look(self, name: str) -> _Found:
        """What is there after something failed."""
        try:
            return self.runtime.inspect(name, (), Deadline.after(self.seconds))
        except CommandFailed:
            return UNSEEN

    def _required(self, name: str, expected: str, deadline: Deadline) -> Container | None:
        """Lets a write pass while the container is there that the plan saw, or none as then."""
        found = self.runtime.inspect(name, (), deadline)
        if (found.id if found else "") == expected:
            return found
        raise WriteRefused(
            f"container {name}",
            place=str(self.engine),
            cause=f"the plan saw {_seen(expected)}, but {_now(found)} is there now",
            cure="somebody changed it meanwhile: run `icplan plan` again and read the difference",
        )


def _came_about(wanted: RunContainer, found: _Found) -> bool:
    """Whether a container runs although its start seemed to fail."""
    return (
        isinstance(found, Container)
        and found.id != wanted.replaces
        and found.owner == wanted.owner
        and found.running
    )


def _removed(files: tuple[str, ...], left: tuple[str, ...]) -> list[str]:
    gone = [one for one in files if one not in left]
    return [f"{' and '.join(gone)} {'are' if len(gone) > 1 else 'is'} removed"] if gone else []


def _seen(expected: str) -> str:
    return "another one" if expected else "none"


def _now(found: Container | None) -> str:
    return f"one of {found.image}" if found else "none"
