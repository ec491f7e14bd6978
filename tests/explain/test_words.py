"""Reasons in words: each kind has its sentence, on one line."""

from __future__ import annotations

from typing import get_args

import pytest

from polylock.explain.reasons import (
    AlignedWith,
    BuildCycle,
    ConflictsWithPins,
    Contradicts,
    DirectReference,
    DirectSourceNamed,
    Excluded,
    FilesOut,
    GivenUp,
    HeldBack,
    InvalidMetadata,
    LabelExcluded,
    LabelLost,
    LabelNotPinned,
    LabelUndescribed,
    LowestWanted,
    NeedsBuild,
    NoFile,
    NoSuchProject,
    NoSuchVersion,
    NotExamined,
    NotOpened,
    NotRequired,
    NoUploadTime,
    OfLabels,
    OlderPinKept,
    PackageOrigin,
    PinnedLabelMissing,
    PreRelease,
    PropertyUnmet,
    PythonUnmet,
    Reason,
    Request,
    RequiresItself,
    RootOrigin,
    SdistBehindWheel,
    SettingOrigin,
    Unfit,
    Unopposed,
    UploadedLater,
    VariantRequired,
    WheelsForbidden,
    Yanked,
)
from polylock.explain.words import about, clause, origin, request
from polylock.model.requirements import Requirement
from polylock.variants.properties import VariantProperty

LOWER = "cuda_version_lower_bound"

B2 = Requirement(name="b", specifier="<2")
FROM_PROJECT = Request(RootOrigin(), Requirement(name="a"))
FROM_A = Request(PackageOrigin("a", "1.0"), Requirement(name="mid"))
FROM_MID = Request(
    PackageOrigin("mid", "3.0", extra="gpu"), Requirement.parse("b<2; extra == 'gpu'")
)
SM90, SM80 = (VariantProperty("nvidia", "sm_arch", v) for v in ("90_real", "80_real"))
V3 = VariantProperty("x86_64", "level", "v3")

