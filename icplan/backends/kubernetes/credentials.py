"""Credentials that a program gives (a kubeconfig's `exec`): run it, and read what it says."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress

from icplan.backends.deadline import Deadline
from icplan.backends.kubernetes.failures import AccessFailed

_LONGEST = 300
"""How much of a program's complaint is shown."""


def run(
    thing: str,
    place: str,
    plugin: Mapping[str, object],
    cluster: Mapping[str, object],
    deadline: Deadline,
) -> dict[str, object]:
    """A user's section of a kubeconfig, with what the program gave.

    Not by the library: it waits for ever, logs what goes wrong, and goes on as nobody
    (kubernetes/config/kube_config.py, _load_from_exec_plugin).

    Raises:
        AccessFailed: it is missing, fails, takes too long or says something else.
    """
    command = str(plugin.get("command"))
    try:
        output = _output(command, plugin, cluster, deadline)
        return _user(json.loads(output))
    except FileNotFoundError as error:
        hint = str(plugin.get("installHint") or "install it, or correct the kubeconfig")
        cause = f"its exec plugin {command} is not there"
        raise AccessFailed(thing, place=place, cause=cause, cure=" ".join(hint.split())) from error
    except subprocess.TimeoutExpired as error:
        cause = f"its exec plugin {command} gave nothing for {deadline.seconds:.3g} s"
        raise _failed(thing, place, cause) from error
    except _Complaint as error:
        raise _failed(thing, place, f"its exec plugin {command} failed: {error}") from error
    except OSError as error:
        cause = f"its exec plugin {command} cannot be run: {(error.strerror or str(error)).lower()}"
        raise _failed(thing, place, cause) from error
    except ValueError as error:
        raise _failed(thing, place, f"its exec plugin {command} gave no credentials") from error


class _Complaint(Exception):
    """What a program that failed has said."""


def _output(
    command: str, plugin: Mapping[str, object], cluster: Mapping[str, object], deadline: Deadline
) -> bytes:
    spec: dict[str, object] = {"interactive": False}
    if plugin.get("provideClusterInfo"):
        spec["cluster"] = dict(cluster)
    asked = {"apiVersion": plugin.get("apiVersion"), "kind": "ExecCredential", "spec": spec}
    environment = {**os.environ, **_pairs(plugin), "KUBERNETES_EXEC_INFO": json.dumps(asked)}
    arguments = plugin.get("args")
    listed = [str(one) for one in arguments] if isinstance(arguments, list) else []
    process = subprocess.Popen(
        [command, *listed],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A session of its own, to be ended with all that it started.
        start_new_session=True,
    )
    with process:
        try:
            output, errors = process.communicate(timeout=max(deadline.left, 0.001))
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
    if process.returncode:
        words = " ".join(errors.decode(errors="replace").split())
        raise _Complaint(words[-_LONGEST:] or f"exit code {process.returncode}")
    return output


def _pairs(plugin: Mapping[str, object]) -> dict[str, str]:
    listed = plugin.get("env")
    entries = listed if isinstance(listed, list) else []
    return {str(one["name"]): str(one["value"]) for one in entries}


def _user(answer: object) -> dict[str, object]:
    status = answer.get("status") if isinstance(answer, dict) else None
    if not isinstance(status, dict):
        raise ValueError("no status")
    user: dict[str, object] = {}
    if token := status.get("token"):
        user["token"] = str(token)
    pem, key = status.get("clientCertificateData"), status.get("clientKeyData")
    if pem and key:
        user["client-certificate-data"] = base64.b64encode(str(pem).encode()).decode()
        user["client-key-data"] = base64.b64encode(str(key).encode()).decode()
    if not user:
        raise ValueError("neither token nor certificate")
    return user


def _failed(thing: str, place: str, cause: str) -> AccessFailed:
    cure = "log in as its maker says, until kubectl works with this context"
    return AccessFailed(thing, place=place, cause=cause, cure=cure)
