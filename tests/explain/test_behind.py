"""Pins that are older than they could be: the first cause, and what to write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from fakes.scenarios import inputs_of, preferences_of, targets_of
from fakes.source import MemorySource
from fakes.workspace import Spy
from polylock.explain.findings import Behind, Note, TorchBackendUnset
from polylock.explain.known_source import KnownSource
from polylock.explain.notes import notes
from polylock.explain.pinned_target import pinned_target
from polylock.explain.reasons import NoFile
from polylock.explain.screening import Solved
from polylock.explain.why_not import WhyNot
from polylock.explain.words import clause, note
from polylock.resolution.solve import Solver

if TYPE_CHECKING:
    from collections.abc import Mapping

LINUX = {"platform": "linux-x86_64", "python": "3.12"}
GPU = {**LINUX, "nvidia": {"driver": "13.0", "compute": ["9.0"]}}
MAC = {"platform": "macos-arm64", "python": "3.12", "macos": "13.0"}
MANY = "cp312-cp312-manylinux_2_17_x86_64"
MAC_14 = "cp312-cp312-macosx_14_0_arm64"
MAC_11 = "cp312-cp312-macosx_11_0_arm64"

HELD: dict[str, Any] = {
    "requires": ["torch"],
    "targets": {"h100": GPU, "ci": LINUX, "mac": MAC},
    "packages": {
        "torch": {
            "2.15.0": {"wheels": [MANY, MAC_14], "requires": ["toolkit==13.2"]},
            "2.11.0": {"wheels": [MANY, MAC_11], "requires": ["toolkit==13.0"]},
        },
        "toolkit": {"13.2": {}, "13.0": {}},
    },
}


def found_in(scenario: Mapping[str, Any]) -> tuple[list[Note], MemorySource]:
    """Solve a scenario; return its notes, and what the source was asked for by then."""
    given = dict(scenario)
    targets = targets_of(given)
    memory = MemorySource(given["packages"])
    source = KnownSource(memory)
    inputs = inputs_of(given, targets)
    solver = Solver(
        inputs=inputs,
        source=source,
        reporter=Spy(),
        preferences=preferences_of(given),
    )
    solution = solver.solve(targets)
    source.close()
    before = list(memory.read)
    told = notes(Solved(solution.resolutions, inputs, source))
    assert set(memory.read) == set(before)  # nothing more was opened
    # torch stands for any project here.
    unset = TorchBackendUnset
    return [one for one in told if not isinstance(one.finding, unset)], memory


def test_a_version_held_back_by_a_target_is_told_once_with_its_key() -> None:
    """One line for the project that has the cause, none for what follows from it."""
    (found,) = found_in(HELD)[0]
    assert found == Note(
        project="torch",
        versions=("2.11.0",),
        targets=("h100", "ci", "mac"),
        finding=Behind(
            newest="2.15.0",
            because=NoFile("mac", ("macosx_14_0_arm64",)),
            held_by="mac",
            aligned=("h100", "ci"),
            advice='set macos = "14.0" for target mac, if its machines have that',
        ),
        key="tool.polylock.targets.mac.macos",
    )
    assert note(found) == (
        "torch 2.11.0 instead of 2.15.0 on h100, ci, mac: no wheel fits mac: nearest "
        "are for macosx_14_0_arm64, and h100, ci must share its version (align); "
        'set macos = "14.0" for target mac, if its machines have that'
    )


def test_the_advice_moves_the_version() -> None:
    """What a note says to write makes it go away."""
    mac = {**MAC, "macos": "14.0"}
    assert not found_in({**HELD, "targets": {**HELD["targets"], "mac": mac}})[0]


def test_targets_that_go_their_own_way_hold_nobody_back() -> None:
    """Without align the target that lacks the file has a note of its own alone."""
    (found,) = found_in({**HELD, "align": "independent"})[0]
    assert found.targets == ("mac",)
    assert isinstance(found.finding, Behind)
    assert found.finding.held_by == ""


def test_a_build_deep_below_names_what_has_to_be_built() -> None:
    """An old version, since the new one needs a project that has to be built."""
    scenario = {
        "requires": ["kfp"],
        "packages": {
            "kfp": {"2.0": {"requires": ["kfp-server-api>=2"]}, "0.1": {}},
            "kfp-server-api": {
                "2.0": {"wheels": [], "sdist": {"build-refused": "build-package"}},
            },
        },
    }
    (found,) = found_in(scenario)[0]
    assert (found.project, found.versions) == ("kfp", ("0.1",))
    assert found.key == "tool.polylock.build-package"
    assert 'set build-package = ["kfp-server-api"]' in note(found)


def test_what_follows_from_the_old_version_is_not_its_cause() -> None:
    """The old kfp pins what the new one could not have beside it: a circle.

    The build that the new one needs depends on no pin, and so is the first cause.
    """
    scenario = {
        "requires": ["kfp"],
        "packages": {
            "kfp": {
                "2.0": {"requires": ["core>=2", "storage>=3", "kfp-server-api>=2"]},
                "0.1": {"requires": ["storage==1.0"]},
            },
            "storage": {"3.0": {"requires": ["core"]}, "1.0": {"requires": ["core<2"]}},
            "core": {"1.0": {}, "2.0": {}},
            "kfp-server-api": {
                "2.0": {"wheels": [], "sdist": {"build-refused": "build-package"}},
            },
        },
    }
    (found,) = found_in(scenario)[0]
    assert found.project == "kfp"
    assert note(found).startswith(
        "kfp 0.1 instead of 2.0 on one: 2.0 requires kfp-server"
    )


def test_a_slip_in_the_tag_of_a_wheel_is_no_advice() -> None:
    """There is no macOS 110, so nobody is told to set it."""
    torch = {
        "2.10": {"wheels": [MANY, "cp312-cp312-macosx_110_0_arm64"]},
        "2.9": {"wheels": [MANY, MAC_11]},
    }
    scenario = {**HELD, "packages": {"torch": torch}}
    (found,) = found_in(scenario)[0]
    assert found.key == "tool.polylock.align"
    assert 'macos = "110.0"' not in note(found)


def test_what_the_project_or_another_pin_asks_for_is_no_news() -> None:
    """An upper limit that somebody wrote is kept without a word."""
    packages = {
        "a": {"1.0": {"requires": ["b<2"]}},
        "b": {"1.0": {}, "2.0": {}},
        "c": {"1.0": {}, "2.0": {}},
    }
    assert not found_in({"requires": ["a", "c<2"], "packages": packages})[0]


def test_pins_that_the_lock_file_keeps_are_no_compromise() -> None:
    """An older pin that could be newer is what `--upgrade` is for."""
    scenario = {
        "requires": ["a"],
        "packages": {"a": {"1.0": {}, "2.0": {}}},
        "locked": {"one": {"a": "1.0"}},
    }
    assert not found_in(scenario)[0]


def test_a_release_with_bad_metadata_is_named() -> None:
    """The newest version cannot be read, and its line says why."""
    scenario = {
        "requires": ["a"],
        "packages": {"a": {"1.0": {}, "2.0": {"unusable": "has no METADATA"}}},
    }
    (found,) = found_in(scenario)[0]
    assert note(found) == "a 1.0 instead of 2.0 on one: has no METADATA"


def test_what_an_extra_in_use_requires_is_a_cause() -> None:
    """The newer jax fits by itself, and not with the extra that is asked for."""
    plugin = "cp312-cp312-manylinux_2_17_x86_64"
    scenario = {
        "requires": ["jax[cuda]"],
        "targets": {"h100": GPU, "mac": MAC},
        "packages": {
            "jax": {
                "0.12": {"requires": ["plugin; extra == 'cuda'"]},
                "0.4": {"requires": ["gone; extra == 'old'"]},
            },
            "plugin": {"1.0": {"wheels": [plugin]}},
        },
    }
    found = found_in(scenario)[0]
    behind = [each for each in found if isinstance(each.finding, Behind)]
    (told,) = behind
    assert told.project == "jax"
    assert told.targets == ("h100", "mac")
    assert note(told).startswith(
        "jax 0.4 instead of 0.12 on h100, mac: 0.12 requires plugin; plugin 1.0: no "
        "wheel fits mac"
    )


def test_what_follows_from_an_old_version_is_told_with_that() -> None:
    """Targets that lack the same file share a line, and so do projects below it."""
    scenario = {
        "requires": ["jax", "flax"],
        "align": "independent",
        "targets": {"h100": GPU, "mac": MAC, "older": {**MAC, "macos": "12.0"}},
        "packages": {
            "jax": {"0.12": {"wheels": [MANY]}, "0.4": {}},
            "flax": {"2.0": {"requires": ["jax>=0.12"]}, "1.0": {}},
        },
    }
    (told,) = found_in(scenario)[0]
    assert (told.project, told.targets) == ("jax", ("mac", "older"))


def test_a_version_that_nobody_is_meant_to_take_is_no_way_out() -> None:
    """A pre-release of who asks is not told as what could be newer."""
    scenario = {
        "requires": ["spacy", "thinc"],
        "packages": {
            "spacy": {
                "4.0.dev1": {"requires": ["thinc>=9"]},
                "3.8": {"requires": ["thinc<8.4"]},
            },
            "thinc": {"9.1": {}, "8.3": {}},
        },
    }
    targets = targets_of(scenario)
    inputs = inputs_of(scenario, targets)
    source = MemorySource(scenario["packages"])  # type: ignore[arg-type] # one literal
    (resolution,) = (
        Solver(inputs=inputs, source=source, reporter=Spy()).solve(targets).resolutions
    )
    reader = WhyNot(pinned_target(resolution, inputs), inputs=inputs, source=source)
    reason = reader.version(canonicalize_name("thinc"), "9.1")
    assert clause(reason) == "spacy 3.8 requires thinc<8.4"


def test_advice_to_let_targets_differ_was_tried() -> None:
    """Where the other target cannot have the version either, there is none."""
    packages: dict[str, Any] = {
        "app": {
            "2.0": {"wheels": [MANY], "requires": ["b>=2", "c>=2"]},
            "1.0": {},
        },
        "b": {"2.0": {"requires": ["d<1"]}, "1.0": {}},
        "c": {"2.0": {"requires": ["d>=1"]}, "1.0": {}},
        "d": {"1.0": {}, "0.9": {}},
    }
    targets = {"h100": GPU, "mac": MAC}
    scenario = {"requires": ["app"], "targets": targets, "packages": packages}
    for told in found_in(scenario)[0]:
        assert told.key != "tool.polylock.align"
        assert told.targets == ("mac",)  # what is in the way on h100 lies deeper
        assert "align" not in note(told)
    packages["d"]["0.9"] = {}
    packages["c"]["2.0"] = {"requires": ["d<1"]}
    (told,) = found_in(scenario)[0]
    assert told.key == "tool.polylock.align"


def test_an_override_is_not_told_as_the_own_requirement() -> None:
    """The requirement that is in the way is that of the setting."""
    scenario = {
        "requires": ["app"],
        "overrides": ["lib==1.0"],
        "targets": {"mac": MAC},
        "packages": {
            "app": {"2.0": {"requires": ["lib>=2"]}, "1.0": {}},
            "lib": {"2.0": {}, "1.0": {"wheels": [MANY]}},
        },
    }
    (told,) = found_in(scenario)[0]
    assert note(told).startswith(
        "app 1.0 instead of 2.0 on mac: 2.0 requires, by override-dependencies, "
        "lib==1.0; lib 1.0: no wheel fits mac"
    )
