"""Commands as a shell understands them."""

from __future__ import annotations

import os
import subprocess

import pytest

from icplan.core import commands


def words(command: str) -> list[str]:
    """What a shell makes of a command."""
    done = subprocess.run(
        ["sh", "-c", f"printf '%s\\0' {command}"],
        env={"PATH": os.defpath, "HOME": "/home/ada"},
        capture_output=True,
        check=True,
    )
    return done.stdout.decode().split("\0")[:-1]


@pytest.mark.parametrize(
    "context", ["az1", "admin@az1", "it's", "a b", "$(reboot)", "`reboot`", "arn:aws:eks/az1", "ä"]
)
def test_a_context_stays_one_word(context: str) -> None:
    assert words(commands.kubectl(context, None)) == ["kubectl", "--context", context]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("/etc/kube.yaml", "/etc/kube.yaml"),
        ("~/.kube/config", "/home/ada/.kube/config"),
        ("~/my files/$x", "/home/ada/my files/$x"),
        ("~", "/home/ada"),
        ("~/", "/home/ada/"),
        ("a b/kube.yaml", "a b/kube.yaml"),
        ("./~/kube", "./~/kube"),
        ("~;reboot", "~;reboot"),
    ],
)
def test_a_path_is_what_the_file_means(written: str, meant: str) -> None:
    assert words(commands.path(written)) == [meant]
    assert words(commands.kubectl("az1", written)) == [
        *("kubectl", "--kubeconfig", meant),
        *("--context", "az1"),
    ]


def test_without_a_context_the_file_says_enough() -> None:
    assert commands.kubectl(None, "/etc/kube") == "kubectl --kubeconfig /etc/kube"
