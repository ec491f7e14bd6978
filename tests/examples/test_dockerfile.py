"""``examples/docker``: what is installed, and which layers a change makes anew."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fakes.image_build import RUNNING, Build, instructions

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLE = Path(__file__).parents[2] / "examples" / "docker"
TEXT = (EXAMPLE / "Dockerfile").read_text("utf-8")
BIG = "COPY --from=environment"
"""The layer with everything that is locked."""


class Images:
    """Builds of one project on one machine, whose cache mount stays."""

    def __init__(self, directory: Path, project: Path, programs: Path) -> None:
        self.project = project
        self._directory = directory
        self._programs = programs
        self._count = 0
        ignored = (EXAMPLE / "Dockerfile.dockerignore").read_text("utf-8")
        self._ignored = tuple(ignored.split())

    def build(self, target: str = "cpu") -> Build:
        """Build an image; every path is that of the builds before."""
        self._count += 1
        root = self._directory / "image"
        kept = self._directory / f"image-{self._count}"
        made = Build(
            root,
            self.project,
            self._ignored,
            {"TARGET": target},
            f"{self._programs}{os.pathsep}{os.environ['PATH']}",
            self._directory / "mounts",
            {"pip install": self._install(root)},
        )
        made.run(TEXT)
        if root.exists():
            self.final = kept / "final"
            root.rename(kept)
        return made

    def _install(self, root: Path) -> str:
        """Return what stands for an installation of polylock from an index."""
        scripts = root / RUNNING / "opt" / "polylock" / "bin"
        return f"mkdir -p {scripts} && cp {self._programs}/polylock {scripts}/"

    def replace(self, name: str, old: str, new: str) -> None:
        """Edit a file of the project."""
        path = self.project / name
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")


@pytest.fixture
def images(tmp_path: Path, example: Path, programs: Path) -> Images:
    """Return builds of the example project."""
    return Images(tmp_path / "images", example, programs)


def made_anew(before: Build, after: Build) -> list[str]:
    """Return the layers that a second build does not find in the cache."""
    assert [layer[:2] for layer in before.layers] == [x[:2] for x in after.layers]
    return [
        f"{old[0]}: {old[1]}"
        for old, new in zip(before.layers, after.layers, strict=True)
        if old[2] != new[2]
    ]


AFTER_SOURCES = ["final: COPY .", "final: RUN", "final: CMD"]


def cut(layers: list[str]) -> list[str]:
    """Return layers without what follows the name of a RUN."""
    return [
        layer if "COPY" in layer else " ".join(layer.split(" ")[:2]) for layer in layers
    ]


def run_image(images: Images) -> str:
    """Run the command of the image, with its environment where it was built."""
    place = images.final.parent.with_name("image") / RUNNING
    place.parent.mkdir()
    images.final.rename(place)
    python = str(place / "app" / ".venv" / "bin" / "python")
    command = [python, *json.loads(instructions(TEXT)[-1].text)[1:]]
    try:
        done = subprocess.run(
            command, capture_output=True, encoding="utf-8", check=True, timeout=60
        )
    finally:
        place.rename(images.final)
        place.parent.rmdir()
    return done.stdout


def test_releases_and_other_targets_leave_the_layer_of_what_is_locked(
    images: Images, relock: Callable[[Path], None]
) -> None:
    """After a new version and new code only the sources and what follows are made.

    A package more for the H100 changes the lock file, and not what cpu copies.
    """
    lock = images.project / "pylock.toml"
    first = images.build()
    locked = lock.read_bytes()
    images.replace("pyproject.toml", 'version = "1.0.0"', 'version = "2.0.0"')
    (images.project / "src" / "vision" / "new.py").write_text("x = 1\n", "utf-8")
    relock(images.project)
    assert lock.read_bytes() == locked
    second = images.build()
    assert cut(made_anew(first, second)) == AFTER_SOURCES
    listed = run_image(images)
    assert "vision 2.0.0" in listed
    assert "tensordemo 3.1.0" in listed

    runner = 'runs-on = ["self-hosted", "gpu-h100"]'
    images.replace("pyproject.toml", runner, 'dependencies = ["cudaops"]')
    relock(images.project)
    assert lock.read_bytes() != locked
    changed = cut(made_anew(second, images.build()))
    first_stage = ["environment: COPY pylock.toml", "environment: RUN"]
    assert changed == [*first_stage, *AFTER_SOURCES]
    assert not any(BIG in layer for layer in changed)


@pytest.mark.slow
def test_a_package_of_this_target_makes_its_layer_anew(
    images: Images, relock: Callable[[Path], None]
) -> None:
    """What the target installs is in the image, and its layer another."""
    before = images.build()
    images.replace("pyproject.toml", '"plainlib"]', '"plainlib", "abikit"]')
    relock(images.project)
    changed = made_anew(before, images.build())
    assert any(BIG in layer for layer in changed)
    assert "abikit" in run_image(images)


@pytest.mark.slow
def test_an_image_for_a_gpu_is_built_without_one(images: Images) -> None:
    """The CUDA variant is installed on a machine that has no such hardware."""
    images.build("h100")
    assert "tensordemo-cuda-runtime" in run_image(images)


def test_a_lock_file_that_is_out_of_date_fails_the_build(images: Images) -> None:
    """The last step compares it with the project, which is there by then."""
    images.replace("pyproject.toml", '"plainlib"]', '"plainlib", "abikit"]')
    with pytest.raises(AssertionError, match="requirement abikit is new"):
        images.build()


def test_the_dockerfile_says_what_it_is_for() -> None:
    """Two stages; no GPU, a cache mount, and bytecode that holds no time."""
    steps = instructions(TEXT)
    assert [step.name for step in steps].count("FROM") == 2
    syncs = [step.text for step in steps if "polylock sync" in step.text]
    assert len(syncs) == 2
    for text in syncs:
        assert "--mount=type=cache,target=/var/cache/polylock" in text
        assert "--force-target" in text
    assert "SOURCE_DATE_EPOCH=0" in syncs[0]
    ignored = (EXAMPLE / "Dockerfile.dockerignore").read_text("utf-8").split()
    assert {".venv", ".git"} <= set(ignored)


def test_the_lock_file_alone_is_enough(
    example: Path, programs: Path, tmp_path: Path
) -> None:
    """With no project file beside it, a target is installed from it all the same."""
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(example / "pylock.toml", alone)
    assert tomllib.loads((alone / "pylock.toml").read_text("utf-8"))
    command = "polylock sync --frozen --no-install-project --target h100 --force-target"
    done = subprocess.run(
        command.split(),
        executable=programs / "polylock",
        cwd=alone,
        env={**os.environ, "POLYLOCK_CACHE_DIR": str(tmp_path / "cache")},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert "h100: 6 installed" in done.stderr
