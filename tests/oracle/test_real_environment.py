"""Environments of real Pythons, as those Pythons and pip see them."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fakes.installations import WheelDirectory
from fakes.pythons import real_python
from fakes.wheels import build_wheel
from polylock.environment.installed import read_installed
from polylock.environment.interpreter import Interpreter, probe
from polylock.environment.venv import create
from polylock.installation.execute import execute
from polylock.installation.plan import (
    SyncPlan,
    SyncRequest,
    WantedDistribution,
    plan_sync,
)

PIP = pytest.mark.skipif(
    importlib.util.find_spec("pip") is None, reason="pip is not installed"
)

FILES: dict[str, str | bytes] = {
    "demo/__init__.py": "VALUE = 'from demo'\n",
    "demo/cli.py": "import sys\nimport demo\n\ndef main():\n"
    "    print(demo.VALUE, sys.prefix)\n    return 3\n",
    "demo/broken.py": "this is (no Python\n",
    "demo-1.0.data/scripts/demo-tool": "#!python\nimport demo\nprint(demo.VALUE)\n",
}


class RealEnvironment:
    """An environment of a real Python and wheels for it."""

    def __init__(self, root: Path, version: str) -> None:
        self.root = root / "the environment"
        self.interpreter: Interpreter = probe(
            create(self.root, probe(real_python(version)))
        )
        self.wheels = WheelDirectory(root)
        self.directory = root / "wheels"

    def plan(self, *wanted: WantedDistribution) -> SyncPlan:
        """Plan a sync to exactly these."""
        installed = read_installed(self.interpreter.site_directories)
        return plan_sync(SyncRequest(wanted=wanted), installed)

    def pip(self, *arguments: str) -> str:
        """Run the pip of the tests on the environment; return what it prints."""
        command = [sys.executable, "-m", "pip", "--isolated"]
        command += ["--disable-pip-version-check", "--python"]
        answer = subprocess.run(
            [*command, self.interpreter.executable, *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return answer.stdout

    def script(self, name: str) -> subprocess.CompletedProcess[str]:
        """Run an installed script by its path."""
        suffix = ".exe" if os.name == "nt" else ""
        path = Path(self.interpreter.scheme.scripts, name + suffix)
        return subprocess.run([path], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("version", ["this", "3.8", "3.11", "3.12", "3.13"])
def test_installed_scripts_run(tmp_path: Path, version: str) -> None:
    """Entry points and scripts run by the environment's Python; a space is no harm."""
    environment = RealEnvironment(tmp_path, version)
    wheel = build_wheel(
        environment.directory,
        "demo",
        "1.0",
        files=FILES,
        entry_points="[console_scripts]\ndemo = demo.cli:main\n",
    )
    execute(
        environment.plan(environment.wheels.want(wheel)),
        environment.interpreter,
        environment.wheels,
        compile_bytecode=True,
    )
    answer = environment.script("demo")
    assert answer.returncode == 3, answer.stderr
    assert answer.stdout.startswith("from demo ")
    assert Path(answer.stdout.strip()[len("from demo ") :]).samefile(environment.root)
    if os.name != "nt":
        assert environment.script("demo-tool").stdout == "from demo\n"
    cache = Path(environment.interpreter.scheme.purelib, "demo", "__pycache__")
    assert {path.name.partition(".")[0] for path in cache.iterdir()} == {
        "__init__",
        "cli",
    }
    execute(environment.plan(), environment.interpreter, environment.wheels)
    assert not list(Path(environment.interpreter.scheme.purelib).iterdir())


@PIP
@pytest.mark.slow
def test_pip_agrees(tmp_path: Path) -> None:
    """Pip list and pip check see what was installed, and pip can remove all of it."""
    environment = RealEnvironment(tmp_path, "this")
    before = set(environment.root.rglob("*"))
    base = build_wheel(environment.directory, "base", "2.0")
    wheel = build_wheel(
        environment.directory,
        "demo",
        "1.0",
        files=FILES,
        requires=["base>=2"],
        entry_points="[console_scripts]\ndemo = demo.cli:main\n",
    )
    want = environment.wheels.want
    execute(
        environment.plan(want(wheel, requested=True), want(base)),
        environment.interpreter,
        environment.wheels,
    )
    listed = json.loads(environment.pip("list", "--format=json"))
    assert listed == [
        {"name": "base", "version": "2.0"},
        {"name": "demo", "version": "1.0"},
    ]
    roots = json.loads(environment.pip("list", "--not-required", "--format=json"))
    assert [each["name"] for each in roots] == ["demo"]
    assert "No broken requirements" in environment.pip("check")
    report = json.loads(environment.pip("inspect"))
    facts = {
        each["metadata"]["name"]: (each["installer"], each["requested"])
        for each in report["installed"]
    }
    assert facts == {"base": ("polylock", False), "demo": ("polylock", True)}
    environment.pip("uninstall", "--yes", "demo", "base")
    left = set(environment.root.rglob("*")) - before
    assert {path.name for path in left} <= {".polylock.lock"}


@PIP
def test_what_pip_installed_is_kept(tmp_path: Path) -> None:
    """A plain wheel that pip installed is as locked; a variant is installed anew."""
    environment = RealEnvironment(tmp_path, "this")
    plain = build_wheel(environment.directory, "plain", "1.0")
    environment.pip("install", "--no-deps", "--no-index", str(plain))
    info = next(Path(environment.interpreter.scheme.purelib).glob("*.dist-info"))
    (info / "direct_url.json").unlink()  # as if it had come from an index
    wanted = environment.wheels.want(plain)
    assert environment.plan(wanted).is_empty
    variant = build_wheel(
        environment.directory, "plain", "1.0", label="cu130", variant={}
    )
    wanted = environment.wheels.want(variant)
    assert not environment.plan(wanted).is_empty
    execute(environment.plan(wanted), environment.interpreter, environment.wheels)
    assert environment.plan(wanted).is_empty


@PIP
def test_what_pip_replaced_is_noticed(tmp_path: Path) -> None:
    """Pip leaves no trace of the locked file behind when it installs another."""
    environment = RealEnvironment(tmp_path, "this")
    first = build_wheel(environment.directory, "demo", "1.0")
    wanted = environment.wheels.want(first)
    execute(environment.plan(wanted), environment.interpreter, environment.wheels)
    other = build_wheel(
        tmp_path / "other", "demo", "1.0", files={"demo/__init__.py": "other = 1\n"}
    )
    environment.pip(
        "install", "--no-deps", "--no-index", "--force-reinstall", str(other)
    )
    assert not environment.plan(wanted).is_empty
    execute(environment.plan(wanted), environment.interpreter, environment.wheels)
    module = Path(environment.interpreter.scheme.purelib, "demo", "__init__.py")
    assert "__version__" in module.read_text()
