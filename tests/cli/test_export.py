"""``polylock export`` writes what other installers take."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.pylock import Pylock

if TYPE_CHECKING:
    from fakes.command_line import CommandLine

UV = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
PIP = importlib.util.find_spec("pip")
REQUIREMENTS = ("--format", "requirements")


def _install(*command: str, python: Path) -> str:
    """Run an installer that sees no configuration but its command line."""
    environment = {
        **os.environ,
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_CACHE_DIR": "1",
        "UV_NO_CONFIG": "1",
        "UV_NO_CACHE": "1",
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_PYTHON": str(python),
    }
    ran = subprocess.run(
        command,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


def _python(directory: Path) -> Path:
    """Make an environment without pip; return its Python."""
    venv.create(directory, with_pip=False)
    windows = os.name == "nt"
    return directory / ("Scripts/python.exe" if windows else "bin/python")


DEPENDENCIES = '"tensordemo>=3", "fallbackkit", "plainlib[color]>=1.1"'


@pytest.fixture
def plain(demo: CommandLine) -> CommandLine:
    """Lock the project without variants, which pip cannot install."""
    assert DEPENDENCIES in demo.read()
    demo.write(demo.read().replace(DEPENDENCIES, '"abikit", "plainlib[color]>=1.1"'))
    demo.succeed("lock")
    return demo


@pytest.fixture
def variants(demo: CommandLine) -> CommandLine:
    """Lock the project with variants that uv can judge, and no variant markers."""
    assert DEPENDENCIES in demo.read()
    demo.write(demo.read().replace(DEPENDENCIES, '"vecdemo>=2", "abikit"'))
    demo.succeed("lock")
    return demo


def test_pylock_of_one_target(demo: CommandLine) -> None:
    """It has one file a package and one environment, and knows no groups."""
    told = demo.succeed("export", "--target", "h100").out
    data = tomllib.loads(told)
    assert not {"extras", "dependency-groups", "default-groups", "tool"} & data.keys()
    assert len(data["environments"]) == 1
    assert "python_version == '3.12'" in data["environments"][0]
    packages = {package["name"]: package for package in data["packages"]}
    assert len(packages) == len(data["packages"]) == 7
    for package in packages.values():
        assert "marker" not in package
        assert "tool" not in package
        assert len(package["wheels"]) == 1
    (wheel,) = packages["tensordemo"]["wheels"]
    assert wheel["name"] == "tensordemo-3.1.0-py3-none-manylinux_2_17_x86_64.whl"
    assert wheel["url"].endswith("-cuda13.0.whl")
    assert not any("variants-json" in package for package in packages.values())
    assert "name" not in packages["plainlib"]["wheels"][0]
    assert packages["plainlib"]["dependencies"] == [
        {"name": "plainlib-colors"},
        {"name": "plainlib-posix"},
    ]


def test_groups_and_extras_are_added(demo: CommandLine) -> None:
    """What was asked for is in the file without a condition."""
    told = demo.succeed(
        "export", "--target", "mac", "--group", "Test", "--extra", "ops"
    ).out
    packages = {package["name"]: package for package in tomllib.loads(told)["packages"]}
    assert {"abikit", "plainlib-testing"} <= packages.keys()
    assert "marker" not in packages["plainlib-testing"]


def test_export_is_written_in_one_step(demo: CommandLine) -> None:
    """-o writes what stdout would get, which then stays empty."""
    told = demo.succeed("export", "--target", "mac").out
    ran = demo.succeed("export", "--target", "mac", "-o", "pylock.mac.toml")
    assert demo.read("pylock.mac.toml") == told
    assert not ran.out
    assert "wrote pylock.mac.toml" in ran.err
    assert "variant wheels: tensordemo; uv installs them from here" in ran.err


def test_requirements_name_every_hash(demo: CommandLine) -> None:
    """Pins for plain wheels, the URL itself for variant wheels, sorted by name."""
    ran = demo.succeed("export", "--target", "h100", *REQUIREMENTS)
    lines = [x for x in ran.out.splitlines() if not x.lstrip().startswith("#")]
    heads, hashes = lines[::2], lines[1::2]
    names = [head.split()[0].partition("==")[0] for head in heads]
    assert names == sorted(names)
    assert all(line.startswith("    --hash=sha256:") for line in hashes)
    assert "plainlib==1.1.0 \\" in heads
    assert any(
        head.startswith("tensordemo @ http") and head.endswith("-cuda13.0.whl \\")
        for head in heads
    )
    assert "variant wheels: fallbackkit, tensordemo; pip 26 refuses them" in ran.err


def test_condition_that_the_target_leaves_open_is_kept(demo: CommandLine) -> None:
    """A patch release that is not named decides later, in both formats."""
    text = demo.read("pylock.toml")
    plainlib = 'name = "plainlib"\nversion = "1.1.0"\n'
    assert plainlib in text
    condition = "python_full_version < '3.12.4' and sys_platform == 'linux'"
    demo.write(
        text.replace(plainlib, f'{plainlib}marker = "{condition}"\n'), "pylock.toml"
    )
    kept = "python_full_version < '3.12.4'"
    told = demo.succeed("export", "--target", "h100").out
    packages = {p["name"]: p for p in tomllib.loads(told)["packages"]}
    assert packages["plainlib"]["marker"] == kept
    told = demo.succeed("export", "--target", "h100", *REQUIREMENTS).out
    assert f"plainlib==1.1.0 ; {kept} \\\n" in told


def test_target_is_needed(demo: CommandLine) -> None:
    """There is no lock of no target; an unknown one is refused as well."""
    ran = demo("export")
    assert (ran.code, ran.out) == (2, "")
    assert "--target NAME" in ran.err
    assert demo("export", "--target", "t4").code == 2


def test_exported_pylock_is_valid(plain: CommandLine) -> None:
    """The package packaging takes it for a lock file."""
    told = plain.succeed("export", "--target", "here", "--group", "test").out
    found = Pylock.from_dict(tomllib.loads(told))
    assert {package.name for package in found.packages} >= {"abikit", "plainlib"}


def test_exported_pylock_is_a_lock_file_of_ours(demo: CommandLine) -> None:
    """A sync installs from it what it installs from the whole one."""
    demo.succeed("export", "--target", "here", "-o", "pylock.alone.toml")
    whole = demo.succeed("sync", "--target", "here", "--dry-run", "--json").json
    alone = demo.succeed(
        *("sync", "--lock-file", "pylock.alone.toml", "--frozen", "--dry-run"),
        *("--python", sys.executable, "--json"),
    ).json
    assert [(e["name"], e["version"]) for e in alone["install"]] == [
        (e["name"], e["version"]) for e in whole["install"]
    ]


@pytest.mark.slow
@pytest.mark.skipif(PIP is None, reason="no pip")
def test_pip_takes_the_requirements(
    plain: CommandLine, tmp_path: Path, index_url: str
) -> None:
    """Every pin is found on the index with the hash that was locked."""
    plain.succeed("export", "--target", "here", *REQUIREMENTS, "-o", "locked.txt")
    python = _python(tmp_path / "environment")
    told = _install(
        *(sys.executable, "-m", "pip", "--python", str(python), "install"),
        *("--isolated", "--dry-run", "--require-hashes", "--index-url", index_url),
        *("-r", str(plain.directory / "locked.txt")),
        python=python,
    )
    assert "Would install abikit-2.2.0 plainlib-1.1.0 plainlib-colors-1.0.1" in told


@pytest.mark.skipif(UV is None, reason="no uv")
def test_uv_takes_the_requirements(
    plain: CommandLine, tmp_path: Path, index_url: str
) -> None:
    """It installs them and can compile them again."""
    assert UV is not None
    plain.succeed("export", "--target", "here", *REQUIREMENTS, "-o", "locked.txt")
    python = _python(tmp_path / "environment")
    file = str(plain.directory / "locked.txt")
    index = ("--index-url", index_url)
    options = ("--dry-run", "--require-hashes", *index)
    told = _install(UV, "pip", "install", *options, "-r", file, python=python)
    assert "Would install 4 packages" in told
    told = _install(
        *(UV, "pip", "compile", "--quiet", "--no-header", "--no-annotate"),
        *("--generate-hashes", *index, file),
        python=python,
    )
    lines = plain.read("locked.txt").splitlines(keepends=True)
    assert told == "".join(x for x in lines if not x.lstrip().startswith("#"))


@pytest.mark.skipif(UV is None, reason="no uv")
def test_uv_takes_variant_wheels(
    variants: CommandLine, tmp_path: Path, index_url: str
) -> None:
    """The URLs of variant wheels are installed with their hashes."""
    assert UV is not None
    variants.succeed("export", "--target", "here", *REQUIREMENTS, "-o", "locked.txt")
    python = _python(tmp_path / "environment")
    told = _install(
        *(UV, "--preview-features", "wheel-variants", "pip", "install", "--dry-run"),
        *("--require-hashes", "--index-url", index_url),
        *("-r", str(variants.directory / "locked.txt")),
        python=python,
    )
    assert " + vecdemo" in told
    assert "Would install 2 packages" in told


@pytest.mark.skipif(UV is None, reason="no uv")
def test_uv_takes_the_pylock(plain: CommandLine, tmp_path: Path) -> None:
    """Another reader of PEP 751 installs the file."""
    assert UV is not None
    plain.succeed("export", "--target", "here", "-o", "pylock.here.toml")
    count = len(tomllib.loads(plain.read("pylock.here.toml"))["packages"])
    python = _python(tmp_path / "environment")
    told = _install(
        *(UV, "--preview-features", "pylock", "pip", "install"),
        *("--dry-run", "-r", str(plain.directory / "pylock.here.toml")),
        python=python,
    )
    assert f"Would install {count} packages" in told


@pytest.mark.slow
@pytest.mark.skipif(PIP is None, reason="no pip")
def test_pip_takes_the_pylock(plain: CommandLine, tmp_path: Path) -> None:
    """So does pip, where no variant wheel is in it."""
    plain.succeed("export", "--target", "here", "-o", "pylock.here.toml")
    python = _python(tmp_path / "environment")
    told = _install(
        *(sys.executable, "-m", "pip", "--python", str(python), "install"),
        *("--isolated", "--dry-run"),
        *("-r", str(plain.directory / "pylock.here.toml")),
        python=python,
    )
    assert "Would install abikit-2.2.0 plainlib-1.1.0 plainlib-colors-1.0.1" in told
