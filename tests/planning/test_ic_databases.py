"""What is planned for the hosts of the IC databases, in states that are rarely met."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import orjson
import pytest

from icplan.core import snapshot as snapshots
from icplan.core.change import Action
from icplan.core.engines import (
    AskMember,
    Container,
    HostState,
    Member,
    MemberState,
    RemoveContainer,
    RunContainer,
)
from icplan.core.io import Database, Snapshot, Tables, Unreadable
from icplan.kinds import kind_of
from icplan.kinds.common.deployment import (
    DATABASES,
    FILES,
    Recipe,
    environment,
    kept_in,
    meant,
    recipe,
)
from icplan.planning.plan import Plan, make_plan
from icplan.render.paint import Paint
from icplan.render.reports import verify_document, verify_text
from icplan.run.verify import verify
from icplan.spec.load import Spec, read
from tests.test_cases import FOLDER

H1, H2, H3 = "192.168.65.3", "192.168.65.4", "192.168.65.5"
SILENT = MemberState(silence="tcp:x cannot be connected: connection refused")
AWAY = Unreadable("nobody answers", "look there")


def seen(case: str) -> Snapshot:
    return snapshots.decode((FOLDER / case / "snapshot.json").read_bytes())


def spec(case: str) -> Spec:
    return read((FOLDER / case / "interconnect.yaml").read_bytes(), "interconnect.yaml")


def with_hosts(found: Snapshot, states: Mapping[str, HostState | Unreadable]) -> Snapshot:
    """The snapshot with other states of some hosts; what does not run does not answer."""
    hosts = {query: states.get(query.engine.host, one) for query, one in found.hosts.items()}
    members = dict(found.members)
    for host, one in states.items():
        if isinstance(one, HostState) and not (one.container and one.container.running):
            members |= {AskMember(Member(name, host)): SILENT for name in DATABASES}
    return replace(found, hosts=hosts, members=members)


def silent(found: Snapshot) -> Snapshot:
    """The snapshot when the IC databases cannot be read."""
    lost = {Database("ic", name): AWAY for name in DATABASES}
    return replace(found, databases={**found.databases, **lost})


def host_state(found: Snapshot, host: str) -> HostState:
    one = next(one for query, one in found.hosts.items() if query.engine.host == host)
    assert isinstance(one, HostState)
    return one


def container(found: Snapshot, host: str) -> Container:
    one = host_state(found, host).container
    assert one is not None
    return one


def actions(made: Plan) -> dict[str, Action]:
    return {str(one.address): one.action for one in made.changes}


NOTHING = HostState(None)
RAFT = "ic_database/raft-as-declared"


def begun() -> Snapshot:
    """Only the first member was started."""
    found = seen(RAFT)
    first = replace(container(found, H1), members=dict.fromkeys(DATABASES, (H1,)))
    return with_hosts(found, {H1: HostState(first, FILES), H2: NOTHING, H3: NOTHING})


def test_a_cluster_that_was_begun_is_completed() -> None:
    made = make_plan(spec(RAFT), begun())
    assert not made.refused, made.verdicts
    assert actions(made) == {f"ic/database/{H2}": Action.CREATE, f"ic/database/{H3}": Action.CREATE}
    for change in made.changes:
        (step,) = kind_of("database").steps(change, made.view)
        assert isinstance(step.operation, RunContainer)
        # The first one in the list begins a cluster of its own, or joins itself.
        listed = dict(step.operation.environment)["NODE_IPS"].split(",")
        assert listed[-1] == change.address.name
        assert {*listed} == {H1, H2, H3}
        assert len(step.awaits) == 2


def test_the_first_member_of_a_cluster_that_was_begun_is_started_alone() -> None:
    found = begun()
    ended = HostState(replace(container(found, H1), state="exited (0)"), FILES)
    made = make_plan(spec(RAFT), silent(with_hosts(found, {H1: ended})))
    assert actions(made) == {f"ic/database/{H1}": Action.UPDATE}
    assert not made.unseen
    assert {one.code for one in made.verdicts if one.code == "IC090"} == {"IC090"}


def test_members_that_lost_everything_are_not_started_while_nobody_can_tell() -> None:
    found = with_hosts(seen(RAFT), {H2: NOTHING, H3: NOTHING})
    alone = {
        query: replace(state, leader=False, connected=False)
        for query, state in found.members.items()
    }
    made = make_plan(spec(RAFT), silent(replace(found, members=alone)))
    assert actions(made) == {}
    assert {*made.unseen} == {Database("ic", name) for name in DATABASES}
    assert all("quorum lost: 1 of 3 members answers" in one.cause for one in made.unseen.values())


def test_a_host_that_lost_its_data_is_not_let_in_again() -> None:
    made = make_plan(spec(RAFT), with_hosts(seen(RAFT), {H1: NOTHING}))
    assert {one.code for one in made.verdicts if one.refuses} == {"IC093"}


def test_an_engine_that_cannot_be_asked_is_not_changed() -> None:
    made = make_plan(spec(RAFT), with_hosts(seen(RAFT), {H2: AWAY}))
    assert actions(made) == {}
    assert [str(one) for one in made.unseen] == [f"docker of {H2} (ssh://root@{H2})"]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_what_is_stopped_while_the_databases_cannot_be_read(count: int) -> None:
    found = seen(RAFT)
    stopped = {
        host: HostState(replace(container(found, host), state="exited (137)"), FILES)
        for host in (H3, H2, H1)[:count]
    }
    made = make_plan(spec(RAFT), silent(with_hosts(found, stopped)))
    if count == 1:
        # The other two are a majority: it is not known why nobody answers.
        assert actions(made) == {}
        assert made.unseen
        return
    assert actions(made) == {f"ic/database/{host}": Action.UPDATE for host in stopped}
    assert not made.unseen
    # They need each other.
    for change in made.changes:
        assert [one.awaits for one in kind_of("database").steps(change, made.view)] == [()]
    assert all(one.needs <= {c.address for c in made.changes} for one in made.waves[-1].awaits)


def test_a_member_that_is_away_can_be_spared() -> None:
    found = seen("ic_database/raft-member-away")
    report = verify(make_plan(spec("ic_database/raft-member-away"), found))
    assert not report.missing
    assert not report.drift
    assert f"both IC databases answer on {H3}" in {check.claim for check, _ in report.degraded}


def test_nothing_can_be_spared_when_nothing_is_served() -> None:
    found = seen(RAFT)
    away = dict.fromkeys(found.members, SILENT)
    unseen = dict.fromkeys(found.hosts, AWAY)
    found = replace(silent(found), members=away, hosts=unseen)
    report = verify(make_plan(spec(RAFT), found))
    assert not report.degraded
    claims = {check.claim for check, _ in report.missing}
    assert {f"both IC databases answer on {host}" for host in (H1, H2, H3)} <= claims
    text = verify_text(report, Paint(False))
    assert "served" not in text
    assert "quorum lost: 0 of 3 members answer, 2 are needed" in text
    assert b'"degraded"' not in orjson.dumps(verify_document(report)["checks"])


def test_another_image_is_drift_all_the_same() -> None:
    found = seen("ic_database/raft-member-away")
    other = replace(container(found, H3), image="kubeovn/kube-ovn:v1.13.0")
    found = with_hosts(found, {H3: HostState(other, FILES)})
    report = verify(make_plan(spec("ic_database/raft-member-away"), found))
    assert [str(one.address) for one in report.drift] == [f"ic/database/{H3}"]


# Whether nobody runs them at all

FIRST = "ic_database/first-plan"
IN_A_CLUSTER = "ic_server/first-plan"
LATE = Unreadable("tcp:x did not accept a connection within 5 s", "look there")


def answered(found: Snapshot, why: Unreadable) -> Snapshot:
    """The snapshot when dialling the IC databases ends like this."""
    lost = {Database("ic", name): why for name in DATABASES}
    return replace(found, databases={**found.databases, **lost})


@pytest.mark.parametrize(
    ("listening", "refused", "absent"),
    [((), False, True), ((), True, True), (None, True, True), (None, False, False)],
)
def test_nobody_is_absent_who_was_only_not_heard(
    listening: tuple[int, ...] | None, refused: bool, absent: bool
) -> None:
    found = with_hosts(seen(FIRST), {H1: HostState(None, listening=listening)})
    made = make_plan(spec(FIRST), answered(found, replace(LATE, refused=refused)))
    assert made.view.facts.ic_absent is absent
    assert bool(made.unseen) is not absent
    assert (actions(made).get(f"ic/database/{H1}") is Action.CREATE) is absent
    if not absent:
        (cause,) = {one.cause for one in made.unseen.values()}
        assert "not known whether somebody else does" in cause
        assert LATE.cause in cause


def test_a_cluster_that_runs_none_is_no_proof() -> None:
    made = make_plan(spec(IN_A_CLUSTER), seen(IN_A_CLUSTER))
    assert actions(made)["ic/deployment"] is Action.CREATE
    made = make_plan(spec(IN_A_CLUSTER), answered(seen(IN_A_CLUSTER), LATE))
    assert "ic/deployment" not in actions(made)
    assert {one.cause for one in made.unseen.values()} == {
        "az1 does not run them, and without an answer it is not known whether somebody else does; "
        f"{LATE.cause}"
    }


@pytest.mark.parametrize(
    "taken", [HostState(None, listening=(6645,)), HostState(None, elsewhere="a container runs")]
)
@pytest.mark.parametrize("files", [(), FILES])
def test_what_somebody_else_runs_is_neither_absent_nor_stopped(
    taken: HostState, files: tuple[str, ...]
) -> None:
    found = with_hosts(seen(FIRST), {H1: replace(taken, files=files)})
    made = make_plan(spec(FIRST), answered(found, LATE))
    assert not made.view.facts.ic_absent
    assert not made.view.facts.ic_stopped
    assert f"ic/database/{H1}" not in actions(made)
    assert {one.code for one in made.verdicts if one.refuses} == {"IC058"}


@pytest.mark.parametrize("case", ["ic_database/as-declared", RAFT])
def test_new_databases_for_interconnected_zones_are_announced(case: str) -> None:
    hosts = dict.fromkeys((H1, H2, H3), NOTHING)
    made = make_plan(spec(case), silent(with_hosts(seen(case), hosts)))
    assert made.view.facts.ic_absent
    codes = {one.code: one for one in made.verdicts}
    assert "az1 holds 2 learned routes; az2 holds 2 learned routes" in codes["IC081"].message
    assert {*made.consequences.disrupted} == {"az1", "az2"}
    # Two zones at once are more than the file allows by itself.
    assert made.refused


def test_new_databases_for_zones_that_never_were_are_not() -> None:
    made = make_plan(spec(FIRST), seen(FIRST))
    assert not made.refused
    assert "IC081" not in {one.code for one in made.verdicts}


def test_a_plan_that_only_starts_them_says_so() -> None:
    found = seen("rules/IC090-stopped")
    made = make_plan(spec("rules/IC090-stopped"), found)
    assert made.only_starts
    (verdict,) = (one for one in made.verdicts if one.code == "IC090")
    assert "`icplan apply` starts them" in verdict.cure
    made = make_plan(destroyed("rules/IC090-stopped"), found)
    assert made.only_starts
    (verdict,) = (one for one in made.verdicts if one.code == "IC090")
    assert "`icplan destroy` starts them" in verdict.cure


def test_of_several_it_is_said_which_run() -> None:
    (verdict,) = (
        one
        for one in make_plan(
            spec("ic_database/raft-quorum-lost"), seen("ic_database/raft-quorum-lost")
        ).verdicts
        if one.code == "IC090"
    )
    assert verdict.message.startswith(f"of the IC databases only {H1} runs, and 2 of 3 are needed")


PLACES = [
    ({"/etc/ovn": "/etc/ovn"}, "/etc/ovn"),
    ({"/etc/ovn/": "/etc/ovn/"}, "/etc/ovn"),
    ({"/etc": "/srv/etc"}, "/srv/etc/ovn"),
    ({"/": "/"}, "/etc/ovn"),
    ({"/etc": "/etc", "/etc/ovn": "/etc/origin/ovn"}, "/etc/origin/ovn"),
    ({"/etc/ovn-kubernetes": "/etc/ovn"}, ""),
    ({}, ""),
]


@pytest.mark.parametrize(("mounts", "folder"), PLACES)
def test_where_a_container_keeps_its_databases(mounts: dict[str, str], folder: str) -> None:
    assert kept_in(Container("id", "image", "running", mounts=mounts)) == folder


def codes(made: Plan) -> set[str]:
    return {one.code for one in made.verdicts if one.refuses}


def test_a_server_whose_databases_are_nowhere_to_be_found_is_not_replaced() -> None:
    case = "ic_database/other-image"
    running = HostState(container(seen(case), H1), ())
    assert codes(make_plan(spec(case), with_hosts(seen(case), {H1: running}))) == {"IC082"}
    ended = HostState(replace(container(seen(case), H1), state="exited (1)"), ())
    made = make_plan(spec(case), silent(with_hosts(seen(case), {H1: ended})))
    assert codes(made) == set()


def test_files_of_somebody_else_are_not_removed_with_a_container() -> None:
    case = "ic_database/as-declared"
    elsewhere = {"/etc/ovn": "/etc/origin/ovn"}
    other = replace(container(seen(case), H1), mounts=elsewhere)
    made = make_plan(destroyed(case), with_hosts(seen(case), {H1: HostState(other, FILES)}))
    assert codes(made) == {"IC082"}
    made = make_plan(destroyed(case), with_hosts(seen(case), {H1: HostState(other)}))
    assert codes(made) == set()


# Everything is to be taken away


def destroyed(case: str) -> Spec:
    return replace(spec(case), destroyed=True)


def removals(made: Plan) -> dict[str, tuple[str, ...]]:
    found = {}
    for change in made.changes:
        if change.address.kind == "database":
            (step,) = kind_of("database").steps(change, made.view)
            assert isinstance(step.operation, RemoveContainer)
            found[change.address.name] = step.operation.files
    return found


@pytest.mark.parametrize(
    ("case", "hosts"), [("ic_database/as-declared", (H1,)), (RAFT, (H1, H2, H3))]
)
def test_containers_go_last_with_their_files(case: str, hosts: tuple[str, ...]) -> None:
    made = make_plan(destroyed(case), seen(case))
    assert removals(made) == dict.fromkeys(hosts, FILES)
    assert made.waves[-1].title == "the IC databases"
    assert {one.address.name for one in made.waves[-1].changes} == {*hosts}
    before = made.waves[-1].changes[0].before
    assert before is not None
    assert "files" in before


def test_databases_that_others_use_stay() -> None:
    case = "ic_database/as-declared"
    text = (FOLDER / case / "interconnect.yaml").read_text()
    only_az1 = read(text.partition("  - name: az2")[0].encode(), "interconnect.yaml")
    found = seen(case)
    asked = {one: tables for one, tables in found.databases.items() if one.site != "az2"}
    made = make_plan(replace(only_az1, destroyed=True), replace(found, databases=asked))
    assert removals(made) == {}


def test_a_removal_that_was_interrupted_goes_on() -> None:
    found = zones_out(silent(with_hosts(seen(RAFT), {H2: NOTHING, H3: NOTHING})))
    made = make_plan(destroyed(RAFT), found)
    assert removals(made) == {H1: FILES}
    assert not made.unseen
    assert not made.only_starts
    (verdict,) = (one for one in made.verdicts if one.code == "IC090")
    assert "what is left of them goes" in verdict.message


@pytest.mark.parametrize("lost", [H1, H2])
def test_a_member_that_is_lost_out_of_turn_was_not_removed(lost: str) -> None:
    """A zone that the file does not name may still need the others."""
    ended = HostState(replace(container(seen(RAFT), H3), state="exited (137)"), FILES)
    found = zones_out(silent(with_hosts(seen(RAFT), {lost: NOTHING, H3: ended})))
    made = make_plan(destroyed(RAFT), found)
    assert Action.DELETE not in actions(made).values()
    assert made.only_starts


def test_of_two_members_that_are_away_the_one_with_files_is_started_first() -> None:
    ended = HostState(replace(container(seen(RAFT), H3), state="exited (137)"), FILES)
    found = silent(with_hosts(seen(RAFT), {H2: NOTHING, H3: ended}))
    made = make_plan(spec(RAFT), found)
    assert actions(made) == {f"ic/database/{H3}": Action.UPDATE}
    assert not made.refused


def zones_out(found: Snapshot) -> Snapshot:
    """The same, after every zone has given its name back."""

    def nameless(tables: Tables | Unreadable) -> Tables | Unreadable:
        if isinstance(tables, Unreadable) or "NB_Global" not in tables:
            return tables
        return {**tables, "NB_Global": tuple({**row, "name": ""} for row in tables["NB_Global"])}

    databases = {one: nameless(tables) for one, tables in found.databases.items()}
    return replace(found, databases=databases)


def test_once_all_is_gone_there_is_nothing_to_do() -> None:
    gone = dict.fromkeys((H1, H2, H3), NOTHING)
    made = make_plan(destroyed(RAFT), silent(with_hosts(seen(RAFT), gone)))
    assert removals(made) == {}


# What the image is told

RECIPES = {
    "kubeovn/kube-ovn:v1.7.1": Recipe.OLD,
    "kubeovn/kube-ovn:v1.11.15": Recipe.OLD,
    "kubeovn/kube-ovn:v1.11.16": Recipe.TODAY,
    "registry:5000/kube-ovn:1.12.0": Recipe.TODAY,
    "kubeovn/kube-ovn:v1.13.0-arm64": Recipe.TODAY,
    "kubeovn/kube-ovn:v1.14.0@sha256:" + 64 * "0": Recipe.TODAY,
    "kubeovn/kube-ovn:latest": Recipe.UNKNOWN,
    "registry:5000/kube-ovn": Recipe.UNKNOWN,
    "kubeovn/kube-ovn": Recipe.UNKNOWN,
}


@pytest.mark.parametrize("image", RECIPES)
def test_the_tag_tells_what_an_image_understands(image: str) -> None:
    assert recipe(image) is RECIPES[image]


SAME: list[tuple[str, dict[str, str]]] = [
    ("kubeovn/kube-ovn:v1.7.1", {}),
    ("kubeovn/kube-ovn:v1.7.1", {"TS_CIDR": "169.254.100.0/24", "TS_NAME": "ts"}),
    ("kubeovn/kube-ovn:v1.7.1", {"ENABLE_SSL": "true"}),
    ("kubeovn/kube-ovn:v1.14.0", {"ENABLE_OVN_LEADER_CHECK": "false"}),
    (
        "kubeovn/kube-ovn:v1.14.0",
        {"ENABLE_OVN_LEADER_CHECK": "false", "PROTOCOL": "ipv4", "TS_CIDR": "169.254.100.0/24"},
    ),
]


@pytest.mark.parametrize(("image", "typed"), SAME)
def test_the_same_said_in_other_words_is_no_difference(image: str, typed: dict[str, str]) -> None:
    one = spec("ic_database/as-declared")
    assert meant(one, image, typed) == environment(one, image, H1)
