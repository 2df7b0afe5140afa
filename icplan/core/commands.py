"""Command lines that a person pastes into a shell, as texts. Runs none."""

from __future__ import annotations

import re
import shlex

_HOME = re.compile(r"(~[A-Za-z0-9._-]*)(/.*)?", re.DOTALL)


def kubectl(context: str | None, kubeconfig: str | None) -> str:
    """The words that make kubectl look at one cluster, quoted for a shell.

    Args:
        context: of the kubeconfig; None: its current one.
        kubeconfig: the file; None: the one that kubectl takes by itself.
    """
    file = f" --kubeconfig {path(kubeconfig)}" if kubeconfig is not None else ""
    named = f" --context {shlex.quote(context)}" if context is not None else ""
    return f"kubectl{file}{named}"


def path(text: str) -> str:
    """A path quoted for a shell, which replaces a leading `~` only where it is not quoted."""
    home = _HOME.fullmatch(text)
    if home is None:
        return shlex.quote(text)
    rest = home[2] or ""
    return home[1] + (f"/{shlex.quote(rest[1:])}" if rest[1:] else rest)


def shown(command: str) -> str:
    """A command in a sentence; whoever wraps the sentence leaves what is between these whole."""
    return f"`{command}`"
