"""How a ConfigMap is written: POST, PUT of the whole data, or DELETE. Decides nothing else."""

from __future__ import annotations

from dataclasses import replace

from icplan.core.change import Action, Change
from icplan.core.kubernetes import ReplaceData
from icplan.kinds.common.contract import Check, Step, View
from icplan.kinds.common.controller import ENABLE, guard
from icplan.kinds.common.cures import carried, cured
from icplan.kinds.common.cycle import (
    OFF,
    ConfigWrites,
    exchanging_nothing,
    left_behind,
    switched_off,
    taken_down,
)
from icplan.kinds.common.gateways import replaced
from icplan.kinds.ic_config.checks import serving
from icplan.kinds.ic_config.effects import GATEWAYS, PLACE, enabled, nodes
from icplan.ovn.cluster import OWNER
from icplan.ovn.generation import Generation
from icplan.ovn.northbound import ADVERTISE


def steps(change: Change, view: View) -> tuple[Step, ...]:
    """The writes; each only while the controller runs."""
    zone = change.address.site
    writes = ConfigWrites.of(view, zone)
    if change.action is Action.DELETE:
        return _deleted(zone, writes, view)
    guards, settles = (guard(view.spec, zone),), _on_its_way(view, zone)
    if writes.zone.cluster.config is None:
        return (Step(writes.create(writes.wanted), guards, settles=settles),)
    if not enabled(change.before):
        return (Step(writes.first(writes.wanted), guards, settles=settles),)
    cures = carried(view, zone) and cured(view, zone)
    if PLACE & {*change.differing} or cures:
        # Told another place of the IC databases, a controller still looks at the old one, and can
        # come to a standstill for good (docs/facts.md section 3).
        before = dict(writes.zone.cluster.config.data) | {ENABLE: OFF}
        return (
            switched_off(view.spec, zone, writes.first(before)),
            Step(writes.next(before, writes.wanted), guards),
        )
    if _all_replaced(change, writes):
        return _one_after_the_other(change, view, writes)
    return (Step(writes.first(writes.wanted), guards),)


def _all_replaced(change: Change, writes: ConfigWrites) -> bool:
    """Whether no gateway stays, and the controller can change them in place.

    An older one rebuilds the zone at each change: two of them would be worse.
    """
    new = writes.zone.cluster.generation is Generation.NEW
    return (
        new
        and {*change.differing} == {GATEWAYS}
        and replaced(nodes(change.before), nodes(change.after))
    )


def _one_after_the_other(change: Change, view: View, writes: ConfigWrites) -> tuple[Step, ...]:
    """The new gateways in front of the old ones, which go once the new ones serve."""
    zone, before, after = change.address.site, nodes(change.before), nodes(change.after)
    both = dict(writes.wanted) | {GATEWAYS: ",".join((*after, *before))}
    guards = (guard(view.spec, zone),)
    return (
        Step(
            writes.first(both),
            guards,
            serving(view, zone, (*after, *before), after),
            leaves=f"{zone} has its old and its new gateways, until `icplan apply` goes on",
        ),
        Step(writes.next(both, writes.wanted), guards),
    )


def _on_its_way(view: View, zone: str) -> tuple[Check, ...]:
    """What a controller may just be doing about a zone that was switched off a moment ago.

    Switched on again meanwhile, its old ports would be taken for the new ones. One that was
    restarted since keeps them for good (docs/facts.md section 3), so this cannot be demanded.
    """
    return (taken_down(view.spec, zone),) if left_behind(view.facts, zone) else ()


def _deleted(zone: str, writes: ConfigWrites, view: View) -> tuple[Step, ...]:
    """Switched off first: a controller that is restarted meanwhile still knows what to do.

    Of a ConfigMap that is gone a restarted one knows nothing, and leaves everything behind
    (docs/facts.md section 3).
    """
    guards, config = (guard(view.spec, zone),), writes.zone.cluster.config
    if config is None:
        return (
            Step(writes.create(writes.awake), guards, (exchanging_nothing(view.spec, zone),)),
            _off_again(view, zone, writes.next(writes.awake, writes.off)),
            Step(writes.delete(writes.off, writes.owner), guards),
        )
    before, mark = dict(config.data), config.annotations.get(OWNER)
    if before.get(ENABLE) != OFF:
        off = before | {ENABLE: OFF}
        return (
            switched_off(view.spec, zone, writes.first(off)),
            Step(writes.delete(off, writes.owner), guards),
        )
    if not left_behind(view.facts, zone):
        return (Step(writes.delete(before, mark), guards),)
    # One that began without a ConfigMap believes that there is nothing to be switched off.
    awake = Step(
        writes.first(writes.awake),
        guards,
        (exchanging_nothing(view.spec, zone),),
        settles=(taken_down(view.spec, zone),),
        unless=(taken_down(view.spec, zone),),
        skips=1,
    )
    again = _off_again(view, zone, writes.next(writes.awake, before))
    return (awake, again, Step(writes.delete(before), guards))


def _off_again(view: View, zone: str, operation: ReplaceData) -> Step:
    """A zone that exchanged routes shows that its controller has seen that it should not.

    Of any other nothing shows it, and the controller is given time.
    """
    northbound = view.facts.northbound.get(zone)
    shows = northbound is not None and ADVERTISE in northbound.options
    return replace(
        switched_off(view.spec, zone, operation),
        settles=() if shows else (taken_down(view.spec, zone),),
    )
