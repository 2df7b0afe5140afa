"""Pings between zones, many at once, and pods to send them from. Judges nothing itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from icplan.backends.databases import Databases
from icplan.backends.kubernetes.probe_pods import ProbePods, Wanted
from icplan.backends.probing.prober import CommandProber, ProbeFailed, Prober
from icplan.core import ping as pings
from icplan.core.io import Unreadable
from icplan.kinds.common import zones
from icplan.kinds.common.contract import Missing
from icplan.ovn.prefix import family
from icplan.planning import probes
from icplan.planning.path.ends import End
from icplan.planning.path.links import Direction, Way
from icplan.planning.plan import Plan
from icplan.planning.probes import Pinged
from icplan.run.stopping import never

MOST_AT_ONCE = 16
MOST_IN_A_ZONE = 4
"""Commands at a time in one zone: its API server and its one pod have other things to do."""
_POLL_SECONDS = 0.2
_SPARE_SECONDS = 10.0
"""What a command takes besides its own waiting, on a busy cluster."""

Key = TypeVar("Key")
Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user wants of the pings.

    Attributes:
        count: how many in each direction.
        pairs: how many pairs of zones at most.
        namespace: where pods are looked for and made.
        image: of pods that are made; None: Kube-OVN's own.
        wait: for how many seconds a pod may take to run.
        commands: places that the user has named, by zone.
    """

    count: int = 5
    pairs: int = 100
    namespace: str = "default"
    image: str | None = None
    wait: float = 60.0
    commands: Mapping[str, CommandProber] = field(default_factory=dict)


class Interrupted(KeyboardInterrupt):
    """Somebody stopped it; what was made is removed, but for what could not be.

    Attributes:
        left: the pods that are left, and why.
    """

    def __init__(self, left: tuple[str, ...]) -> None:
        super().__init__()
        self.left = left


@dataclass(frozen=True, slots=True)
class PingReport:
    """What was pinged, and what came of it.

    Attributes:
        pinged: by zone and peer.
        pairs: how many pairs of zones were tried.
        possible: how many there are.
        left: the pods that could not be removed again, and why.
    """

    pinged: tuple[Pinged, ...]
    pairs: int
    possible: int
    left: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[Pinged, ...]:
        """Where no answer came, or no large one."""
        return tuple(one for one in self.pinged if isinstance(one.verdict, Missing))

    @property
    def unseen(self) -> tuple[Pinged, ...]:
        """Where nobody could ping."""
        return tuple(one for one in self.pinged if isinstance(one.verdict, Unreadable))


def ping(
    plan: Plan,
    databases: Databases,
    wishes: Wishes,
    way: Way | None = None,
    safe_point: Callable[[], None] = never,
) -> PingReport:
    """Pings in both directions, between the ends of a way or between pairs of all zones.

    Pods that are made for it are removed before this returns, and before anything that
    `safe_point` raises gets out.

    Args:
        plan: the file, and what was seen.
        databases: the clusters' clients.
        wishes: what the user wants.
        way: the two subnets between which it is; None: between zones.
        safe_point: called again and again; may raise KeyboardInterrupt to stop it.

    Raises:
        Interrupted: it was stopped.
    """
    declared = {zone.name: zone for zone in zones.declared(plan.view.spec) if zone.present}
    if way is not None:
        ends = {one.source.zone.name: one.source for one in way.directions}
        found: tuple[tuple[str, str], ...] = (
            (way.there.source.zone.name, way.there.target.zone.name),
        )
    else:
        ends = {}
        found = probes.pairs(list(declared), wishes.pairs)
    names = sorted({name for pair in found for name in pair})
    run = _Run(plan, databases, wishes, safe_point)
    try:
        places = run.at_once(
            {name: partial(run.prepare, declared[name], ends.get(name)) for name in names}
        )
        directions = [one for pair in found for one in (pair, pair[::-1])]
        results = run.at_once(
            {
                (near, far): partial(run.exchange, places, declared, near, far)
                for near, far in directions
            }
        )
    except KeyboardInterrupt:
        raise Interrupted(run.close()) from None
    except BaseException:
        run.close()
        raise
    left = run.close()
    possible = 1 if way is not None else probes.all_pairs(len(declared))
    pinged = tuple(one for key in sorted(results) for one in results[key])
    return PingReport(pinged, len(found), possible, left)


