"""An apply's progress: a line that renews itself on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from icplan.core.change import Action, Change
from icplan.core.io import Unreadable
from icplan.kinds.common.contract import Check, Missing
from icplan.planning.waves import Wave
from icplan.render.paint import Paint, cut, escape

_VERBS = {
    Action.CREATE: "creating",
    Action.UPDATE: "changing",
    Action.ADOPT: "adopting",
    Action.DELETE: "deleting",
}
_REPEAT_SECONDS = 10.0


class TextProgress:
    """Tells every step in words.

    Args:
        write: takes text as it is to be shown.
        paint: the colours.
        terminal: whether a line may renew itself.
        columns: how wide the terminal is now.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        paint: Paint,
        *,
        terminal: bool,
        columns: Callable[[], int] = lambda: 80,
    ) -> None:
        self._write = write
        self._paint = paint
        self._terminal = terminal
        self._columns = columns
        self._open_line = False
        self._last = ""
        self._last_seconds = 0.0
        self.wrote = False
        """Whether any write was sent."""

    def wave(self, wave: Wave, total: int) -> None:
        """A wave begins."""
        self._line(self._paint.strong(f"wave {wave.number} of {total}: {escape(wave.title)}"))
        self._last = ""

    def writing(self, change: Change) -> None:
        """A write is about to be sent."""
        self.wrote = True
        if self._terminal:
            self._renew(f"  {_VERBS[change.action]} {escape(str(change.address))} ...")

    def written(self, change: Change) -> None:
        """The database has taken it."""
        verb = _VERBS[change.action]
        self._line(f"  {verb} {escape(str(change.address))}: {self._paint.good('done')}")

    def waiting(
        self, pending: Sequence[tuple[Check, Missing | Unreadable]], seconds: float
    ) -> None:
        """Evidence is still missing after so many seconds."""
        people = [one for one in pending if one[0].operator]
        check, verdict = (people or list(pending))[0]
        why = verdict.why if isinstance(verdict, Missing) else verdict.cause
        who = "waiting for you" if check.operator else "still waiting"
        more = f", and for {len(pending) - 1} more" if len(pending) > 1 else ""
        cure = f"; {escape(verdict.cure)}" if check.operator else ""
        text = f"  {who}: {escape(why)}{cure}{more}"
        if self._terminal:
            self._renew(f"{text} ({seconds:.0f} s)")
        elif text != self._last or seconds - self._last_seconds >= _REPEAT_SECONDS:
            self._line(f"{text} ({seconds:.0f} s)")
            self._last, self._last_seconds = text, seconds

    def seen(self, checks: int, *, beforehand: bool = False) -> None:
        """All evidence of a wave has been seen, or all that had to be there before it."""
        pieces = "1 piece" if checks == 1 else f"{checks} pieces"
        self._line(f"  {pieces} of evidence seen{' beforehand' if beforehand else ''}")

    def note(self, text: str) -> None:
        """Something else worth knowing."""
        self._line(f"  {escape(text)}")

    def close(self) -> None:
        """Nothing follows: ends the line that may still be open."""
        if self._open_line:
            self._write("\n")
        self._open_line = False

    def _line(self, text: str) -> None:
        self._write(("\r\x1b[K" if self._open_line else "") + text + "\n")
        self._open_line = False

    def _renew(self, text: str) -> None:
        # A line that wraps cannot be renewed; its colours would be cut with it.
        self._write("\r\x1b[K" + cut(text, self._columns() - 1))
        self._open_line = True