WORDS: list[tuple[Reason, str]] = [
    (Excluded((Request(RootOrigin(), B2),)), "the project requires b<2"),
    (
        Excluded((FROM_PROJECT, FROM_A, FROM_MID)),
        "mid[gpu] 3.0 requires b<2, by way of a",
    ),
    (
        Excluded((Request(SettingOrigin("constraint-dependencies"), B2),)),
        "constraint-dependencies has b<2",
    ),
    (
        Excluded((Request(SettingOrigin("--upgrade-package"), B2),)),
        "--upgrade-package asks for b<2",
    ),
    (
        Excluded(
            (FROM_PROJECT, Request(PackageOrigin("a", "1.0"), B2)), "2.0", Yanked()
        ),
        "a 1.0 requires b<2; a 2.0: yanked",
    ),
    (NoSuchProject("b"), "no index has b"),
    (
        NoSuchVersion("default", "1.0", "2.0"),
        "the index does not have it: it has 1.0 to 2.0",
    ),
    (
        NoSuchVersion("own", "1.0", "1.0"),
        "index own does not have it: it has 1.0",
    ),
    (NoSuchVersion("own"), "index own does not have it"),
    (Yanked(), "yanked"),
    (Yanked("broken\nfile"), "yanked: broken\\nfile"),
    (PreRelease(), "pre-releases are not admitted"),
    (UploadedLater(), "uploaded after exclude-newer"),
    (NoUploadTime(), "no upload time, which exclude-newer requires"),
    (Unfit(), "its tags do not fit the target"),
    (Unfit(("py3-none-win32",)), "no wheel for this machine: there is py3-none-win32"),
    (NoFile("cpu"), "no wheel fits cpu"),
    (NoFile("cpu", has_wheels=False), "has no file that can be installed"),
    (NoFile("cpu", ("win32",)), "no wheel fits cpu: nearest are for win32"),
    (
        NoFile("cpu", ("win32",), is_near=False),
        "no wheel fits cpu: there are some for win32",
    ),
    (PythonUnmet(">=3.14"), "requires Python >=3.14"),
    (
        NeedsBuild(),
        (
            "its source distribution must be built to know what it requires, and "
            "build-package does not name it"
        ),
    ),
    (
        NeedsBuild("no-build-package", is_static=True),
        "its source distribution must be built, and no-build-package forbids that",
    ),
    (
        NeedsBuild("build", is_static=True),
        'its source distribution must be built, and build = "none" forbids that',
    ),
    (BuildCycle(("a", "b", "a")), "is needed to build itself: a -> b -> a"),
    (WheelsForbidden(), "has wheels, which no-binary-package forbids"),
    (
        InvalidMetadata("no name", line="Requires-Dist: \x1b[2K", file="a.whl"),
        'a.whl: no name, in the line "Requires-Dist: \\x1b[2K"',
    ),
    (
        DirectReference(Requirement.parse("b @ https://example.org/b.whl")),
        "requires b @ https://example.org/b.whl, a direct reference",
    ),
    (RequiresItself(B2), "requires another version of itself: b<2"),
    (NotOpened(), "is a source distribution, and no more of them are opened"),
    (LabelUndescribed(), "not in the variant metadata"),
    (LabelExcluded("nvidia"), "exclude-variants has nvidia"),
    (LabelNotPinned("cpu", ""), "target cpu pins no label"),
    (
        PinnedLabelMissing("cpu", "cu12", ("cu13",)),
        "has no variant cu12, which cpu pins; there is: cu13",
    ),
    (VariantRequired(("nvidia",)), "require-variants asks for nvidia"),
    (VariantRequired(("acme",)), "require-variants asks for acme"),
    (VariantRequired(("torch@cu",)), "require-variants asks for torch@cu"),
    (
        VariantRequired(("nvdia :: sm_arch",)),
        "require-variants asks for nvdia :: sm_arch (did you mean nvidia :: sm_arch?)",
    ),
    (
        VariantRequired(("nvidia :: smarch",)),
        "require-variants asks for nvidia :: smarch (did you mean nvidia :: sm_arch?)",
    ),
    (
        VariantRequired((LOWER,)),
        f"require-variants asks for {LOWER} (did you mean nvidia :: {LOWER}?)",
    ),
    (
        VariantRequired(("amd", "nvidia"), ("x86_64",)),
        "require-variants asks for amd or nvidia, and the label has x86_64",
    ),
    (
        OfLabels(("", "v3"), VariantRequired(("nvidia",))),
        "label v3 and files without a label: require-variants asks for nvidia",
    ),
    (SdistBehindWheel(), "a wheel is preferred to the source distribution"),
    (
        PropertyUnmet("nvidia", "sm_arch", ("90_real",), ("80_real",)),
        "needs nvidia :: sm_arch :: 90_real, and the target supports 80_real",
    ),
    (
        PropertyUnmet("abi_dependency", "torch", ("2.9",), ("2.10",), gap="abi"),
        "needs abi_dependency :: torch :: 2.9, and torch is 2.10",
    ),
    (
        PropertyUnmet("n", "f", tuple("abcdefghij"), tuple("zyxwvutsr")),
        (
            "needs one of n :: f :: a, b, c, d, e, f, g, h and 2 more, and the target "
            "supports z, y, x, w, v, u, t, s and 1 more"
        ),
    ),
    (
        PropertyUnmet("amd", "gfx", ("a", "b"), gap="namespace"),
        "needs one of amd :: gfx :: a, b, and the target supports no amd property",
    ),
    (
        PropertyUnmet("amd", "gfx", ("a",), gap="priorities"),
        (
            "needs amd :: gfx :: a, a namespace that default-priorities.namespace does "
            "not list"
        ),
    ),
    (
        PropertyUnmet("abi_dependency", "torch", ("2.9",), gap="abi"),
        "needs abi_dependency :: torch :: 2.9, and what is installed is not known",
    ),
    (LabelLost(winner="w", pattern="cpu"), "lost to w: prefer-variants has cpu"),
    (
        LabelLost(winner="w", is_plain=True),
        "lost to w: a variant that fits is preferred to a wheel without a label",
    ),
    (
        LabelLost(winner="w"),
        "lost to w, which comes first by its name: their properties are equal",
    ),
    (
        LabelLost(winner="w", winning=SM90, losing=SM80),
        "lost to w on nvidia :: sm_arch: 90_real is preferred to 80_real",
    ),
    (
        LabelLost(winner="w", winning=V3, losing=SM80),
        (
            "lost to w on x86_64 :: level, which weighs more than nvidia :: sm_arch: w "
            "has v3, this one asks for none"
        ),
    ),
    (
        LabelLost(winner="w", winning=V3),
        "lost to w, which has x86_64 :: level :: v3, while this one has no property",
    ),
    (
        LabelLost(winner="w", winning=V3, shares=True),
        "lost to w, which has x86_64 :: level :: v3 besides",
    ),
    (OfLabels(("cu12", "cu13"), Yanked()), "label cu12, cu13: yanked"),
    (
        Contradicts(B2, because=NoSuchProject("b")),
        "requires b<2, and no index has b",
    ),
    (Contradicts(B2, "2.0"), "requires b<2, and b is 2.0"),
    (
        Contradicts(B2, "2.0", "1.0", NoFile("cpu", ("win32",))),
        "requires b<2; b 1.0: no wheel fits cpu: nearest are for win32",
    ),
    (
        Contradicts(B2, "2.0", because=NoSuchVersion("default", "2.0", "2.0")),
        "requires b<2, and the index has 2.0",
    ),
    (FilesOut((Yanked(), PythonUnmet(">=4"))), "yanked; requires Python >=4"),
    (
        GivenUp("cu12", Contradicts(B2, "2.0")),
        "better than cu12, but it requires b<2, and b is 2.0",
    ),
    (
        GivenUp("cu12", Unfit()),
        "better than cu12, but its tags do not fit the target",
    ),
    (GivenUp("cu12", Yanked("broken")), "better than cu12, but yanked: broken"),
    (
        GivenUp("", Unopposed("b")),
        (
            "better than no label by the index as it is now, and compatible with "
            "what is locked; `polylock lock --upgrade-package b` tries it"
        ),
    ),
    (
        HeldBack("mac", PythonUnmet(">=3.14")),
        (
            "held back for mac (requires Python >=3.14), since targets share a version "
            "where they can (align)"
        ),
    ),
    (
        AlignedWith(("mac", "win"), "1.0"),
        "mac, win must have 1.0, and align requires one version",
    ),
    (
        NotRequired("torch", "2.9"),
        "is built against torch 2.9, and nothing requires that",
    ),
    (ConflictsWithPins(), "conflicts with the other pins"),
    (OlderPinKept("1.0"), "1.0 is locked, and pins are kept while they fit"),
    (LowestWanted("lowest"), 'resolution = "lowest" takes the lowest that fits'),
    (DirectSourceNamed(), "the project names a direct source"),
    (NotExamined(8), "not examined: only the newest 8 were"),
    (
        Unopposed("b"),
        (
            "compatible with everything that is locked, so it may be newer than the "
            "lock file: `polylock lock --upgrade-package b` tries it"
        ),
    ),
]