class _Run:
    """One run of pings."""

    def __init__(
        self, plan: Plan, databases: Databases, wishes: Wishes, safe_point: Callable[[], None]
    ) -> None:
        self._plan = plan
        self._databases = databases
        self._wishes = wishes
        self._safe_point = safe_point
        self._cancelled = threading.Event()
        self._pods: list[ProbePods] = []
        self._turns: dict[str, threading.Semaphore] = {}
        self._flavors: dict[str, pings.Flavor] = {}
        self._lock = threading.Lock()

    def at_once(self, tasks: Mapping[Key, Callable[[], Done]]) -> dict[Key, Done]:
        """Does everything, so much at a time; whoever stops it gets all ends in his hands."""
        futures: dict[Future[Done], Key] = {}
        with ThreadPoolExecutor(max(1, min(MOST_AT_ONCE, len(tasks)))) as pool:
            try:
                futures = {pool.submit(task): key for key, task in tasks.items()}
                waiting: Iterable[Future[Done]] = futures
                while waiting:
                    self._safe_point()
                    waiting = wait(waiting, _POLL_SECONDS).not_done
            except BaseException:
                self._cancelled.set()
                for one in futures:
                    one.cancel()
                raise
        return {key: future.result() for future, key in futures.items()}

    def close(self) -> tuple[str, ...]:
        """Removes the pods; gives those that could not be removed."""
        if not self._pods:
            return ()
        with ThreadPoolExecutor(min(MOST_AT_ONCE, len(self._pods))) as pool:
            return tuple(
                sorted(one for left in pool.map(ProbePods.close, self._pods) for one in left)
            )

    # A place in a zone

    def prepare(self, zone: zones.DeclaredZone, end: End | None) -> Prober | Unreadable:
        """A place to ping from, and to be pinged."""
        with self._lock:
            self._turns[zone.name] = threading.Semaphore(MOST_IN_A_ZONE)
        if (named := self._wishes.commands.get(zone.name)) is not None:
            return named
        if not zone.kube_ovn:
            return probes.without_api(zone.name)
        where = probes.ground(self._plan.view, zone) if end is None else probes.ground_of(end)
        if isinstance(where, Unreadable):
            return where
        cluster = self._plan.view.facts.clusters.get(zone.name)
        image = self._wishes.image or (probes.image_of(cluster) if cluster else None)
        if image is None:
            return Unreadable(
                f"the image of Kube-OVN in {zone.name} is not known",
                "name one that has ping: --probe-image",
            )
        client = self._databases.clusters[zone.name]
        pods = ProbePods(client, self._wishes.namespace, image, self._wishes.wait)
        with self._lock:
            self._pods.append(pods)
        try:
            return pods.take(Wanted(where.subnet, where.blocks), self._cancelled.is_set)
        except ProbeFailed as error:
            return _unreadable(error)

    # One direction

    def exchange(
        self,
        places: Mapping[str, Prober | Unreadable],
        declared: Mapping[str, zones.DeclaredZone],
        near: str,
        far: str,
    ) -> tuple[Pinged, ...]:
        """What comes of pings from one zone to another: one result for each address family."""
        source, target = places[near], places[far]
        if isinstance(source, Unreadable):
            return (Pinged(near, far, "", "", source),)
        if isinstance(target, Unreadable):
            return (Pinged(near, far, source.place, "", target),)
        if not source.can_ping:
            why = probes.only_a_target(near, source.addresses[0])
            return (Pinged(near, far, source.place, target.addresses[0], why),)
        mine = {family(one) for one in source.addresses}
        common = [one for one in target.addresses if family(one) in mine]
        if not common:
            why = Unreadable(
                f"{source.place} and {target.place} have no address family in common",
                "name two subnets of one family: icplan verify FROM TO --ping",
            )
            return (Pinged(near, far, source.place, target.addresses[0], why),)
        return tuple(
            self._family(
                _end(declared[near], source, family(address)),
                _end(declared[far], target, family(address)),
                source,
                address,
            )
            for address in common
        )

    def _family(self, near: End, far: End, source: Prober, address: str) -> Pinged:
        one, other = near.zone.name, far.zone.name
        found = probes.leads(self._plan, {one: near, other: far}, one, other)
        if found.broken is not None and not probes.expected(self._plan, found):
            # The file wants no route there, and so nobody is to miss it.
            return Pinged(one, other, source.place, address, None, note=_why(found))
        back = probes.leads(self._plan, {one: near, other: far}, other, one)
        with self._turns[one]:
            try:
                return self._ping(Way(found, back), source, address)
            except ProbeFailed as error:
                return Pinged(one, other, source.place, address, _unreadable(error))

    def _ping(self, found: Way, source: Prober, address: str) -> Pinged:
        near, far = found.there.source.zone.name, found.there.target.zone.name
        which = self._flavor(source)
        echo, output = self._echo(which, source, address)
        if echo is not None and echo.lost:
            # The first one may be lost to the neighbour discovery of routers and tunnels.
            echo, output = self._echo(which, source, address)
        if echo is None:
            said = " ".join(output.split())[-200:] or "nothing"
            cause = f"ping in {source.place} ends without a result: {said}"
            why = Unreadable(cause, f"try it by hand there: ping -c 1 {address}")
            return Pinged(near, far, source.place, address, why)
        mtu, note = None, ""
        if echo.received:
            mtu, note = self._mtu(which, source, address)
        verdict = probes.judged(self._plan, found, echo, mtu)
        return Pinged(near, far, source.place, address, verdict, echo, mtu, note)

    def _flavor(self, source: Prober) -> pings.Flavor:
        with self._lock:
            known = self._flavors.get(source.place)
        if known is None:
            known = pings.flavor(self._run(source, pings.VERSION, 0.0))
            with self._lock:
                self._flavors[source.place] = known
        return known

    def _echo(
        self, which: pings.Flavor, source: Prober, address: str
    ) -> tuple[pings.Echo | None, str]:
        count = self._wishes.count
        output = self._run(source, pings.echo_command(which, address, count), count + 2.0)
        return pings.read_echo(output), output

    def _mtu(
        self, which: pings.Flavor, source: Prober, address: str
    ) -> tuple[pings.PathMtu | None, str]:
        if which is not pings.Flavor.IPUTILS:
            return None, f"MTU not probed: the ping of {source.place} cannot forbid fragmentation"
        version = family(address)

        def ask(size: int) -> pings.Sized:
            return pings.read_sized(
                self._run(source, pings.sized_command(address, version, size), 2.0)
            )

        own = self._run(source, ("cat", "/sys/class/net/eth0/mtu"), 0.0).strip()
        found = pings.measure(ask, version, int(own) if own.isdecimal() else None)
        if found is None:
            return None, f"MTU not probed: the MTU of {source.place} is not known"
        return found, ""

    def _run(self, source: Prober, command: Sequence[str], seconds: float) -> str:
        said = source.run(command, seconds + _SPARE_SECONDS, self._cancelled.is_set)
        return said.output


def _end(zone: zones.DeclaredZone, prober: Prober, version: int) -> End:
    """A place as the end of a way: a single address."""
    address = next(one for one in prober.addresses if family(one) == version)
    length = 128 if version == 6 else 32
    return End(zone, address, prober.subnet, (f"{address}/{length}",))


def _why(found: Direction) -> str:
    verdict = found.broken.verdict if found.broken is not None else None
    return verdict.why if isinstance(verdict, Missing) else ""


def _unreadable(error: ProbeFailed) -> Unreadable:
    place = f" ({error.place})" if error.place else ""
    return Unreadable(f"{error.thing}{place}: {error.cause}", error.cure)
