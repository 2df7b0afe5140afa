"""The files of the stand-in image: programs of this machine with their libraries.

Fetches nothing.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

from icplan.errors import IcplanError
from icplan.lab.kubernetes.tools import cache
from icplan.lab.programs import TIMEOUT_SECONDS, find_program, find_schema

if TYPE_CHECKING:
    from collections.abc import Mapping

# OVN's own, then what ovn-ctl and its libraries call, then what a person looks around with.
_PROGRAMS = (
    *("ovsdb-server", "ovsdb-tool", "ovsdb-client", "ovs-appctl", "ovn-appctl"),
    *("ovn-ic-nbctl", "ovn-ic-sbctl", "ncat", "bash", "sh"),
    *("awk", "cat", "chmod", "chown", "cp", "cut", "date", "dirname", "env", "expr", "grep"),
    *("head", "hostname", "id", "install", "ln", "ls", "mkdir", "mktemp", "mv", "nice", "ps"),
    *("rm", "rmdir", "sed", "seq", "sleep", "sort", "stat", "sync", "tail", "tee", "test"),
    *("timeout", "touch", "tr", "true", "uname", "wc"),
)
_SCHEMAS = ("ovn-ic-nb.ovsschema", "ovn-ic-sb.ovsschema")
_SCRIPTS = ("/usr/share/ovn/scripts/ovn-ctl", "/usr/share/ovn/scripts/ovn-lib")
_LIBRARY = "/usr/share/openvswitch/scripts/ovs-lib"
_FOLDERS = (
    *("dev", "etc/ovn", "etc/openvswitch", "kube-ovn", "proc", "root", "sys", "tmp"),
    *("usr/bin", "usr/lib", "usr/lib64", "usr/sbin", "var/lib", "var/log/ovn"),
    *("var/log/openvswitch", "var/run/ovn", "var/run/openvswitch"),
)
_LINKS = {
    **{name: f"usr/{name}" for name in ("bin", "lib", "lib64", "sbin")},
    # Distributions keep OVN's databases in /var/lib/ovn, Kube-OVN's image in /etc/ovn.
    "var/lib/ovn": "../../etc/ovn",
    "run": "var/run",
}
_TEXTS = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/bash\n",
    "etc/group": "root:x:0:\n",
}


def base_layer() -> Path:
    """A tar with everything that the image needs but its own scripts; made once and kept.

    Raises:
        IcplanError: a program is not installed.
    """
    files = _files()
    kept = cache().parent / "images" / f"base-{_key(files)}.tar"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Whoever is last to put the same into the same place does no harm.
        part = kept.with_suffix(f".{os.getpid()}")
        part.write_bytes(_tar(files))
        part.replace(kept)
    return kept


def script_layer(scripts: Mapping[str, str]) -> bytes:
    """A tar with scripts, and files that they read, in the image's /kube-ovn.

    Args:
        scripts: each one's text by its name.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, text in sorted(scripts.items()):
            _add(tar, f"kube-ovn/{name}", text.encode(), 0o755)
    return buffer.getvalue()


def _files() -> dict[str, Path]:
    """Where each file of the image comes from, by its path in the image."""
    files = {_inside(find_schema(name)): Path(find_schema(name)) for name in _SCHEMAS}
    for script in (*_SCRIPTS, _LIBRARY):
        if not Path(script).exists():
            raise IcplanError(
                f"script {Path(script).name} of OVN",
                place=script,
                cause="not found",
                cure="install the Debian or Ubuntu packages of OVN: make packages",
            )
        files[_inside(script)] = Path(script)
    programs = [Path(find_program(name)) for name in _PROGRAMS]
    for name, program in zip(_PROGRAMS, programs, strict=True):
        # By the name that is called, also where the machine has a link to another: awk, sh.
        files[f"usr/{program.parent.name}/{name}"] = program.resolve()
    for library in _libraries(programs):
        files[_inside(library)] = Path(library).resolve()
    return files


def _libraries(programs: list[Path]) -> list[str]:
    """The shared libraries and the loader of these programs, as they name them."""
    done = subprocess.run(
        [find_program("ldd"), *(str(program.resolve()) for program in programs)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    # Fails for what is no binary: a script needs no library.
    return sorted(set(re.findall(r"(?:^\t| => )(/\S+) \(0x", done.stdout, re.MULTILINE)))


def _inside(path: str) -> str:
    """A path of this machine as the image has it, with /usr in front of /bin and /lib."""
    plain = path.lstrip("/").removeprefix("usr/local/").removeprefix("usr/")
    return f"usr/{plain}"


def _key(files: Mapping[str, Path]) -> str:
    """A name for what the layer holds: another version of a program is another name."""
    digest = hashlib.sha256(repr((_FOLDERS, _LINKS, _TEXTS)).encode())
    for inside, source in sorted(files.items()):
        state = source.stat()
        digest.update(repr((inside, str(source), state.st_size, state.st_mtime_ns)).encode())
    return digest.hexdigest()[:16]


def _tar(files: Mapping[str, Path]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for folder in sorted(_folders(files)):
            info = tarfile.TarInfo(folder)
            info.type, info.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            tar.addfile(info)
        for name, target in _LINKS.items():
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            tar.addfile(link)
        for name, text in _TEXTS.items():
            _add(tar, name, text.encode(), 0o644)
        for inside, source in sorted(files.items()):
            mode = 0o755 if source.stat().st_mode & 0o111 else 0o644
            _add(tar, inside, source.read_bytes(), mode)
    return buffer.getvalue()


def _add(tar: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    # No time, no owner: the same files give the same layer.
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), mode
    tar.addfile(info, io.BytesIO(content))


def _folders(files: Mapping[str, Path]) -> set[str]:
    """All folders of the image, those between included."""
    named = (*(Path(each) for each in _FOLDERS), *(Path(each).parent for each in (*files, *_TEXTS)))
    return {str(one) for each in named for one in (each, *each.parents)} - {"."}
