"""The objects of one cluster: reads them, writes them while preconditions hold."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from icplan.backends.deadline import Deadline
from icplan.backends.failures import WriteRefused
from icplan.backends.kubernetes.configuration import Access
from icplan.backends.kubernetes.explain import (
    BUSY,
    broken_off,
    explain,
    no_such_kind,
    transient,
)
from icplan.backends.kubernetes.failures import (
    AccessFailed,
    ClusterUnreadable,
    NotPermitted,
    ObjectStale,
    RequestFailed,
    WriteUnknown,
)
from icplan.backends.kubernetes.requests import (
    Request,
    done,
    expected,
    list_path,
    object_path,
    request,
    uid,
    version,
)
from icplan.backends.kubernetes.transport import Answer, Transport
from icplan.core.kubernetes import (
    Body,
    CreateObject,
    GetObject,
    ListObjects,
    ObjectWrite,
    Path,
    Resource,
    Tree,
    at,
)

ATTEMPTS = 5
"""How often a write is tried against an object that changes in fields which are not ours, and
how often a server that says it has trouble is asked."""

_PAUSE_SECONDS = 0.2


@dataclass(slots=True)
class _Progress:
    """How far a write has come.

    Attributes:
        unanswered: it was sent, and whether it was done is not known.
        trouble: why the last attempt had no good answer.
        wanted: for how many seconds the server wants to be left alone.
        rejected: the server's words for what it did not take, with the object's version then.
    """

    unanswered: bool = False
    trouble: ClusterUnreadable | None = None
    wanted: float | None = None
    rejected: tuple[str, Answer] | None = None


class Objects:
    """A cluster's client; threads may share it.

    Args:
        access: whose API, and how it is reached.
        seconds: how long one read or write may take, all its attempts together.
    """

    def __init__(self, access: Access, seconds: float = 20.0) -> None:
        self.access = access
        self.seconds = seconds
        self.transport = Transport(access)

    def close(self) -> None:
        """Ends all connections."""
        self.transport.close()

    def get(self, query: GetObject, deadline: Deadline | None = None) -> Body | None:
        """An object; None when it is not there.

        Raises:
            NotPermitted: we may not see it.
            ClusterUnreadable: the server did not answer properly in time.
            AccessFailed: what says where the server is is missing or wrong.
        """
        resource = query.resource
        thing, deadline = str(resource), deadline or Deadline.after(self.seconds)
        answer = self._read(thing, object_path(resource), deadline)
        if answer.status == 404:
            if answer.reason != "NotFound":
                raise no_such_kind(self.transport, resource.collection)
            return None
        if not isinstance(at(answer.body, ("metadata",)), Mapping):
            raise explain(self.transport, thing, answer)
        return answer.body

    def list(self, query: ListObjects, deadline: Deadline | None = None) -> tuple[Body, ...]:
        """Objects of one moment, by name.

        Raises:
            NotPermitted: we may not see them.
            ClusterUnreadable: the server did not answer properly in time.
            AccessFailed: what says where the server is is missing or wrong.
        """
        thing, deadline = str(query.collection), deadline or Deadline.after(self.seconds)
        answer = self._read(thing, list_path(query), deadline)
        if answer.status == 404:
            if query.optional:
                return ()
            raise no_such_kind(self.transport, query.collection)
        items = answer.body.get("items")
        if not isinstance(items, list):
            raise explain(self.transport, thing, answer)
        return tuple(sorted(items, key=lambda one: str(at(one, ("metadata", "name")))))

    def write(self, write: ObjectWrite) -> None:
        """Does a write while its preconditions hold, once.

        The object is read, its owned fields and its uid are compared with what the plan saw, and
        the server is asked to write only if they still are what was just read. If anything else
        changed in between, it is compared again. A write without an answer is looked for before
        it is sent again.

        Raises:
            ObjectStale: a precondition does not hold.
            WriteRefused: the server does not take it.
            NotPermitted: we may not.
            WriteUnknown: it was sent, and whether it was done could not be found out.
            ClusterUnreadable: the server did not answer in time; nothing was written.
            AccessFailed: what says where the server is is missing or wrong.
        """
        progress = _Progress()
        try:
            self._write(write, progress)
        except (WriteRefused, ClusterUnreadable, AccessFailed) as error:
            # A repetition that is refused says nothing of the first try.
            if not progress.unanswered:
                raise
            raise WriteUnknown(write.resource, error) from error

    # Writing

    def _write(self, write: ObjectWrite, progress: _Progress) -> None:
        deadline = Deadline.after(self.seconds)
        resource = write.resource
        for attempt in range(ATTEMPTS):
            found = self._current(resource, deadline, patient=progress.unanswered)
            if progress.unanswered and done(write, found):
                return
            self._compare(write, found)
            if progress.rejected and found and progress.rejected[0] == version(found):
                raise self._refused(resource, progress.rejected[1].message)
            if progress.trouble and not self._pause(deadline, attempt, progress.wanted):
                raise progress.trouble
            if self._sent(resource, request(write, found or {}), found, progress, deadline):
                return
        if progress.unanswered and done(write, self._current(resource, deadline, patient=True)):
            return
        if progress.trouble:
            raise progress.trouble
        raise self._refused(
            resource,
            f"it changed under our hands {ATTEMPTS} times in a row",
            "find out what writes there so often, then run `icplan apply` again",
        )

    def _current(self, resource: Resource, deadline: Deadline, *, patient: bool) -> Body | None:
        """The object; patient: also wait for a server that is not there."""
        while True:
            try:
                return self.get(GetObject(resource), deadline)
            except NotPermitted:
                raise
            except ClusterUnreadable:
                if not patient or deadline.passed:
                    raise
                time.sleep(min(_PAUSE_SECONDS, deadline.left))

    def _compare(self, write: ObjectWrite, found: Body | None) -> None:
        if isinstance(write, CreateObject):
            if found is not None:
                raise self._stale(write.resource, (), "no such object", "one")
            return
        if found is None:
            raise self._stale(write.resource, (), "one", "no such object")
        if write.uid and uid(found) != write.uid:
            raise self._stale(write.resource, ("metadata", "uid"), write.uid, uid(found))
        for one in expected(write):
            there = at(found, one.path)
            if there != one.value:
                path, seen, now = _difference(one.path, one.value, there)
                raise self._stale(write.resource, path, seen, now)

    def _sent(
        self,
        resource: Resource,
        wanted: Request,
        found: Body | None,
        progress: _Progress,
        deadline: Deadline,
    ) -> bool:
        """Sends a write; false when the object must be looked at again.

        Raises:
            WriteRefused: it is not taken.
        """
        progress.trouble, progress.wanted = None, None
        try:
            answer = self._ask(wanted, deadline)
        except RequestFailed as error:
            progress.unanswered |= error.sent
            progress.trouble = broken_off(self.transport, str(resource), error)
            if not progress.unanswered:
                raise progress.trouble from error
            return False
        if answer.status in {200, 201, 202}:
            return True
        if transient(answer):
            # A server that is too busy has not begun; one in trouble may have written.
            progress.unanswered |= answer.status != BUSY
            progress.trouble = explain(self.transport, str(resource), answer)
            progress.wanted = answer.retry_after
            return False
        if answer.status == 422 and found is not None:
            progress.rejected = (version(found), answer)
            return False
        if answer.status == 409 or (answer.status == 404 and found is not None):
            return False
        if answer.status in {401, 403}:
            raise explain(self.transport, str(resource), answer)
        raise self._refused(resource, f"{answer.message} ({answer.status})")

    def _stale(self, resource: Resource, path: Path, seen: Tree, now: Tree) -> ObjectStale:
        return ObjectStale(resource, self.transport.place, path, seen, now)

    def _refused(
        self,
        resource: Resource,
        cause: str,
        cure: str = "nothing of this write was done: run `icplan plan` again",
    ) -> WriteRefused:
        return WriteRefused(str(resource), place=self.transport.place, cause=cause, cure=cure)

    # Asking

    def _read(self, thing: str, path: str, deadline: Deadline) -> Answer:
        """A good answer, or 404."""
        for attempt in range(ATTEMPTS):
            last = attempt == ATTEMPTS - 1
            try:
                answer = self._ask(Request("GET", path, None), deadline)
            except RequestFailed as error:
                # Who refuses has said his word; a connection that was kept may have ended.
                if last or not error.sent or not self._pause(deadline, attempt, None):
                    raise broken_off(self.transport, thing, error) from error
                continue
            if answer.status in {200, 404}:
                return answer
            again = transient(answer) and not last
            if not again or not self._pause(deadline, attempt, answer.retry_after):
                raise explain(self.transport, thing, answer)
        raise AssertionError("the last attempt returns or raises")

    def _ask(self, wanted: Request, deadline: Deadline) -> Answer:
        """One answer; with fresh credentials if the server does not accept those we had."""
        answer = self.transport.send(wanted, deadline)
        if answer.status == 401:
            self.transport.renew()
            answer = self.transport.send(wanted, deadline)
        return answer

    def _pause(self, deadline: Deadline, attempt: int, wanted: float | None) -> bool:
        """Waits as long as the server wants, or a little; false when there is no time for it."""
        seconds = _PAUSE_SECONDS * 2**attempt if wanted is None else wanted
        if seconds >= deadline.left:
            return False
        time.sleep(seconds)
        return True


def _difference(path: Path, seen: Tree, now: Tree) -> tuple[Path, Tree, Tree]:
    """The first key in which two maps differ, rather than both of them."""
    while isinstance(seen, Mapping) and isinstance(now, Mapping):
        key = min(key for key in {*seen, *now} if seen.get(key) != now.get(key))
        path, seen, now = (*path, key), seen.get(key), now.get(key)
    return path, seen, now
