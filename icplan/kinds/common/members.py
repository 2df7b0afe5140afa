"""Which servers of the IC databases belong together, by their own word. Asks nothing."""

from __future__ import annotations

from collections import Counter

from icplan.core.engines import STANDALONE
from icplan.core.io import TITLES
from icplan.ovn.facts import Facts


def strangers(facts: Facts, name: str) -> dict[str, str]:
    """The hosts whose server of a database is none of the cluster's, and why; by host.

    The cluster is that of most servers that answer; of as many, the first by its id.
    """
    states = {
        one.host: state
        for one, state in sorted(facts.members.items())
        if one.name == name and state.answers
    }
    if len({one.host for one in facts.members}) < 2:
        return {}
    known = Counter(state.cluster for state in states.values() if state.cluster)
    most = min(known, key=lambda one: (-known[one], one), default="")
    found: dict[str, str] = {}
    for host, state in states.items():
        if state.model == STANDALONE:
            found[host] = f"the {TITLES[name]} on {host} stands alone, it is no member of a cluster"
        elif state.cluster and state.cluster != most:
            found[host] = (
                f"the {TITLES[name]} on {host} is a member of another cluster "
                f"({state.cluster[:8]}, the others: {most[:8]})"
            )
    return found
