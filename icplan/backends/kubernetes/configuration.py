"""Where a zone's API server is and who we are there, as kubectl finds out. Connects nowhere."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from icplan.backends.deadline import Deadline
from icplan.backends.kubernetes import credentials
from icplan.backends.kubernetes.failures import AccessFailed
from icplan.core import commands
from icplan.spec.model import KubernetesAccess

IN_CLUSTER = "in-cluster"
"""The name of the context when a pod's service account is all there is."""

_LISTS = {"clusters": "cluster", "users": "user", "contexts": "context"}
_FILE_KEYS = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")

# The library keeps the temporary files of embedded certificates in a table of its module.
_LIBRARY = threading.Lock()

Section = dict[str, object]


@dataclass(frozen=True, slots=True)
class Access:
    """How a zone's Kubernetes API is reached.

    Attributes:
        site: the zone's name.
        context: the kubeconfig's context; its current one when None.
        kubeconfig: the file, resolved; KUBECONFIG or ~/.kube/config when None.
    """

    site: str
    context: str | None = None
    kubeconfig: Path | None = None

    @classmethod
    def declared(cls, site: str, access: KubernetesAccess, directory: Path) -> Access:
        """What a file in that directory says."""
        file = access.kubeconfig
        return cls(site, access.context, directory / Path(file).expanduser() if file else None)

    @property
    def thing(self) -> str:
        """How it is called in messages."""
        return f"Kubernetes access of {self.site}"

    @property
    def kubectl(self) -> str:
        """The command with which a user looks at the same cluster."""
        return commands.kubectl(self.context, str(self.kubeconfig) if self.kubeconfig else None)


@dataclass(frozen=True, slots=True)
class Login:
    """An API server's address, and what we show there.

    Attributes:
        server: its URL.
        ca: the file of the authority of its certificate; the system's authorities when None.
        verify: whether its certificate is looked at.
        server_name: the name its certificate must bear, when it is not the address'.
        certificate: the file of our certificate.
        key: the file of its key.
        authorization: the value of the HTTP header.
        proxy: the URL of the proxy on the way.
    """

    server: str
    ca: str | None = None
    verify: bool = True
    server_name: str | None = None
    certificate: str | None = None
    key: str | None = None
    authorization: str | None = None
    proxy: str | None = None


def load(access: Access, deadline: Deadline) -> Login:
    """Finds out, anew each time: a plugin may give another token.

    Raises:
        AccessFailed: a file, a context or a plugin is missing or wrong.
    """
    files = [path for path in _paths(access) if path.exists()]
    if not files:
        return _without_files(access)
    merged = _merge(access, files)
    name = _context(access, files, merged)
    context = _named(access, files, merged, "contexts", name)
    cluster = _named(access, files, merged, "clusters", context.get("cluster"))
    user = _named(access, files, merged, "users", context["user"]) if context.get("user") else {}
    if isinstance(plugin := user.get("exec"), dict):
        place = f"{_joined(files)}, user {context['user']}"
        user = credentials.run(access.thing, place, plugin, cluster, deadline)
    return _resolve(access, files, cluster, user)


def context_of(access: Access) -> str | None:
    """The context that is meant: the one that is named, or the current one; None in a pod.

    Raises:
        AccessFailed: a file is missing or wrong, or there is no current context.
    """
    files = [path for path in _paths(access) if path.exists()]
    if access.context is not None or not files:
        return access.context
    return _context(access, files, _merge(access, files))


def _context(access: Access, files: Sequence[Path], merged: Section) -> str:
    name = access.context or merged["current-context"]
    if not isinstance(name, str) or not name:
        raise _wrong(access, files, "it has no current context", "name one: `context: `")
    return name


def _paths(access: Access) -> list[Path]:
    if access.kubeconfig is not None:
        return [access.kubeconfig]
    listed = [one for one in os.environ.get("KUBECONFIG", "").split(os.pathsep) if one]
    return [Path(one).expanduser() for one in listed] or [Path("~/.kube/config").expanduser()]


def _without_files(access: Access) -> Login:
    paths = _paths(access)
    # As kubectl does: a pod's service account stands in when there is no kubeconfig at all.
    alone = access.kubeconfig is None and access.context in {None, IN_CLUSTER}
    if not alone or not os.environ.get("KUBERNETES_SERVICE_HOST"):
        raise AccessFailed(
            access.thing,
            place=_joined(paths),
            cause="there is no such kubeconfig file",
            cure="name it (`kubeconfig: FILE`) or set KUBECONFIG",
        )
    from kubernetes.client import Configuration
    from kubernetes.config import ConfigException, load_incluster_config

    found = Configuration()
    try:
        load_incluster_config(found)  # type: ignore[no-untyped-call]
    except (ConfigException, OSError) as error:
        raise AccessFailed(
            access.thing,
            place="service account of this pod",
            cause=_words(error),
            cure="let the pod have a service account (automountServiceAccountToken)",
        ) from error
    return Login(
        str(found.host),
        ca=str(found.ssl_ca_cert),
        authorization=found.get_api_key_with_prefix("BearerToken"),
    )


