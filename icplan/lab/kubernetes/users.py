"""The users of a cluster: their tokens and their kubeconfig files."""

from __future__ import annotations

import base64
import csv
import json
import secrets
from typing import TYPE_CHECKING, Any

from icplan.errors import IcplanError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

ADMIN = "admin"
# Who may do what beyond the admin is the tests' to say, by RBAC.
USERS: dict[str, tuple[str, ...]] = {
    ADMIN: ("system:masters",),
    "applier": (),
    "planner": (),
    "stranger": (),
}


def write_tokens(file: Path) -> None:
    """Draw a token for each user and write the file that the API server reads."""
    with file.open("w", newline="") as out:
        writer = csv.writer(out)
        for number, (name, groups) in enumerate(USERS.items(), start=1):
            writer.writerow([secrets.token_hex(16), name, number, ",".join(groups)])
    file.chmod(0o600)


def read_tokens(file: Path) -> dict[str, str]:
    """The tokens by user name."""
    with file.open(newline="") as rows:
        return {row[1]: row[0] for row in csv.reader(rows)}


def write_kubeconfig(
    file: Path, name: str, server: str, authority: Path, user: dict[str, str]
) -> None:
    """Write a kubeconfig with one context, as JSON, which is YAML.

    Args:
        file: where to.
        name: the name of the context and of its cluster.
        server: the API server's address.
        authority: the certificate that the server's is signed with.
        user: how the user shows who they are, in a kubeconfig's words.
    """
    cluster = {"server": server, "certificate-authority-data": encoded(authority)}
    _write(
        file,
        [{"name": name, "cluster": cluster}],
        [{"name": name, "user": user}],
        [{"name": name, "context": {"cluster": name, "user": name}}],
    )


def encoded(file: Path) -> str:
    """A file as kubeconfig files embed it."""
    return base64.b64encode(file.read_bytes()).decode()


def join_kubeconfigs(file: Path, parts: Iterable[Path]) -> None:
    """Write one kubeconfig with the contexts of several; the first is the current one."""
    data = [json.loads(part.read_text()) for part in parts]
    lists = (
        [one for each in data for one in each[key]] for key in ("clusters", "users", "contexts")
    )
    _write(file, *lists)


def _write(
    file: Path,
    clusters: list[dict[str, Any]],
    users: list[dict[str, Any]],
    contexts: list[dict[str, Any]],
) -> None:
    data = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": clusters,
        "users": users,
        "contexts": contexts,
        "current-context": contexts[0]["name"] if contexts else "",
    }
    file.touch(mode=0o600)
    file.write_text(json.dumps(data, indent=2) + "\n")


def check_user(name: str) -> None:
    """Refuse a user that no cluster of the lab has.

    Raises:
        IcplanError: it names those there are.
    """
    if name not in USERS:
        raise IcplanError(
            f"user {name} of the lab's clusters",
            cause="there is no such user",
            cure=f"name one of {', '.join(USERS)}",
        )
