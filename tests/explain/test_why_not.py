"""Why not this version of a project, for this target: the first cause, as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from packaging.utils import canonicalize_name

from fakes.scenarios import inputs_of, preferences_of, targets_of
from fakes.source import MemorySource
from polylock.explain.pinned_target import pinned_target
from polylock.explain.reasons import (
    Contradicts,
    DirectReference,
    Excluded,
    FilesOut,
    HeldBack,
    InvalidMetadata,
    LowestWanted,
    NeedsBuild,
    NoFile,
    NoSuchProject,
    NoSuchVersion,
    NotExamined,
    OfLabels,
    PackageOrigin,
    PinnedLabelMissing,
    PreRelease,
    PropertyUnmet,
    PythonUnmet,
    Request,
    RequiresItself,
    RootOrigin,
    SettingOrigin,
    Unopposed,
    UploadedLater,
    WheelsForbidden,
    Yanked,
)
from polylock.explain.why_not import WhyNot
from polylock.explain.words import clause
from polylock.model.requirements import Requirement
from polylock.ports import SilentReporter
from polylock.resolution.solve import Solver

if TYPE_CHECKING:
    from polylock.explain.reasons import Reason

LINUX_ONLY = "cp312-cp312-manylinux_2_17_x86_64"
TWO = {
    "box": {"platform": "linux-x86_64", "python": "3.12"},
    "mac": {"platform": "macos-arm64", "python": "3.12", "macos": "13.0"},
}


def readers(scenario: dict[str, Any]) -> list[WhyNot]:
    """Solve a scenario; return what explains it, target by target."""
    targets = targets_of(scenario)
    inputs, source = inputs_of(scenario, targets), MemorySource(scenario["packages"])
    solver = Solver(
        inputs=inputs,
        source=source,
        reporter=SilentReporter(),
        preferences=preferences_of(scenario),
    )
    return [
        WhyNot(pinned_target(found, inputs), inputs=inputs, source=source)
        for found in solver.solve(targets).resolutions
    ]


def why_not(scenario: dict[str, Any], name: str, version: str) -> Reason:
    """Return why the first target has not a version."""
    first, *others = readers(scenario)
    return first.version(canonicalize_name(name), version, others)


def required(text: str, *, by: str = "", version: str = "1.0") -> Request:
    """Return what a package requires, or the project itself."""
    who = PackageOrigin(by, version) if by else RootOrigin()
    return Request(who, Requirement.parse(text))


VARIANTS = {
    "$schema": "https://variants-schema.wheelnext.dev/peps/825/v0.1.1.json",
    "default-priorities": {"namespace": ["x86_64"]},
    "variants": {"v4": {"x86_64": {"level": ["v4"]}}},
}

CASES: dict[str, tuple[dict[str, Any], Reason]] = {
    "the project": (
        {"requires": ["a<2"], "packages": {"a": {"1": {}, "2": {}}}},
        Excluded((required("a<2"),)),
    ),
    "a group": (
        {
            "requires": ["a"],
            "groups": {"dev": ["a<2"]},
            "packages": {"a": {"1": {}, "2": {}}},
        },
        Excluded((Request(RootOrigin("group", "dev"), Requirement.parse("a<2")),)),
    ),
    "a constraint": (
        {
            "requires": ["a"],
            "constraints": ["a<2"],
            "packages": {"a": {"1": {}, "2": {}}},
        },
        Excluded(
            (
                Request(
                    SettingOrigin("constraint-dependencies"), Requirement.parse("a<2")
                ),
            )
        ),
    ),
    "an override": (
        {
            "requires": ["a>=2"],
            "overrides": ["a<2"],
            "packages": {"a": {"1": {}, "2": {}}},
        },
        Excluded(
            (Request(SettingOrigin("override-dependencies"), Requirement.parse("a<2")),)
        ),
    ),
    "a chain of parents": (
        {
            "requires": ["top"],
            "packages": {
                "top": {"1.0": {"requires": ["mid"]}},
                "mid": {"1.0": {"requires": ["a<2"]}},
                "a": {"1": {}, "2": {}},
            },
        },
        Excluded(
            (required("top"), required("mid", by="top"), required("a<2", by="mid"))
        ),
    ),
    "an extra of a parent": (
        {
            "requires": ["top[x]"],
            "packages": {
                "top": {"1.0": {"requires": ["a<2; extra == 'x'"]}},
                "a": {"1": {}, "2": {}},
            },
        },
        Excluded(
            (
                required("top[x]"),
                Request(
                    PackageOrigin("top", "1.0", extra="x"),
                    Requirement.parse("a<2; extra == 'x'"),
                ),
            )
        ),
    ),
    "not on the index": (
        {"requires": ["a"], "packages": {"a": {"1": {}, "3": {}}}},
        NoSuchVersion("memory", "1", "3"),
    ),
    "yanked": (
        {"requires": ["a"], "packages": {"a": {"1": {}, "2": {"yanked": "broken"}}}},
        Yanked("broken"),
    ),
    "a pre-release": (
        {"requires": ["a"], "packages": {"a": {"1": {}, "2rc1": {}}}},
        PreRelease(),
    ),
    "uploaded later": (
        {
            "requires": ["a"],
            "exclude-newer": 5,
            "packages": {"a": {"1": {"uploaded": 4}, "2": {"uploaded": 6}}},
        },
        UploadedLater(),
    ),
    "no file": (
        {
            "requires": ["a"],
            "packages": {
                "a": {"1": {}, "2": {"wheels": ["cp312-cp312-macosx_11_0_arm64"]}}
            },
        },
        NoFile("one", ("macosx_11_0_arm64",), is_near=False),
    ),
    "Python by the index": (
        {
            "requires": ["a"],
            "packages": {"a": {"1": {}, "2": {"requires-python": ">=3.14"}}},
        },
        PythonUnmet(">=3.14"),
    ),
    "Python by the metadata": (
        {
            "requires": ["a"],
            "packages": {"a": {"1": {}, "2": {"metadata-requires-python": ">=3.14"}}},
        },
        PythonUnmet(">=3.14"),
    ),
    "metadata": (
        {"requires": ["a"], "packages": {"a": {"1": {}, "2": {"unusable": "torn"}}}},
        InvalidMetadata("torn"),
    ),
    "a build": (
        {
            "requires": ["a"],
            "packages": {
                "a": {
                    "1": {},
                    "2": {"wheels": [], "sdist": {"build-refused": "build-package"}},
                }
            },
        },
        NeedsBuild("build-package"),
    ),
    "no-build-package": (
        {
            "requires": ["a"],
            "no-build-packages": ["a"],
            "packages": {"a": {"1": {}, "2": {"wheels": [], "sdist": True}}},
        },
        NeedsBuild("no-build-package", is_static=True),
    ),
    "no-binary-package": (
        {
            "requires": ["a"],
            "no-binary-packages": ["a"],
            "packages": {"a": {"1": {"sdist": True}, "2": {}}},
        },
        WheelsForbidden(),
    ),
    "a direct reference": (
        {
            "requires": ["a"],
            "packages": {
                "a": {"1": {}, "2": {"requires": ["b @ https://example.org/b.whl"]}}
            },
        },
        DirectReference(Requirement.parse("b @ https://example.org/b.whl")),
    ),
    "itself": (
        {
            "requires": ["a"],
            "packages": {"a": {"1": {}, "2": {"requires": ["a<2"]}}},
        },
        RequiresItself(Requirement.parse("a<2")),
    ),
    "a label's property": (
        {
            "requires": ["a"],
            "packages": {
                "a": {"1": {}, "2": {"wheels": [{"label": "v4"}], "variants": VARIANTS}}
            },
        },
        OfLabels(
            ("v4",),
            PropertyUnmet("x86_64", "level", ("v4",), ("v1",)),
        ),
    ),
    "a pinned label": (
        {
            "requires": ["a"],
            "targets": {
                "one": {
                    "platform": "linux-x86_64",
                    "python": "3.12",
                    "cpu": "x86-64-v4",
                    "variants": {"a": "v4"},
                }
            },
            "packages": {
                "a": {"1": {"wheels": [{"label": "v4"}], "variants": VARIANTS}, "2": {}}
            },
        },
        PinnedLabelMissing("one", "v4", ()),
    ),
    "a project that nobody has": (
        {"requires": ["a"], "packages": {"a": {"1": {}, "2": {"requires": ["b"]}}}},
        Contradicts(Requirement.parse("b"), because=NoSuchProject("b", ("memory",))),
    ),
    "a version that nobody has": (
        {
            "requires": ["a"],
            "packages": {"a": {"1": {}, "2": {"requires": ["b>1"]}}, "b": {"1": {}}},
        },
        Contradicts(
            Requirement.parse("b>1"), because=NoSuchVersion("memory", "1", "1")
        ),
    ),
    "a new dependency that needs a build": (
        {
            "requires": ["a"],
            "packages": {
                "a": {"1": {}, "2": {"requires": ["b"]}},
                "b": {"3": {"wheels": [], "sdist": {"build-refused": "build-package"}}},
            },
        },
        Contradicts(Requirement.parse("b"), newest="3", because=NeedsBuild()),
    ),
    "another requirement of the project": (
        {
            "requires": ["a", "b<2"],
            "packages": {
                "a": {"1": {}, "2": {"requires": ["b>=2"]}},
                "b": {"1": {}, "2": {}},
            },
        },
        Contradicts(Requirement.parse("b>=2"), "1", "2", Excluded((required("b<2"),))),
    ),
    "lowest": (
        {
            "requires": ["a"],
            "resolution": "lowest",
            "packages": {"a": {"1": {}, "2": {}}},
        },
        LowestWanted("lowest"),
    ),
    "nothing": (
        {
            "requires": ["a"],
            "locked": {"one": {"a": "1"}},
            "packages": {"a": {"1": {}, "2": {}}},
        },
        Unopposed("a"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_reason_of_a_solve(case: str) -> None:
    """Each kind is found in the answer of a solve, for version 2 of ``a``."""
    scenario, reason = CASES[case]
    version = next((v for v in scenario["packages"]["a"] if v.startswith("2")), "2")

    assert why_not(scenario, "a", version) == reason


def test_what_another_pin_excludes_is_followed_to_its_cause() -> None:
    """A pin that is where it is for the sake of an old version is no reason."""
    cuda: dict[str, Any] = {"13.0": {}, "13.2": {}}
    scenario = {
        "requires": ["torch"],
        "targets": TWO,
        "packages": {
            "torch": {
                "2.11": {"requires": ["cuda==13.0"]},
                "2.15": {"requires": ["cuda==13.2"], "wheels": [LINUX_ONLY]},
            },
            "cuda": cuda,
        },
    }
    found = why_not(scenario, "torch", "2.15")

    assert found == HeldBack(
        "mac", NoFile("mac", ("manylinux_2_17_x86_64",), is_near=False)
    )


def test_dependency_of_what_another_target_holds_back_names_that_target() -> None:
    """What an old parent holds is held by the target that keeps the parent old."""
    scenario = {
        "requires": ["torch"],
        "targets": TWO,
        "packages": {
            "torch": {
                "2.11": {"requires": ["cuda==13.0; sys_platform == 'linux'"]},
                "2.15": {"requires": ["cuda==13.2"], "wheels": [LINUX_ONLY]},
            },
            "cuda": {"13.0": {}, "13.2": {}},
        },
    }

    found = why_not(scenario, "cuda", "13.2")

    assert isinstance(found, Excluded)
    assert found.newer == "2.15"
    assert found.because == HeldBack(
        "mac", NoFile("mac", ("manylinux_2_17_x86_64",), is_near=False)
    )
    assert clause(found) == (
        "torch 2.11 requires cuda==13.0; torch 2.15: held back for mac (no wheel fits "
        "mac: there are some for manylinux_2_17_x86_64), since targets share a version "
        "where they can (align)"
    )


def test_dependency_of_what_is_held_back_names_that() -> None:
    """A pin that an old parent holds leads to why the parent is not newer."""
    scenario = {
        "requires": ["torch", "numpy<2"],
        "packages": {
            "torch": {
                "2.11": {"requires": ["cuda==13.0"]},
                "2.15": {"requires": ["cuda==13.2", "numpy>=2"]},
            },
            "cuda": {"13.0": {}, "13.2": {}},
            "numpy": {"1.26": {}, "2.0": {}},
        },
    }

    found = why_not(scenario, "cuda", "13.2")

    assert isinstance(found, Excluded)
    assert found.chain[-1] == required("cuda==13.0", by="torch", version="2.11")
    assert found.newer == "2.15"
    assert found.because == Contradicts(
        Requirement.parse("numpy>=2"), "1.26", "2.0", Excluded((required("numpy<2"),))
    )


def test_projects_that_require_each_other_in_step_lead_to_the_cause() -> None:
    """A circle of requirements is followed once, to the one that cannot move."""
    packages: dict[str, Any] = {
        name: {version: {"requires": [f"{other}=={version}"]} for version in "12"}
        for name, other in (("a", "b"), ("b", "c"), ("c", "a"))
    }
    packages["c"]["2"]["wheels"] = ["cp312-cp312-win_amd64"]

    found = why_not({"requires": ["a"], "packages": packages}, "a", "2")

    chain = (
        required("a"),
        required("b==1", by="a", version="1"),
        required("c==1", by="b", version="1"),
        required("a==1", by="c", version="1"),
    )
    no_wheel = NoFile("one", ("win_amd64",), is_near=False)
    assert found == Excluded(chain, "2", no_wheel)


def test_what_the_version_would_not_need_is_no_reason() -> None:
    """A pin that only the old version brings in does not keep the new one out."""
    scenario = {
        "requires": ["a"],
        "locked": {"one": {"a": "1"}},
        "packages": {
            "a": {"1": {"requires": ["old"]}, "2": {}},
            "old": {"1.0": {"requires": ["a==1"]}},
        },
    }

    assert why_not(scenario, "a", "2") == Unopposed("a")


def test_versions_are_gathered_by_their_reason() -> None:
    """Newest first; versions that were not opened say how many were."""
    versions = {f"{n}": {"unusable": "torn"} for n in range(2, 14)}
    (reader,) = readers({"requires": ["a<2"], "packages": {"a": {"1": {}, **versions}}})
    first = reader.newer(canonicalize_name("a"))
    (reader,) = readers(
        {
            "requires": ["a"],
            "packages": {"a": {"1": {}, **versions}},
        }
    )
    second = reader.newer(canonicalize_name("a"))

    assert [each.versions for each in first] == ["2 to 13"]
    assert [(each.versions, each.reason) for each in second] == [
        ("6 to 13", InvalidMetadata("torn")),
        ("2 to 5", NotExamined(8)),
    ]


def test_what_another_target_lacks_is_known_of_every_version() -> None:
    """File names tell it, so versions that are not opened have their reason as well."""
    versions = {f"{n}": {"wheels": [LINUX_ONLY]} for n in range(2, 14)}
    first, *others = readers(
        {"requires": ["a"], "targets": TWO, "packages": {"a": {"1": {}, **versions}}}
    )

    (found,) = first.newer(canonicalize_name("a"), others)

    assert found.versions == "2 to 13"
    assert isinstance(found.reason, HeldBack)


def test_independent_targets_hold_nothing_back() -> None:
    """Without alignment another target is no reason."""
    scenario = {
        "requires": ["a"],
        "align": "independent",
        "targets": TWO,
        "locked": {"box": {"a": "1"}},
        "packages": {"a": {"1": {}, "2": {"wheels": [LINUX_ONLY]}}},
    }

    assert why_not(scenario, "a", "2") == Unopposed("a")


def test_files_that_are_out_for_different_reasons() -> None:
    """Each reason is kept where the files of a version are out for several."""
    scenario: dict[str, Any] = {
        "requires": ["a"],
        "packages": {
            "a": {
                "1": {},
                "2": {
                    "wheels": [
                        {"label": "v4"},
                        {"requires-python": ">=3.14"},
                    ],
                    "variants": VARIANTS,
                },
            }
        },
    }

    found = why_not(scenario, "a", "2")

    assert isinstance(found, FilesOut)
    assert set(found.reasons) == {
        OfLabels(("v4",), PropertyUnmet("x86_64", "level", ("v4",), ("v1",))),
        PythonUnmet(">=3.14"),
    }
