"""What runs for as long as a `with` block lasts. Nothing is started here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType


class Startable(ABC):
    """Something with a start and an end; leaving the block ends it, whatever happened in it."""

    @abstractmethod
    def start(self) -> None:
        """Bring it up.

        Raises:
            IcplanError: something failed; what was started is ended again.
        """

    @abstractmethod
    def stop(self) -> None:
        """End it and leave nothing of it; may be called twice."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
