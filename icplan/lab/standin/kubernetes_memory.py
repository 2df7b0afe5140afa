"""A Kubernetes cluster that is a few dicts in this process, for tests. No server, no watch."""

from __future__ import annotations

import copy
import threading
from collections.abc import Mapping
from typing import Any

from icplan.lab.standin.failures import RoundFailed
from icplan.lab.standin.values import GATEWAY_LABEL, NodeView, ZoneInputs


class MemoryCluster:
    """The objects of one zone; edited by the test, read and labelled by the controller.

    Attributes:
        config_map: the data of the ConfigMap; none when there is no ConfigMap.
        subnets: the specs of the Subnets by name.
        labels: the labels of the Nodes by name.
    """

    def __init__(self, nodes: Mapping[str, tuple[str, ...]]) -> None:
        """Make a cluster without ConfigMap and Subnets.

        Args:
            nodes: the InternalIPs of the Nodes by name.
        """
        self.config_map: dict[str, str] | None = None
        self.subnets: dict[str, dict[str, Any]] = {}
        self.labels: dict[str, dict[str, str]] = {name: {} for name in nodes}
        self._addresses = dict(nodes)
        self._lock = threading.Lock()

    def edit_config(self, **changes: str | None) -> None:
        """Set keys of the ConfigMap (underscores for hyphens), or remove those given as none."""
        with self._lock:
            data = dict(self.config_map or {})
            for name, value in changes.items():
                key = name.replace("_", "-")
                data.pop(key, None)
                if value is not None:
                    data[key] = value
            self.config_map = data

    def read(self) -> ZoneInputs:
        """The objects as they are now."""
        with self._lock:
            return ZoneInputs(
                copy.copy(self.config_map),
                {
                    name: NodeView(dict(labels), self._addresses[name])
                    for name, labels in self.labels.items()
                },
                copy.deepcopy(self.subnets),
            )

    def set_gateway_label(self, node: str, value: str) -> None:
        """Set the gateway label of a Node."""
        with self._lock:
            if node not in self.labels:
                raise RoundFailed(f"Node {node}", "there is no such Node")
            self.labels[node][GATEWAY_LABEL] = value