@pytest.mark.parametrize(("reason", "words"), WORDS)
def test_each_kind_has_its_words(reason: Reason, words: str) -> None:
    """A reason is one clause, without a line break whatever others wrote."""
    told = clause(reason)

    assert told == words
    assert told.isprintable()


def test_every_kind_is_tried() -> None:
    """The table above leaves out no kind."""
    assert {type(reason) for reason, _ in WORDS} == set(get_args(Reason))


@pytest.mark.parametrize(
    ("who", "words"),
    [
        (RootOrigin("group", "dev"), "group dev"),
        (RootOrigin("target", "h100"), "target h100"),
        (PackageOrigin("a", "1.0", label="cu13"), "a 1.0 (cu13)"),
        (PackageOrigin("a", "1.0\u202e"), "a 1.0\\u202e"),
        (SettingOrigin("override-dependencies"), "override-dependencies"),
    ],
)
def test_who_asks(who: RootOrigin | PackageOrigin | SettingOrigin, words: str) -> None:
    """Whoever asks is named as a noun phrase."""
    assert origin(who) == words


@pytest.mark.parametrize(
    ("reason", "one", "many"),
    [
        (PythonUnmet(">=4"), "a 1 requires Python >=4", "a 1 require Python >=4"),
        (
            RequiresItself(B2),
            "a 1 requires another version of itself: b<2",
            "a 1 require another version of itself: b<2",
        ),
        (
            NotRequired("b", "2"),
            "a 1 is built against b 2, and nothing requires that",
            "a 1: is built against b 2, and nothing requires that",
        ),
        (Yanked(), "a 1: yanked", "a 1: yanked"),
    ],
)
def test_what_is_said_of_versions(reason: Reason, one: str, many: str) -> None:
    """A requirement is the predicate of its sentence, all else follows a colon."""
    assert about("a 1", reason) == one
    assert about("a 1", reason, many=True) == many


def test_a_long_list_of_extras_is_left_out() -> None:
    """Extras exclude no version, and a dozen of them hide what does."""
    few = Request(RootOrigin(), Requirement.parse("a[x,y,z]==1"))
    many = Request(RootOrigin(), Requirement.parse("a[w,x,y,z]==1"))
    assert request(few) == "the project requires a[x,y,z]==1"
    assert request(many) == "the project requires a==1"


def test_request_shows_its_requirement() -> None:
    """A request says who asks and for what."""
    assert request(FROM_MID) == "mid[gpu] 3.0 requires b<2"
