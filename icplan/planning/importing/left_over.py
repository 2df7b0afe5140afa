"""What the plan of an imported file would still change: nothing of it may go unsaid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from icplan.core.change import Action, Change
from icplan.core.io import site_of, source_title
from icplan.core.value import Known, Value
from icplan.kinds.common.controller import DENYLIST_KIND
from icplan.kinds.common.waivers import STALE_DENIAL
from icplan.kinds.subnet_advertisement import OWNER_SHOWN
from icplan.planning.importing.asked import ALL, Unsaid, Waiver
from icplan.planning.plan import Plan
from icplan.planning.unsupported import require_supported
from icplan.spec.diagnostic import FileError, quoted
from icplan.spec.load import Spec

_STALE_CURE = (
    "take the waiver out of the file to have it forgotten: the zone is switched off and on then"
)


def marks_only(change: Change) -> bool:
    """Whether a change does nothing but set our mark, or take it off."""
    if change.action is Action.ADOPT:
        return not change.differing
    return change.action is Action.UPDATE and {*change.differing} <= {OWNER_SHOWN}


def left_over(plan: Plan, unsaid: Sequence[Unsaid]) -> tuple[list[Unsaid], list[Waiver]]:
    """What is still to be said of a plan, and what would keep things as they are.

    Args:
        plan: the one that follows from the file as it stands.
        unsaid: what is told already.
    """
    told = {one for each in unsaid for one in each.covers}
    found: list[Unsaid] = []
    waivers: list[Waiver] = []
    for change in plan.changes:
        if marks_only(change) or (str(change.address), ALL) in told:
            continue
        if change.address.kind == DENYLIST_KIND:
            one, waiver = _stale(change)
            found.append(one)
            waivers.append(waiver)
        elif (more := _of_change(change, told)) is not None:
            found.append(more)
    return [*found, *_unclear(plan)], waivers


def _stale(change: Change) -> tuple[Unsaid, Waiver]:
    zone = change.address.site
    listed = ", ".join(_shown(one) for one in (change.before or {}).values())
    return Unsaid(
        zone,
        "NB_Global, options:ic-route-blacklist",
        f"{listed} stays denied although nothing withholds it any more; accepted ({STALE_DENIAL}), "
        "so that it stays as it is",
        _STALE_CURE,
        covers=((str(change.address), ALL),),
    ), Waiver(STALE_DENIAL, zone, f"imported with {listed} denied")


def _of_change(change: Change, told: set[tuple[str, str]]) -> Unsaid | None:
    address = str(change.address)
    if change.action in {Action.CREATE, Action.DELETE}:
        created = change.action is Action.CREATE
        what = (
            "it is not there, and the file declares it"
            if created
            else "it bears this file's mark, and the file has no place for it"
        )
        names = [ALL]
    else:
        names = [one for one in change.differing if (address, one) not in told]
        what = "; ".join(_difference(change, name) for name in names)
    if not names:
        return None
    return Unsaid(
        change.address.site,
        address,
        what,
        "see in `icplan plan` what this would do, before you apply the file",
        covers=tuple((address, one) for one in names),
    )


def _difference(change: Change, name: str) -> str:
    before, after = change.before or {}, change.after or {}
    there = _shown(before[name]) if name in before else "not there"
    return f"{name} is now {there}, and with the file {_shown(after[name])}"


def _shown(value: Value) -> str:
    if not isinstance(value, Known):
        return value.reference
    match value.value:
        case str(text):
            return quoted(text)
        case bool(flag):
            return "true" if flag else "false"
        case listed:
            return ", ".join(listed) or "none"


def _unclear(plan: Plan) -> Iterator[Unsaid]:
    """What the plan has nothing to say of: such as a zone with two ports on one switch."""
    for address, why in plan.unclear.items():
        yield Unsaid(address.site, str(address), why.cause, why.cure)
    for source, why in plan.not_permitted.items():
        what = f"we may not look at it, so nothing of it is imported: {why.cause}"
        yield Unsaid(site_of(source), source_title(source), what, why.cure)


def unsupported(spec: Spec) -> Iterator[Unsaid]:
    """What the file says and this version cannot plan yet."""
    try:
        require_supported(spec)
    except FileError as error:
        for message in dict.fromkeys(one.message for one in error.diagnostics):
            yield Unsaid(
                "ic",
                "this version of icplan",
                f"{message}: `icplan plan` refuses the file",
                "keep the file, and use a later version; or take that out of it",
            )
