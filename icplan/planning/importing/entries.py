"""What entries of clusters and of plain zones have in common. Looks at no facts."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ValidationError

from icplan.planning.importing.asked import AskedZone
from icplan.spec.diagnostic import FileError
from icplan.spec.model import KubeOvnAccess
from icplan.spec.source import Plain, parse
from icplan.spec.writing import Page, text


def access_data(zone: AskedZone) -> dict[str, Plain]:
    """The keys that say how a zone is reached."""
    access = zone.access
    if isinstance(access, KubeOvnAccess):
        how = access.kubernetes.model_dump(by_alias=True, exclude_none=True)
        return {"kubernetes": how}
    data: dict[str, Plain] = {
        "northbound": [str(one) for one in access.northbound],
        "southbound": [str(one) for one in access.southbound],
    }
    if access.tls is not None:
        data["tls"] = access.tls.model_dump(by_alias=True)
    return data


def invalid(model: type[BaseModel], data: Mapping[str, Plain]) -> str:
    """Why the grammar does not take an entry; empty when it does."""
    try:
        model.model_validate(dict(data), by_alias=True, by_name=False)
    except ValidationError as error:
        found = error.errors(include_url=False)
        return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in found)
    try:
        parse(text(Page(data)).encode(), "the entry")
    except FileError as error:
        # A character that no such file may hold, not even as an escape.
        return error.cause
    return ""
