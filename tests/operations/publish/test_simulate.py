"""``index simulate``: what machines take of a release, and why not more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fakes.server import Answer, Server
from fakes.torch_replica import build_torch_replica
from fakes.wheels import build_wheel
from polylock.errors import NoSuchTarget, ProjectNotFound, UsageError
from polylock.operations.publish.simulate import Outcome, Simulation, simulate
from polylock.ports import SilentReporter
from polylock.project.presets import presets
from polylock.project.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

WHEELS = Path(__file__).parents[3] / "fixtures" / "wheels"
GPU = {"nvidia": {"cuda_version_lower_bound": ["13.0"]}}
PROJECT = """\
[project]
name = "demo"
version = "1.0"

[tool.polylock.targets.box]
preset = "h100"
python = "3.12"
nvidia = { driver = "12.4", compute = ["9.0"] }
"""


@pytest.fixture(name="settings")
def _settings(tmp_path: Path) -> Settings:
    return Settings(cache_dir=tmp_path / "cache")


def tried(
    settings: Settings,
    requirement: str,
    *names: str,
    place: Path = WHEELS,
    targets: Sequence[str] = (),
    python: str | None = None,
) -> Simulation:
    """Simulate a release on presets and targets."""
    return simulate(
        str(place),
        requirement,
        settings,
        SilentReporter(),
        chosen_presets=names,
        chosen_targets=targets,
        python=python,
    )


def by_machine(found: Simulation) -> dict[str, Outcome]:
    """Return the outcomes by machine."""
    return {outcome.machine: outcome for outcome in found.outcomes}


def takes(found: Simulation) -> dict[str, str]:
    """Return what each machine takes, as a column."""
    return {
        outcome.machine: outcome.takes.label or outcome.takes.kind
        if outcome.takes
        else ""
        for outcome in found.outcomes
    }


def test_machines_take_the_label_of_their_hardware(settings: Settings) -> None:
    """The order, the sizes and the reasons are those of a lock."""
    found = tried(settings, "tensordemo==3.1.0", "h100,mi300x", "apple-m1")
    assert found.columns == ("cuda13.0", "cuda12.8", "rocm6.4", "null")
    assert takes(found) == {"h100": "cuda13.0", "mi300x": "null", "apple-m1": "null"}
    h100, mi300x, mac = found.outcomes
    assert [h100.place(column) for column in found.columns] == [1, 2, None, 3]
    name = "tensordemo-3.1.0-py3-none-manylinux_2_17_x86_64-cuda13.0.whl"
    assert h100.takes is not None
    assert h100.takes.size == (WHEELS / name).stat().st_size
    assert h100.closest is None
    # A label for hardware that the machine has says more than those for others.
    assert mi300x.closest is not None
    assert mi300x.closest.label == "rocm6.4"
    assert mi300x.closest.words == (
        "needs amd :: rocm_version :: 6.4, and the target supports 7.1"
    )
    assert mac.closest is not None
    assert mac.closest.label == "cuda13.0"


def test_wheel_without_a_label_is_plain(settings: Settings) -> None:
    """It comes after all labels."""
    names = ("azure-nd-h100-v5", "linux-x86_64-v3")
    found = tried(settings, "fallbackkit", *names)
    assert found.columns == ("avx512", "plain")
    assert [each.place("plain") for each in found.outcomes] == [2, 1]
    old = found.outcomes[1]
    assert old.closest is not None
    assert old.closest.words.startswith("needs x86_64 :: level :: v4")


def test_label_for_versions_of_another_project_says_so(settings: Settings) -> None:
    """Which of the labels fits, the versions of the project decide."""
    outcome = tried(settings, "abikit-plugin", "linux-x86_64-v2").outcomes[0]
    needs = {taken.label: taken.needs for taken in outcome.order}
    assert needs == {
        "abikit2.1": ("abikit==2.1.*",),
        "abikit2.0": ("abikit==2.0.*",),
        None: (),
    }


def test_torch_on_all_presets(tmp_path: Path, settings: Settings) -> None:
    """Three cells by PEP 825 and the published metadata, and what is missing.

    An H100 with driver 13.0 supports the lower bound 13.0 and sm_90, and priority
    prefers 13.0. A V100 has sm_70, which the build for CUDA 13.0 dropped, and there is
    no wheel of 12.8 for Linux on x86-64. The Macs get none: their wheels are for
    macOS 110.
    """
    build_torch_replica(tmp_path / "site", ["2.10.0"])
    found = tried(settings, "torch", "all", place=tmp_path / "site")
    assert found.version == "2.10.0"
    assert found.python == "3.13"  # 3.14 has no wheel for macOS
    assert len(found.outcomes) == len(presets())
    taken = takes(found)
    assert taken["h100"] == "cuda13.0"
    assert taken["v100"] == "cuda12.6"
    assert taken["windows-rtx4090"] == "cuda13.0"
    assert taken["mi300x"] == "rocm7.1"
    assert taken["arc-b580"] == "xpu"
    assert taken["linux-x86_64"] == "null"
    assert taken["apple-m1"] == ""
    h100 = by_machine(found)["h100"]
    assert [each.label for each in h100.order] == ["cuda13.0", "cuda12.6", "null"]
    mac = by_machine(found)["apple-m1"].closest
    assert mac is not None
    assert (mac.label, mac.nearest) == ("null", ("macosx_110_0_arm64",))
    assert mac.words.endswith(": nearest are for macosx_110_0_arm64")
    thor = by_machine(found)["jetson-thor"].closest
    assert thor is not None
    assert thor.label == "cuda13.0"
    assert "the target supports 110_real, 110_virtual" in thor.words


def test_presets_are_chosen_by_name_group_and_words(settings: Settings) -> None:
    """Each once, in the order of the call; names in any spelling."""
    machines = [
        outcome.machine
        for outcome in tried(settings, "plainlib", "H100,h100", "apple").outcomes
    ]
    assert machines[0] == "h100"
    assert set(machines[1:]) >= {"apple-m1", "apple-m4"}
    grouped = tried(settings, "plainlib", "platforms").outcomes
    assert {presets()[each.machine].group for each in grouped} == {"platforms"}
    assert len(tried(settings, "plainlib").outcomes) == len(presets())


def test_targets_of_the_project_are_tried_by_name(
    tmp_path: Path, settings: Settings
) -> None:
    """With their own Python; without presets then, unless some are named."""
    (tmp_path / "pyproject.toml").write_text(PROJECT, "utf-8")
    own = Settings(cache_dir=settings.cache_dir, project=tmp_path)
    (box,) = tried(own, "tensordemo==3.1.0", targets=["box"]).outcomes
    assert (box.machine, box.preset, box.python) == ("box", False, "3.12")
    assert box.takes is not None
    # A driver of CUDA 12.4 is too old for the build of the preset's.
    assert box.takes.label == "cuda12.8"
    both = tried(own, "tensordemo", "h100", targets=["box"])
    assert [each.machine for each in both.outcomes] == ["h100", "box"]
    with pytest.raises(NoSuchTarget):
        tried(own, "tensordemo", targets=["other"])


@pytest.mark.parametrize(
    ("tags", "python"),
    [
        (["cp312-cp312-win_amd64", "cp313-cp313-win_amd64"], "3.13"),
        (
            [
                "cp312-cp312-win_amd64",
                "cp312-cp312-win_arm64",
                "cp313-cp313-win_amd64",
                "cp314-cp314t-win_amd64",
                "cp314-cp314t-win_arm64",
            ],
            "3.12",
        ),
        (["cp39-abi3-win_amd64"], "3.13"),
        (["py3-none-any"], "3.13"),
    ],
)
def test_python_is_the_newest_with_most_wheels(
    tags: list[str], python: str, tmp_path: Path, settings: Settings
) -> None:
    """Builds without the lock and for several Pythons do not count."""
    for tag in tags:
        build_wheel(tmp_path / "wheels", "demo", "1.0", tag=tag)
    found = tried(settings, "demo", "windows-x86_64", place=tmp_path / "wheels")
    assert found.outcomes[0].python == python
    chosen = tried(
        settings, "demo", "windows-x86_64", place=tmp_path / "wheels", python="3.11"
    )
    assert chosen.outcomes[0].python == "3.11"


def test_newest_version_counts_and_final_ones_first(settings: Settings) -> None:
    """A pre-release counts where it is named."""
    assert tried(settings, "plainlib<2", "h100").version == "1.2.0"
    assert tried(settings, "plainlib==1.3.0rc1", "h100").version == "1.3.0rc1"


@pytest.mark.parametrize(
    ("requirement", "message"),
    [
        ("tensordemo==9", "no version ==9 of tensordemo"),
        ("tensordemo[extra]", "more than a project"),
        ("tensordemo; os_name == 'nt'", "more than a project"),
        ("!", "is not a project"),
    ],
)
def test_what_is_no_release_is_refused(
    requirement: str, message: str, settings: Settings
) -> None:
    """The message says what to write."""
    with pytest.raises(UsageError, match=message):
        tried(settings, requirement, "h100")


def test_other_mistakes_are_named(tmp_path: Path, settings: Settings) -> None:
    """A preset, a project and a directory that are not there."""
    with pytest.raises(UsageError, match="no preset matches 'abacus'"):
        tried(settings, "tensordemo", "abacus")
    with pytest.raises(ProjectNotFound):
        tried(settings, "nowhere-project", "h100")
    with pytest.raises(UsageError, match="is not a directory"):
        tried(settings, "tensordemo", "h100", place=tmp_path / "none")


def test_sizes_that_a_page_lacks_are_asked_for(
    tmp_path: Path, settings: Settings
) -> None:
    """One request without a body for each file that a machine could take."""
    path = build_wheel(tmp_path, "demo", "1.0", label="gpu", variant=GPU)
    with Server() as server:
        link = f'<a href="/files/{path.name}">x</a>'
        server.routes["/simple/demo/"] = Answer(
            body=link.encode(), content_type="text/html"
        )
        content = path.read_bytes()
        server.routes[f"/files/{path.name}"] = Answer(body=content)
        found = simulate(
            f"{server.url}/simple",
            "demo",
            settings,
            SilentReporter(),
            chosen_presets=["h100", "b200", "linux-x86_64"],
        )
    sizes = [each.takes.size if each.takes else None for each in found.outcomes]
    assert sizes == [len(content), len(content), None]


def test_metadata_that_cannot_be_read_is_the_reason(
    tmp_path: Path, settings: Settings
) -> None:
    """Its variants are left out, and the plain wheel is taken."""
    build_wheel(tmp_path, "demo", "1.0")
    build_wheel(
        tmp_path, "demo", "1.0", label="gpu", variant_json=b'{"$schema": "\x1b[31m"}'
    )
    outcome = tried(settings, "demo", "h100", place=tmp_path).outcomes[0]
    assert outcome.takes is not None
    assert outcome.takes.kind == "plain"
    assert outcome.closest is not None
    assert "is not JSON" in outcome.closest.words
    assert "\x1b" not in outcome.closest.words
