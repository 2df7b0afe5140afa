"""What a command prints with: stdout for what was asked for, stderr for the rest."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from dataclasses import dataclass, field
from typing import TextIO

import orjson

from icplan.errors import IcplanError
from icplan.render.encodable import encodable
from icplan.render.paint import Paint


@dataclass(slots=True)
class Console:
    """Two streams and their colours; colours only on terminals, unless asked for.

    Attributes:
        color: auto, always or never.
        printed: something was printed on stdout, or could not be.
    """

    color: str = "auto"
    printed: bool = field(default=False, init=False)

    @property
    def out(self) -> Paint:
        """For stdout."""
        return Paint(self._colored(sys.stdout.isatty()))

    @property
    def err(self) -> Paint:
        """For stderr."""
        return Paint(self._colored(sys.stderr.isatty()))

    @property
    def terminal(self) -> bool:
        """Whether stderr is a terminal on which a line may renew itself."""
        return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    @property
    def columns(self) -> int:
        """How wide stderr is."""
        try:
            # A terminal that does not know its size says 0.
            return os.get_terminal_size(sys.stderr.fileno()).columns or 80
        except OSError:
            return 80

    def print(self, text: str) -> None:
        """Prints what was asked for; a reader that has seen enough (`| head`) misses the rest.

        Raises:
            IcplanError: it cannot be printed, as on a full disk.
        """
        self.printed = True
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:
            _discard(sys.stdout)
        except OSError as error:
            _discard(sys.stdout)
            raise IcplanError(
                "output",
                cause=f"it cannot be written: {(error.strerror or str(error)).lower()}",
                cure="make room, or send it elsewhere",
            ) from error

    def print_json(self, document: object) -> None:
        """Prints a document."""
        options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        text = orjson.dumps(encodable(document), option=options).decode()
        try:
            text.encode(sys.stdout.encoding)
        except UnicodeEncodeError:
            # The escapes of JSON, not those of the stream.
            text = json.dumps(orjson.loads(text), indent=2) + "\n"
        self.print(text)

    def tell(self, text: str) -> None:
        """Prints everything else. An apply must not stop half way because nobody listens."""
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except OSError:
            _discard(sys.stderr)

    def _colored(self, terminal: bool) -> bool:
        if self.color != "auto":
            return self.color == "always"
        # https://no-color.org: any value but the empty one.
        return terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _discard(stream: TextIO) -> None:
    """Sends what else goes to a stream nowhere; else Python itself stumbles over it at its end."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