def _merge(access: Access, files: Sequence[Path]) -> Section:
    """All files as one, of equal names the first, as kubectl merges them.

    The library's own merging takes the last current context, and fails at an empty file.
    """
    merged: Section = {key: [] for key in _LISTS} | {"current-context": None}
    for file in files:
        try:
            data = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, YAMLError) as error:
            cause = f"it cannot be read: {_words(error)}"
            raise _wrong(access, [file], cause, "repair it: `kubectl config view`") from error
        if data is None:
            continue
        if not isinstance(data, dict):
            raise _wrong(access, [file], "it is no kubeconfig", "name another file")
        merged["current-context"] = merged["current-context"] or data.get("current-context")
        for key, inner in _LISTS.items():
            known = merged[key]
            if isinstance(known, list):
                known += [
                    {**one, inner: _absolute(one.get(inner), file.parent)}
                    for one in data.get(key) or []
                    if isinstance(one, dict)
                    and one.get("name") not in {each["name"] for each in known}
                ]
    return merged


def _absolute(section: object, directory: Path) -> Section:
    """A section whose files count from its kubeconfig's directory, and so does a plugin's path."""
    found = dict(section) if isinstance(section, dict) else {}
    for key in _FILE_KEYS:
        if isinstance(path := found.get(key), str) and path:
            found[key] = str(directory.absolute() / path)
    plugin = found.get("exec")
    if isinstance(plugin, dict) and os.sep in (command := str(plugin.get("command"))):
        found["exec"] = {**plugin, "command": str(directory.absolute() / command)}
    return found


def _named(
    access: Access, files: Sequence[Path], merged: Section, key: str, name: object
) -> Section:
    listed = merged[key]
    entries = listed if isinstance(listed, list) else []
    for one in entries:
        if one.get("name") == name:
            found: Section = one[_LISTS[key]]
            return found
    there = ", ".join(sorted(str(one.get("name")) for one in entries)) or "none"
    cause = f"there is no {_LISTS[key]} {name} (there are: {there})"
    raise _wrong(access, files, cause, "name one of them, or another kubeconfig file")


def _resolve(access: Access, files: Sequence[Path], cluster: Section, user: Section) -> Login:
    """Lets the library read tokens, certificates and what else a user's section may hold."""
    from kubernetes.client import Configuration
    from kubernetes.config import ConfigException
    from kubernetes.config.kube_config import KubeConfigLoader

    if not cluster.get("server"):
        raise _wrong(access, files, "its cluster has no `server`", "repair it")
    name = access.site
    single = {
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    found = Configuration()
    try:
        with _LIBRARY:
            loader = KubeConfigLoader(config_dict=single)  # type: ignore[no-untyped-call]
            loader.load_and_set(found)  # type: ignore[no-untyped-call]
    # A broken section ends in whatever its wrong type leads to.
    except (ConfigException, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _wrong(access, files, _words(error), "repair it: `kubectl config view`") from error
    return Login(
        str(found.host),
        ca=found.ssl_ca_cert,
        verify=bool(found.verify_ssl),
        server_name=found.tls_server_name,
        certificate=found.cert_file,
        key=found.key_file,
        authorization=found.get_api_key_with_prefix("BearerToken"),
        proxy=_proxy(cluster, str(found.host), found.proxy, found.no_proxy),
    )


def _proxy(
    cluster: Mapping[str, object], server: str, proxy: str | None, none: str | None
) -> str | None:
    """The kubeconfig's proxy, or the environment's unless NO_PROXY or a loopback address."""
    from kubernetes.client.rest import should_bypass_proxies

    if cluster.get("proxy-url"):
        return str(cluster["proxy-url"])
    if urlsplit(server).hostname in _LOOPBACK or should_bypass_proxies(server, none or ""):
        return None
    return proxy or None


def _wrong(access: Access, files: Sequence[Path], cause: str, cure: str) -> AccessFailed:
    return AccessFailed(access.thing, place=_joined(files), cause=cause, cure=cure)


def _joined(files: Sequence[Path]) -> str:
    return ", ".join(str(one) for one in files)


def _words(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split())
