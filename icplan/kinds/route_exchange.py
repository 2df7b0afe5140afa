"""What a plain OVN zone advertises, learns and withholds: options of its NB_Global row."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.address import Address
from icplan.core.change import Action, Change, Effect, Impact
from icplan.core.io import (
    NORTHBOUND,
    Database,
    Field,
    Operation,
    Precondition,
    Query,
    SetKeys,
    Transaction,
    equals,
)
from icplan.core.state import Absent, Declared, DeclaredAbsent, Desired, Observed, Present
from icplan.core.value import Attributes, Plain, known, plain
from icplan.core.words import FEW, listed
from icplan.kinds.common import zones
from icplan.kinds.common.contract import UNDECIDED, Check, Kind, View, one_step
from icplan.kinds.common.evidence import in_ic, in_zone, ovn_ic_cure, verdict
from icplan.kinds.common.residue import learned_address
from icplan.ovn.facts import Facts
from icplan.ovn.northbound import ADVERTISE, BLACKLIST, LEARN, Northbound
from icplan.ovn.prefix import inside, normal, ordered
from icplan.ovn.routes import candidates
from icplan.ovn.subnets import resolve
from icplan.spec.load import Spec

NAME = "route-exchange"
MARK = "icplan-routes"
"""A mark of its own: the same row also bears the mark of the zone's name."""
WITHHELD = "icplan-withheld"
"""Which entries of the denylist are ours; all others are somebody else's and stay."""


NOTHING = known(advertise=False, learn=False, withhold=())
"""Of a zone whose routes are manual."""


def address(zone: str) -> Address:
    """The address of a zone's route exchange."""
    return Address(zone, NAME)


def queries(_spec: Spec, _facts: Facts | None) -> tuple[Query, ...]:
    """None of its own: the zones' global rows are read for their names already."""
    return ()


def desired(view: View) -> dict[Address, Desired]:
    """A present zone advertises and learns, but for what it withholds.

    One whose routes are manual exchanges none, and nobody's options are needed for that.
    """
    wanted: dict[Address, Desired] = {}
    for zone in zones.seen_plain(view):
        origin = zone.declared.origin(view.spec)
        if not zone.declared.present:
            wanted[address(zone.name)] = DeclaredAbsent(origin)
        elif not zone.declared.automatic(view.spec):
            if not isinstance(_seen(zone.northbound, ()), Absent):
                origin = zone.declared.origin(view.spec, "routePolicy")
                wanted[address(zone.name)] = Declared(NOTHING, origin)
        elif (attributes := _attributes(zone)) is not None:
            if zone.declared.zone.withhold:
                origin = zone.declared.origin(view.spec, "withhold")
            wanted[address(zone.name)] = Declared(attributes, origin)
        elif zone.northbound.external_ids.get(MARK) == view.owner:
            wanted[address(zone.name)] = Declared(UNDECIDED, origin)
    return wanted


def _attributes(zone: zones.SeenZone) -> Attributes | None:
    """What a present zone should exchange; None when the file cannot be followed."""
    if zone.router is None:
        return None
    prefixes, unknown = resolve(zone.northbound, zone.router, zone.declared.zone.withhold)
    return None if unknown else known(advertise=True, learn=True, withhold=prefixes)


def observed(view: View) -> dict[Address, Observed]:
    """What the options say; of the denylist only the entries that are ours or declared."""
    states: dict[Address, Observed] = {}
    wanted = desired(view)
    for zone in zones.plain(view.spec):
        unseen = view.facts.zone_unseen(zone.name)
        if unseen is not None:
            states[address(zone.name)] = unseen
            continue
        state = wanted.get(address(zone.name))
        declared: Plain = ()
        if isinstance(state, Declared) and state.attributes:
            declared = plain(state.attributes, "withhold")
        entries = declared if isinstance(declared, tuple) else ()
        states[address(zone.name)] = _seen(view.facts.northbound[zone.name], entries)
    return states


def _seen(seen: Northbound, declared: tuple[str, ...]) -> Present | Absent:
    """What a zone's options say; of its denylist the entries that are ours, or declared."""
    mark = seen.external_ids.get(MARK)
    advertise, learn = (seen.options.get(one) == "true" for one in (ADVERTISE, LEARN))
    if mark is None and not advertise and not learn:
        return Absent()
    ours = {*declared, *(normal(one) for one in _recorded(seen))}
    withhold = ordered(one for one in map(normal, seen.denylist.effective) if one in ours)
    return Present(known(advertise=advertise, learn=learn, withhold=withhold), mark)


def _recorded(seen: Northbound) -> tuple[str, ...]:
    return tuple(one for one in seen.external_ids.get(WITHHELD, "").split(",") if one)


