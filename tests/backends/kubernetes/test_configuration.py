"""Kubeconfig files as kubectl has them: lists, relative files, plugins, and all that is wrong."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from icplan.backends.deadline import Deadline
from icplan.backends.kubernetes.configuration import Access, Login, load
from icplan.backends.kubernetes.failures import AccessFailed
from icplan.spec.model import KubernetesAccess
from tests.backends.kubernetes.hostile import kubeconfig

SERVER = "https://10.0.0.1:6443"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def loaded(file: Path | None = None, context: str | None = "az1", seconds: float = 10.0) -> Login:
    return load(Access("az1", context, file), Deadline.after(seconds))


def failing(
    file: Path | None = None, context: str | None = "az1", seconds: float = 10.0
) -> AccessFailed:
    with pytest.raises(AccessFailed) as caught:
        loaded(file, context, seconds)
    assert caught.value.thing == "Kubernetes access of az1"
    assert "\n" not in str(caught.value)
    return caught.value


def plugin(directory: Path, script: str, **more: object) -> Path:
    program = directory / "login"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    section = {"apiVersion": "client.authentication.k8s.io/v1", "command": "./login", **more}
    return kubeconfig(directory / "config", SERVER, {"exec": section})


def test_a_token(tmp_path: Path) -> None:
    login = loaded(kubeconfig(tmp_path / "config", SERVER, {"token": "t"}))
    assert login == Login(SERVER, authorization="Bearer t")


def test_the_usual_file_and_the_current_context(tmp_path: Path) -> None:
    (tmp_path / ".kube").mkdir()
    kubeconfig(tmp_path / ".kube" / "config", SERVER, {"token": "home"})
    assert loaded(context=None).authorization == "Bearer home"


def test_a_list_of_files_is_merged_as_kubectl_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = kubeconfig(tmp_path / "a", SERVER, {"token": "first"})
    second = kubeconfig(tmp_path / "b", "https://10.0.0.2:6443", {"token": "second"})
    data = json.loads(second.read_text())
    data["contexts"] += [{"name": "az2", "context": {"cluster": "c", "user": "v"}}]
    data["users"] += [{"name": "v", "user": {"token": "other"}}]
    second.write_text(json.dumps({**data, "current-context": "az2"}))
    (tmp_path / "empty").touch()
    files = [tmp_path / "missing", tmp_path / "empty", Path("~/a"), second]
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(map(str, files)))
    assert first.exists()
    assert loaded(context=None) == Login(SERVER, authorization="Bearer first")
    assert loaded(context="az2") == Login(SERVER, authorization="Bearer other")


def test_files_count_from_their_kubeconfig(tmp_path: Path) -> None:
    folder = tmp_path / "sub"
    folder.mkdir()
    for name in ("ca.pem", "me.pem", "me.key", "token"):
        (folder / name).write_text(name)
    user = {"client-certificate": "me.pem", "client-key": "me.key", "tokenFile": "token"}
    file = kubeconfig(folder / "config", SERVER, user, **{"certificate-authority": "ca.pem"})
    login = loaded(file)
    assert login.ca == str(folder / "ca.pem")
    assert (login.certificate, login.key) == (str(folder / "me.pem"), str(folder / "me.key"))
    assert login.authorization == "Bearer token"


def test_a_path_counts_from_the_file_that_declares_it(tmp_path: Path) -> None:
    declared = KubernetesAccess(context="az1", kubeconfig="sub/config")
    assert Access.declared("az1", declared, tmp_path).kubeconfig == tmp_path / "sub" / "config"
    declared = KubernetesAccess(kubeconfig="~/config")
    assert Access.declared("az1", declared, Path("/x")).kubeconfig == tmp_path / "config"


def test_proxies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://env:3128")
    file = kubeconfig(tmp_path / "config", SERVER, {})
    assert loaded(file).proxy == "http://env:3128"
    monkeypatch.setenv("NO_PROXY", "10.0.0.0/8")
    assert loaded(file).proxy is None
    own = kubeconfig(tmp_path / "own", SERVER, {}, **{"proxy-url": "http://own:3128"})
    assert loaded(own).proxy == "http://own:3128"
    monkeypatch.delenv("NO_PROXY")
    assert loaded(kubeconfig(tmp_path / "lo", "https://127.0.0.1:1", {})).proxy is None


def test_a_plugin_gives_a_token(tmp_path: Path) -> None:
    answer = '{"apiVersion": "v1", "kind": "ExecCredential", "status": {"token": "\'$WHO$1\'"}}'
    env = [{"name": "WHO", "value": "me"}]
    file = plugin(tmp_path, f"echo '{answer}'", args=["too"], env=env)
    assert loaded(file).authorization == "Bearer metoo"


def test_a_plugin_gives_a_certificate(tmp_path: Path) -> None:
    status = {"status": {"clientCertificateData": "PEM", "clientKeyData": "KEY"}}
    login = loaded(plugin(tmp_path, f"echo '{json.dumps(status)}'"))
    assert login.certificate
    assert Path(login.certificate).read_text() == "PEM"


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        ("echo no session >&2; exit 3", "failed: no session"),
        ("exit 3", "failed: exit code 3"),
        ("echo hello", "gave no credentials"),
        ("echo '{}'", "gave no credentials"),
        ("sleep 60 & wait", "gave nothing for 1 s"),
    ],
)
def test_a_plugin_that(script: str, cause: str, tmp_path: Path) -> None:
    start = time.monotonic()
    error = failing(plugin(tmp_path, script), seconds=1.0)
    assert time.monotonic() - start < 15
    assert error.cause == f"its exec plugin {tmp_path}/login {cause}"
    assert error.place == f"{tmp_path}/config, user u"


def test_a_plugin_that_is_not_there(tmp_path: Path) -> None:
    section = {"command": "no-such-login", "installHint": "apt install\nlogin"}
    error = failing(kubeconfig(tmp_path / "config", SERVER, {"exec": section}))
    assert error.cause == "its exec plugin no-such-login is not there"
    assert error.cure == "apt install login"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    error = failing(tmp_path / "none")
    assert error.cause == "there is no such kubeconfig file"
    assert error.place == str(tmp_path / "none")
    assert failing().place == str(tmp_path / ".kube" / "config")


def test_a_context_that_is_not_there(tmp_path: Path) -> None:
    file = kubeconfig(tmp_path / "config", SERVER, {})
    assert failing(file, "az9").cause == "there is no context az9 (there are: az1)"


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("{", "it cannot be read: "),
        ("[1]", "it is no kubeconfig"),
        ("{}", "there is no context az1 (there are: none)"),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, text: str, cause: str) -> None:
    (tmp_path / "config").write_text(text)
    assert failing(tmp_path / "config").cause.startswith(cause)


def test_a_user_or_a_certificate_that_is_not_there(tmp_path: Path) -> None:
    file = kubeconfig(tmp_path / "config", SERVER, {"client-certificate": "gone.pem"})
    assert failing(file).cause == f"File does not exist: {tmp_path}/gone.pem"
    data = json.loads(file.read_text())
    file.write_text(json.dumps({**data, "users": []}))
    assert failing(file).cause == "there is no user u (there are: none)"


def test_a_pod_without_its_service_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    assert failing(context=None).cause == "Service token file does not exist."
