"""What an answer depends on."""

from __future__ import annotations

from pathlib import Path

import pytest

from polylock.answer_cache.basis import (
    Basis,
    environment_basis,
    hardware_basis,
    project_basis,
)
from polylock.environment.installed import Form, InstalledDistribution, Origin
from polylock.project.settings import Settings


def linux(root: Path) -> Path:
    """Make what a Linux without a GPU shows; return the sign of its start."""
    start = root / "proc/sys/kernel/random/boot_id"
    start.parent.mkdir(parents=True)
    start.write_text("2f2b8b0e\n", "utf-8")
    return start


def test_without_a_gpu_hardware_is_a_start_of_the_system(tmp_path: Path) -> None:
    """The number of the start counts, and that no sign of a GPU appears."""
    start = linux(tmp_path)
    found = hardware_basis(Basis(contents=()), root=tmp_path)
    assert found is not None
    assert found.contents == (start,)
    assert str(tmp_path / "proc/driver/nvidia") in found.states
    assert str(tmp_path / "dev/kfd") in found.states


@pytest.mark.parametrize(
    "sign", ["dev/nvidiactl", "proc/driver/nvidia", "dev/dxg", "dev/dri/card0"]
)
def test_with_a_gpu_hardware_is_no_basis(tmp_path: Path, sign: str) -> None:
    """Its driver may be exchanged while the system runs."""
    linux(tmp_path)
    path = tmp_path / sign
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    assert hardware_basis(Basis(contents=()), root=tmp_path) is None


def test_elsewhere_hardware_is_no_basis(tmp_path: Path) -> None:
    """A system that does not number its starts is looked at each time."""
    assert hardware_basis(Basis(contents=()), root=tmp_path) is None


def test_named_files_have_no_rivals(tmp_path: Path) -> None:
    """Nothing is searched for where both files are named."""
    project, lock_file = tmp_path / "pyproject.toml", tmp_path / "own.toml"
    settings = Settings(cache_dir=tmp_path, project=project, lock_file=lock_file)
    found = project_basis(settings, project, lock_file)
    assert found == Basis(contents=(project, lock_file))


def test_files_found_have_rivals_nearer_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each directory up to the project might have one, and here a lock file."""
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    project, lock_file = tmp_path / "pyproject.toml", tmp_path / "pylock.toml"
    found = project_basis(Settings(cache_dir=tmp_path), project, lock_file)
    assert found is not None
    above = [str(each / "pyproject.toml") for each in tmp_path.parents]
    assert found.states == (
        str(below / "pyproject.toml"),
        str(below.parent / "pyproject.toml"),
        *above,  # the project might become a member of a workspace
        str(below / "pylock.toml"),
    )


def test_files_beside_the_project_file_decide_too(tmp_path: Path) -> None:
    """Those of members count by content; one that is not there might appear."""
    there, gone = tmp_path / "a.toml", tmp_path / "b.toml"
    there.write_text("", "utf-8")
    project, lock_file = tmp_path / "pyproject.toml", tmp_path / "pylock.toml"
    settings = Settings(cache_dir=tmp_path, project=project)
    found = project_basis(
        settings, project, lock_file, ((there, gone), (tmp_path / "packages",))
    )
    assert found is not None
    assert found.contents == (project, lock_file, there)
    assert found.states == (str(tmp_path / "packages"), str(gone))
    assert project_basis(settings, project, lock_file, None) is None


def test_of_a_distribution_what_a_sync_reads_counts(tmp_path: Path) -> None:
    """Its own record where polylock installed it, WHEEL where another did."""
    own = InstalledDistribution(
        name="own",  # type: ignore[arg-type]
        version="1",
        path=tmp_path / "own-1.dist-info",
        origin=Origin(filename="own-1-py3-none-any.whl", sha256="0"),
    )
    foreign = InstalledDistribution(
        name="foreign",  # type: ignore[arg-type]
        version="1",
        path=tmp_path / "foreign-1.dist-info",
    )
    egg = InstalledDistribution(
        name="egg",  # type: ignore[arg-type]
        version="1",
        path=tmp_path / "egg.egg-link",
        form=Form.EGG_LINK,
    )
    basis = environment_basis(
        Basis(contents=()), tmp_path, [tmp_path / "site"], [own, foreign, egg]
    )
    states = {Path(path) for path in basis.states}
    assert {tmp_path / "site", own.path, own.path / "polylock.json"} <= states
    assert {foreign.path, foreign.path / "WHEEL"} <= states
    assert tmp_path / "pyvenv.cfg" in states
    assert own.path / "WHEEL" not in states
    assert egg.path not in states
