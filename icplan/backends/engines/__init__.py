"""The container engines of the IC databases' hosts, by their command lines. Decides nothing."""

from icplan.backends.engines.client import EngineClient
from icplan.backends.engines.failures import (
    EngineUnreadable,
    EngineWritePartly,
    EngineWriteUnknown,
)

__all__ = ["EngineClient", "EngineUnreadable", "EngineWritePartly", "EngineWriteUnknown"]
