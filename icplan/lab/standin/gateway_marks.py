"""What kube-ovn-cni does on each node: a Node's gateway label becomes its chassis' mark.

In a real cluster the way is label, `ovn-is-interconn` of Open vSwitch, ovn-controller,
`other_config:is-interconn` of the Chassis row, ovn-ic, Gateway row of IC SB. Here the two in the
middle are left out, as no host has an Open vSwitch of its own.
"""

from __future__ import annotations

import logging

from icplan.errors import IcplanError
from icplan.lab.standin.sides import KubernetesSide, OvnSide
from icplan.lab.standin.values import GATEWAY_LABEL

_log = logging.getLogger(__name__)


class GatewayMarks:
    """Keeps the marks of the chassis as the labels of the Nodes; a missing label is "false"."""

    def __init__(self, kubernetes: KubernetesSide, ovn: OvnSide) -> None:
        self._kubernetes = kubernetes
        self._ovn = ovn

    def sync(self) -> bool:
        """Write every mark that is not as its Node's label.

        Returns:
            Whether nothing failed.
        """
        try:
            for name, node in sorted(self._kubernetes.read().nodes.items()):
                self._ovn.mark_interconn(name, marked=node.labels.get(GATEWAY_LABEL) == "true")
        except IcplanError as error:
            _log.warning("marking the gateways failed: %s", error)
            return False
        return True
