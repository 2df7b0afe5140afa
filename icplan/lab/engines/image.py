"""The stand-in for Kube-OVN's image: what is in it, and an archive that docker and ctr load.

Its `start-ic-db.sh` follows the environment that Kube-OVN documents, in two behaviours; everything
below it is real: OVN's own ovn-ctl and the OVSDB servers of this machine.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from icplan.lab.engines.rootfs import base_layer, script_layer

if TYPE_CHECKING:
    from typing import IO

_SCRIPTS = Path(__file__).parent / "scripts"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_MARK = "external_ids:vendor=kube-ovn\n"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"


class Behaviour(StrEnum):
    """Whose start-ic-db.sh the image follows."""

    OLD = "old"
    """Version 1.7.1: standalone, on all addresses; knows TS_NAME and TS_CIDR only."""
    TODAY = "today"
    """Today's: standalone or raft, the leader check for Kubernetes, and `ts` made without it."""
    UNMARKED = "unmarked"
    """From 1.11.16 to the end of 2025: like today's, but `ts` gets no vendor (Kube-OVN's change
    6186 of January 2026)."""


def write_archive(file: Path, behaviour: Behaviour, names: tuple[str, ...]) -> None:
    """Write an image as an archive for `docker load` and `ctr images import`.

    Args:
        file: the archive.
        behaviour: what its start-ic-db.sh does.
        names: the names that it gets, complete: docker.io/kubeovn/kube-ovn:v1.7.1.
    """
    base = base_layer()
    own = script_layer(_scripts(behaviour))
    base_digest, own_digest = _file_digest(base), _digest(own)
    config = _json(
        {
            "created": "1970-01-01T00:00:00Z",
            "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
            "os": "linux",
            "config": {
                "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
                "Cmd": ["bash"],
                "WorkingDir": "/kube-ovn",
            },
            "rootfs": {
                "type": "layers",
                "diff_ids": [f"sha256:{base_digest}", f"sha256:{own_digest}"],
            },
        }
    )
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": _descriptor(_CONFIG, _digest(config), len(config)),
            "layers": [
                _descriptor(_LAYER, base_digest, base.stat().st_size),
                _descriptor(_LAYER, own_digest, len(own)),
            ],
        }
    )
    described = _descriptor(_MANIFEST, _digest(manifest), len(manifest))
    index = {
        "schemaVersion": 2,
        # containerd reads names from here, docker from manifest.json.
        "manifests": [
            described | {"annotations": {"io.containerd.image.name": name}} for name in names
        ],
    }
    docker = [
        {
            "Config": f"blobs/sha256/{_digest(config)}",
            "RepoTags": [name.removeprefix("docker.io/") for name in names],
            "Layers": [f"blobs/sha256/{each}" for each in (base_digest, own_digest)],
        }
    ]
    with tarfile.open(file, "w") as tar:
        for folder in ("blobs", "blobs/sha256"):
            info = tarfile.TarInfo(folder)
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(info)
        with base.open("rb") as stream:
            _add(tar, f"blobs/sha256/{base_digest}", stream, base.stat().st_size)
        for blob in (own, config, manifest):
            _add(tar, f"blobs/sha256/{_digest(blob)}", io.BytesIO(blob), len(blob))
        for name, document in (
            ("oci-layout", {"imageLayoutVersion": "1.0.0"}),
            ("index.json", index),
            ("manifest.json", docker),
        ):
            content = _json(document)
            _add(tar, name, io.BytesIO(content), len(content))


def complete_name(name: str) -> str:
    """An image's name with its registry, as containerd wants it: docker.io when none is named."""
    first, slash, _ = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return name
    return f"docker.io/{name}" if slash else f"docker.io/library/{name}"


def _scripts(behaviour: Behaviour) -> dict[str, str]:
    """What is in the image's /kube-ovn, by name."""
    if behaviour is Behaviour.OLD:
        return {"start-ic-db.sh": (_SCRIPTS / "start-ic-db-old.sh").read_text()}
    checker = "kube-ovn-leader-checker"
    return {
        "start-ic-db.sh": (_SCRIPTS / "start-ic-db-today.sh").read_text(),
        checker: (_SCRIPTS / f"{checker}.sh").read_text(),
        "switch-marks": _MARK if behaviour is Behaviour.TODAY else "",
    }


def _descriptor(media_type: str, digest: str, size: int) -> dict[str, object]:
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": size}


def _json(document: object) -> bytes:
    return json.dumps(document).encode()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _file_digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _add(tar: tarfile.TarFile, name: str, stream: IO[bytes], size: int) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o644
    tar.addfile(info, stream)
