"""What the leader in Kube-OVN's Deployment ovn-ic-server does: as many transit switches as TS_NUM.

It counts all rows, but names only its own, ts, ts1, ts2, …: with a switch made by hand it makes
one too few, or fails for ever on one that is not there.
"""

from __future__ import annotations

import logging
from typing import Any

from icplan.errors import IcplanError
from icplan.lab.jsonrpc import OvsdbSession
from icplan.lab.standin.failures import RoundFailed
from icplan.lab.standin.kubernetes_rest import RestCluster
from icplan.lab.standin.ovsdb_values import map_of, select
from icplan.lab.standin.values import SWITCH_PREFIX, VENDOR

_log = logging.getLogger(__name__)
DEPLOYMENT = "ovn-ic-server"
_DATABASE = "OVN_IC_Northbound"


def switch_name(index: int) -> str:
    """The name of the index-th transit switch, from 0: ts, ts1, ts2."""
    return f"{SWITCH_PREFIX}{index or ''}"


def switch_subnet(index: int, protocol: str) -> str:
    """The subnet of the index-th transit switch; the protocol is ipv4, ipv6 or dual."""
    ipv4, ipv6 = f"169.254.{100 + index}.0/24", f"fe80:a9fe:{100 + index:02x}::/112"
    return {"ipv4": ipv4, "ipv6": ipv6, "dual": f"{ipv4},{ipv6}"}[protocol]


class SwitchKeeper:
    """Keeps the number of transit switches in one IC northbound database."""

    def __init__(self, address: str, protocol: str = "ipv4") -> None:
        """Connect to nothing yet.

        Args:
            address: where the IC northbound database is, as OVN writes it.
            protocol: ipv4, ipv6 or dual.
        """
        self._address = address
        self._protocol = protocol

    def keep(self, count: int) -> bool:
        """Make the missing switches, or delete the last ones.

        Returns:
            Whether nothing failed.
        """
        try:
            with OvsdbSession.at(self._address) as session:
                self._keep(session, count)
        except IcplanError as error:
            _log.warning("keeping %d transit switches failed: %s", count, error)
            return False
        return True

    def keep_as_deployed(self, cluster: RestCluster) -> bool:
        """Keep as many as the Deployment's TS_NUM says; without a Deployment, nobody keeps any.

        Returns:
            Whether nothing failed.
        """
        try:
            environment = cluster.deployment_environment(DEPLOYMENT)
            return environment is None or self.keep(int(environment.get("TS_NUM", "")))
        except (IcplanError, ValueError) as error:
            _log.warning("TS_NUM of Deployment %s failed: %s", DEPLOYMENT, error)
            return False

    def _keep(self, session: OvsdbSession, count: int) -> None:
        rows = session.transact(_DATABASE, [select("Transit_Switch", ("name",))])[0]["rows"]
        there = {row["name"] for row in rows}
        for index in reversed(range(len(rows), count)):
            if switch_name(index) not in there:
                session.transact(_DATABASE, [self._insert(index)])
        for index in reversed(range(count, len(rows))):
            name = switch_name(index)
            if name not in there:
                raise RoundFailed(f"transit switch {name}", "is not there and cannot be deleted")
            where = [["name", "==", name]]
            session.transact(
                _DATABASE, [{"op": "delete", "table": "Transit_Switch", "where": where}]
            )

    def _insert(self, index: int) -> dict[str, Any]:
        marks = {"subnet": switch_subnet(index, self._protocol)} | VENDOR
        row = {"name": switch_name(index), "external_ids": map_of(marks)}
        return {"op": "insert", "table": "Transit_Switch", "row": row}
