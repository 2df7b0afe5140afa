"""A lock as a Lease in a cluster: made to take it, deleted to give it back."""

from __future__ import annotations

from datetime import UTC, datetime

from icplan.backends.failures import WriteRefused
from icplan.backends.kubernetes.failures import WriteUnknown
from icplan.backends.kubernetes.objects import Objects
from icplan.core.kubernetes import (
    Body,
    CreateObject,
    DeleteObject,
    Expected,
    FieldChange,
    GetObject,
    ObjectWrite,
    PatchFields,
    at,
    text_at,
    texts_at,
)
from icplan.ovn.cluster import LOCK_BEAT, LOCK_VALUE, lock_resource
from icplan.run.lock.holder import Holder
from icplan.run.lock.place import Sign

_ANNOTATIONS = ("metadata", "annotations")
_VALUE = (*_ANNOTATIONS, LOCK_VALUE)
_BEAT = (*_ANNOTATIONS, LOCK_BEAT)
_RENEWED = ("spec", "renewTime")


class LeasePlace:
    """The Lease of one zone's cluster; its annotations say what a row's external_ids say."""

    def __init__(self, zone: str, objects: Objects) -> None:
        self._zone = zone
        self._objects = objects
        self._resource = lock_resource(zone)
        self._seen: Body | None = None

    @property
    def title(self) -> str:
        """For messages."""
        return f"lock of the cluster of {self._zone} ({self._resource})"

    def look(self) -> Sign:
        """What the Lease says."""
        self._seen = self._objects.get(GetObject(self._resource))
        if self._seen is None:
            return Sign(None, None)
        marks = texts_at(self._seen, *_ANNOTATIONS)
        holder = text_at(self._seen, "spec", "holderIdentity") or "nobody"
        return Sign(marks.get(LOCK_VALUE, holder), marks.get(LOCK_BEAT, ""))

    def take(self, mine: Holder, seen: Sign) -> bool:
        """Makes the Lease; that of a dead holder, which was just seen, is deleted before."""
        found = self._seen
        if seen.value is not None and found is not None:
            expected = (
                Expected(_VALUE, at(found, _VALUE)),
                Expected(_BEAT, at(found, _BEAT)),
            )
            gone = DeleteObject(self._resource, text_at(found, "metadata", "uid"), expected)
            if not self._try(gone):
                return False
        body: Body = {
            "metadata": {"annotations": {LOCK_VALUE: mine.value, LOCK_BEAT: "0"}},
            "spec": {
                "holderIdentity": mine.holder,
                "leaseDurationSeconds": int(mine.ttl),
                "acquireTime": _now(),
                "renewTime": _now(),
            },
        }
        return self._try(CreateObject(self._resource, body))

    def beat(self, value: str, number: int) -> None:
        """Counts on, and renews the Lease for whoever looks at it with kubectl."""
        found = self._objects.get(GetObject(self._resource)) or {}
        changes = (
            FieldChange(_VALUE, value, value),
            FieldChange(_BEAT, at(found, _BEAT), str(number)),
            FieldChange(_RENEWED, at(found, _RENEWED), _now()),
        )
        uid = text_at(found, "metadata", "uid")
        self._objects.write(PatchFields(self._resource, uid, changes))

    def remove(self, value: str) -> bool:
        """Deletes the Lease; false when it is somebody else's, or gone."""
        if self.look().value != value or self._seen is None:
            return False
        uid = text_at(self._seen, "metadata", "uid")
        return self._try(DeleteObject(self._resource, uid, (Expected(_VALUE, value),)))

    def again(self) -> LeasePlace:
        """The same Lease: threads may share the client."""
        return LeasePlace(self._zone, self._objects)

    def close(self) -> None:
        """Nothing was opened."""

    def _try(self, write: ObjectWrite) -> bool:
        """Whether it was certainly done; when not, the caller looks again."""
        try:
            self._objects.write(write)
        except (WriteRefused, WriteUnknown):
            return False
        return True


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
