"""A stand-in for Kube-OVN's interconnection controller, in both its generations, traps included.

It does what the real one was seen to do, after the same ConfigMap, Nodes and Subnets, with the
same effect on real OVN databases and a real ovn-ic. It is not the real one, and says so.
"""

from icplan.lab.standin.controller import Controller, Pace
from icplan.lab.standin.gateway_marks import GatewayMarks
from icplan.lab.standin.generation import GENERATIONS, NEW, OLD, Generation
from icplan.lab.standin.kubernetes_memory import MemoryCluster
from icplan.lab.standin.kubernetes_rest import RestCluster
from icplan.lab.standin.ovn_databases import OvnDatabases
from icplan.lab.standin.sides import KubernetesSide, OvnSide
from icplan.lab.standin.switch_keeper import SwitchKeeper
from icplan.lab.standin.values import NodeView, ZoneInputs

__all__ = [
    "GENERATIONS",
    "NEW",
    "OLD",
    "Controller",
    "GatewayMarks",
    "Generation",
    "KubernetesSide",
    "MemoryCluster",
    "NodeView",
    "OvnDatabases",
    "OvnSide",
    "Pace",
    "RestCluster",
    "SwitchKeeper",
    "ZoneInputs",
]
