"""The processor time of one call; never the time that passed, which depends on the machine."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable


def seconds(work: Callable[[], object]) -> float:
    """Seconds that this process computed for one call.

    Without the collector of cycles: how long a collection takes depends on everything that the
    process holds, which in a test run is the work of all tests before.
    """
    collects = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        start = time.process_time()
        work()
        return time.process_time() - start
    finally:
        if collects:
            gc.enable()