def effects(change: Change, view: View) -> Iterator[Effect]:
    """Routes that appear or disappear in the other zones, and in this one."""
    zone = change.address.site
    if change.action is Action.DELETE:
        yield Effect(
            zone,
            Impact.OUTAGE,
            f"{zone} is cut off from all other zones: its routes leave them within about 1 s",
            leaves=True,
        )
        return
    before = change.before or {}
    if change.after == NOTHING:
        if "advertise" in change.differing or "learn" in change.differing:
            yield _ends(zone)
        return
    exchanging = all(
        before.get(name) == one for name, one in known(advertise=True, learn=True).items()
    )
    if not exchanging:
        withheld = _tuple(change, before=False)
        but = f", but for {listed(withheld, FEW)} in either direction" if withheld else ""
        sentence = f"{zone} and the other zones learn each other's subnets{but}"
        yield Effect(zone, Impact.NONE, sentence)
        return
    seen = zones.find(view, zone)
    ours_before = _tuple(change, before=True)
    ours_after = _tuple(change, before=False)
    denylist = seen.northbound.denylist
    foreign = tuple(one for one in denylist.effective if normal(one) not in ours_before)
    offered = (
        [one.prefix for one in candidates(seen.northbound, seen.router)] if seen.router else []
    )
    now = {one for one in offered if not denylist.denies(one)}
    planned = denylist.having((*foreign, *ours_after))
    then = {one for one in offered if not planned.denies(one)}
    if lost := ordered(now - then):
        yield Effect(
            zone,
            Impact.OUTAGE,
            f"the other zones lose {listed(lost, FEW)} of {zone}, within about 1 s; {zone} "
            "does not learn it from them either",
            lost,
        )
    if gained := ordered(then - now):
        sentence = f"the other zones learn {listed(gained, FEW)} of {zone}"
        yield Effect(zone, Impact.NONE, sentence, gained, offers=gained)
    if added := ordered(set(ours_after) - set(ours_before)):
        unlearned = ordered(
            route.prefix
            for route in (seen.northbound.routes_of(seen.router) if seen.router else ())
            if route.learned and any(inside(route.prefix, entry) for entry in added)
        )
        if unlearned:
            yield Effect(
                zone,
                Impact.OUTAGE,
                f"{zone} loses {listed(unlearned, FEW)} of the other zones: a denylist works in "
                "both directions",
                unlearned,
            )


def _ends(zone: str) -> Effect:
    sentence = f"{zone} exchanges no routes any more: the other zones lose its subnets within 1 s"
    sentence += ", and it loses theirs"
    return Effect(zone, Impact.OUTAGE, sentence, by_file=True)


def _tuple(change: Change, *, before: bool) -> tuple[str, ...]:
    attributes = change.before if before else change.after
    value = plain(attributes, "withhold") if attributes else ()
    return value if isinstance(value, tuple) else ()


def operation(change: Change, view: View) -> Operation:
    """The write of the options; denylist entries of others are kept, empty ones are not."""
    zone = change.address.site
    seen = view.facts.northbound[zone]
    where = (equals("_uuid", seen.global_uuid),)
    options = (ADVERTISE, LEARN, BLACKLIST)
    marks = (MARK, WITHHELD)
    precondition = Precondition(
        f"NB_Global of {zone}",
        "NB_Global",
        where,
        (
            *((Field("options", key), seen.options.get(key)) for key in options),
            *((Field("external_ids", key), seen.external_ids.get(key)) for key in marks),
        ),
    )
    ours = _tuple(change, before=False)
    known_as_ours = {*(normal(one) for one in _recorded(seen)), *ours}
    others = [one for one in seen.denylist.entries if one and normal(one) not in known_as_ours]
    blacklist = ",".join([*others, *ours])
    given_back = change.after is None or change.after == NOTHING
    exchanging = None if given_back else "true"
    return Transaction(
        Database(zone, NORTHBOUND),
        (precondition,),
        (
            SetKeys(
                "NB_Global",
                where,
                "options",
                {ADVERTISE: exchanging, LEARN: exchanging, BLACKLIST: blacklist or None},
            ),
            SetKeys(
                "NB_Global",
                where,
                "external_ids",
                {
                    MARK: None if given_back else view.owner,
                    WITHHELD: ",".join(ours) or None,
                },
            ),
        ),
    )


def checks(view: View) -> Iterator[Check]:
    """A zone's routes are gone when it leaves, and what it withholds is nowhere."""
    for zone in zones.seen_plain(view):
        if not zone.declared.present or not zone.declared.automatic(view.spec):
            yield _withdrawn(zone.name)
            yield _unlearned(zone.name, zone.declared.router)
        elif zone.router is not None:
            prefixes, _ = resolve(zone.northbound, zone.router, zone.declared.zone.withhold)
            if prefixes:
                yield _hidden(zone.name, prefixes)


def _withdrawn(zone: str) -> Check:
    return Check(
        address(zone),
        f"no route of {zone} is advertised any more",
        frozenset({address(zone)}),
        in_ic(
            lambda ic: verdict(
                not any(route.zone == zone for route in ic.routes),
                f"routes of {zone} are still in the IC southbound database",
                ovn_ic_cure(zone),
            )
        ),
    )


def _unlearned(zone: str, router: str) -> Check:
    return Check(
        address(zone),
        f"{zone} holds no learned route any more",
        # What its ovn-ic does not take away any more is a change of its own.
        frozenset({address(zone), learned_address(zone)}),
        in_zone(
            zone,
            lambda seen: verdict(
                not any(
                    route.learned
                    for one in seen.routers_named(router)
                    for route in seen.routes_of(one)
                ),
                f"router {router} of {zone} still holds learned routes",
                ovn_ic_cure(zone),
            ),
        ),
    )


def _hidden(zone: str, prefixes: tuple[str, ...]) -> Check:
    return Check(
        address(zone),
        f"{listed(prefixes, FEW)} of {zone} is not advertised",
        frozenset({address(zone)}),
        in_ic(
            lambda ic: verdict(
                not any(
                    route.zone == zone and inside(route.prefix, one)
                    for route in ic.routes
                    for one in prefixes
                ),
                f"{zone} advertises what it should withhold",
                ovn_ic_cure(zone),
            )
        ),
    )


KIND = Kind(NAME, False, queries, desired, observed, effects, one_step(operation), checks)
