"""The keys of ``[tool.polylock]``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from polylock.errors import ProjectError
from polylock.model.inputs import IndexLocation, IndexSource, Inputs
from polylock.model.requirements import Requirement

if TYPE_CHECKING:
    from fakes.projects import Load

INDEX = '[[tool.polylock.index]]\nname = "a"\nurl = "https://a.example.com/simple"\n'
SOURCE = INDEX + "[tool.polylock.sources]\n"


def failure(load: Load, text: str) -> ProjectError:
    """Return the error that loading the text raises."""
    with pytest.raises(ProjectError) as caught:
        load(text)
    return caught.value


def test_defaults(load: Load) -> None:
    """A project without settings has the defaults of Inputs, and one index."""
    inputs = load("").inputs
    assert inputs == Inputs(indexes=inputs.indexes)


def test_every_key(load: Load) -> None:
    """Every key is read, its value normalized."""
    inputs = load(
        """
[tool.polylock]
exclude-newer = 2026-11-01T02:00:00.5+02:00
constraint-dependencies = ["GRPCIO < 1.70"]
override-dependencies = ["numpy[Fast] == 2.*"]
resolution = "lowest-direct"
prerelease = "allow"
align = "require"
default-target = "box"
exclude-variants = ["nvidia", "blas_lapack::provider::mkl", "Py_Torch @ cu130"]
require-variants = { Py_Torch = "py.torch @ cu130", a = ["n", "b::c", "n"] }
prefer-variants = ["z :: z", "a"]
enable-providers = ["tpu", "amd"]
build = "none"
build-package = ["Doc_Opt", "a"]
no-build-package = ["b"]
no-binary-package = ["c"]

[[tool.polylock.index]]
name = "one"
url = "https://one.example.com/simple"

[[tool.polylock.index]]
name = "two"
url = "file:///srv/simple"
explicit = true

[tool.polylock.sources]
Py_Torch = [
  { index = "two", properties = ["nvidia::sm_arch::90_real"], targets = ["box"] },
  { index = "one" },
]
"""
    ).inputs
    cutoff = datetime(2026, 11, 1, 0, 0, 0, 500_000, tzinfo=UTC)
    assert inputs == Inputs(
        constraints=(Requirement("grpcio", "<1.70"),),
        overrides=(Requirement("numpy", "==2.*", ("fast",)),),
        indexes=(
            IndexLocation(name="one", url="https://one.example.com/simple"),
            IndexLocation(name="two", url="file:///srv/simple", explicit=True),
        ),
        sources={
            "py-torch": (
                IndexSource(
                    index="two",
                    properties=("nvidia :: sm_arch :: 90_real",),
                    targets=("box",),
                ),
                IndexSource(index="one"),
            )
        },
        exclude_newer=int(cutoff.timestamp() * 1_000_000),
        resolution="lowest-direct",
        prerelease="allow",
        align="require",
        default_target="box",
        exclude_variants=(
            "blas_lapack :: provider :: mkl",
            "nvidia",
            "py-torch@cu130",
        ),
        prefer_variants=("z :: z", "a"),
        require_variants={"a": ("b :: c", "n"), "py-torch": ("py-torch@cu130",)},
        enable_providers=("amd", "tpu"),
        build="none",
        build_packages=("a", "doc-opt"),
        no_build_packages=("b",),
        no_binary_packages=("c",),
    )


@pytest.mark.parametrize(
    ("value", "groups"),
    [('["Test", "a"]', ("a", "test")), ("[]", ()), ('"all"', ("a", "b", "test"))],
)
def test_default_groups(load: Load, value: str, groups: tuple[str, ...]) -> None:
    """Names in any spelling, or all; without the key the project says nothing."""
    declared = "[dependency-groups]\ntest = []\nb = []\na = []\n"
    found = load(f"[tool.polylock]\ndefault-groups = {value}\n{declared}").inputs
    assert found.default_groups == groups
    assert load(declared).inputs.default_groups is None


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ('"2026-11-01T00:00:00Z"', datetime(2026, 11, 1, tzinfo=UTC)),
        ('"2026-11-01t00:00:00z"', datetime(2026, 11, 1, tzinfo=UTC)),
        ('"2026-11-01 01:30:00+01:30"', datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T00:00:00Z", datetime(2026, 11, 1, tzinfo=UTC)),
        (
            '"2026-11-01T00:00:00.123456789Z"',
            datetime(2026, 11, 1, 0, 0, 0, 123_456, tzinfo=UTC),
        ),
        ("2026-11-01", datetime(2026, 11, 1, 23, 59, 59, 999_999, tzinfo=UTC)),
        ('"2026-11-01"', datetime(2026, 11, 1, 23, 59, 59, 999_999, tzinfo=UTC)),
    ],
)
def test_exclude_newer(load: Load, value: str, moment: datetime) -> None:
    """A cutoff is a moment with an offset, or a date: its last microsecond, UTC."""
    found = load(f"[tool.polylock]\nexclude-newer = {value}\n").inputs.exclude_newer
    assert found is not None
    assert datetime.fromtimestamp(found // 1_000_000, UTC) == moment.replace(
        microsecond=0
    )
    assert found % 1_000_000 == moment.microsecond


@pytest.mark.parametrize("value", ["7 days", "1 week", "P7D", "PT168H", "7d"])
def test_exclude_newer_as_a_span(load: Load, value: str) -> None:
    """A span has no time yet: that is taken when locking."""
    inputs = load(f'[tool.polylock]\nexclude-newer = "{value}"\n').inputs
    assert inputs.exclude_newer is None
    assert inputs.exclude_newer_spans == {"": 7 * 86_400}


def test_exclude_newer_of_projects(load: Load) -> None:
    """A project has a time, a date, a span or no cutoff; its name is normalized."""
    inputs = load(
        "[tool.polylock.exclude-newer-package]\n"
        'Py_Torch = "1 week"\na = false\nb = "1970-01-01"\n'
        "c = 1970-01-01T00:00:01Z\n"
    ).inputs
    assert inputs.exclude_newer is None
    assert inputs.exclude_newer_package == {
        "a": None,
        "b": 86_400_000_000 - 1,
        "c": 1_000_000,
    }
    assert inputs.exclude_newer_spans == {"py-torch": 7 * 86_400}


@pytest.mark.parametrize(
    ("text", "key", "problem"),
    [
        ("a = true", "a", "must be a date and time, or a span, or false, not a bool"),
        ("a = 7", "a", "must be a date and time, or a span, or false, not an integer"),
        ('a = "soon"', "a", "neither an RFC 3339"),
        ('"-" = false', "-", "is not a valid name"),
        ("a-b = false\nA_b = false", "A_b", "the project a-b is named twice"),
    ],
)
def test_wrong_exclude_newer_of_projects(
    load: Load, text: str, key: str, problem: str
) -> None:
    """The error names the project."""
    error = failure(load, f"[tool.polylock.exclude-newer-package]\n{text}\n")
    assert error.key == f"tool.polylock.exclude-newer-package.{key}"
    assert problem in error.problem


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("2026-11-01T00:00:00", "no offset from UTC"),
        ('"2026-11-01T00:00:00"', "neither an RFC 3339"),
        ('"2026-11"', "neither an RFC 3339"),
        ('"yesterday"', "neither an RFC 3339"),
        ('"2026-02-30"', "not a valid time"),
        ('"2026-11-01T25:00:00Z"', "not a valid time"),
        ('"1 month"', "has no fixed length"),
        ('"P1Y"', "has no fixed length"),
        ('"P1M2D"', "has no fixed length"),
        ('"7 fortnights"', "neither an RFC 3339"),
        ('"40000 days"', "longer than a hundred years"),
        ("false", "must be a date and time, or a span, not a bool"),
        ("20261101", "must be a date and time, or a span, not an integer"),
        ("10:00:00", "must be a date and time, or a span, not a time"),
    ],
)
def test_wrong_exclude_newer(load: Load, value: str, problem: str) -> None:
    """What is no moment is refused with the reason."""
    error = failure(load, f"[tool.polylock]\nexclude-newer = {value}\n")
    assert error.key == "tool.polylock.exclude-newer"
    assert problem in error.problem


def test_explicit_indexes_leave_the_default(load: Load) -> None:
    """Where all indexes are explicit, the default index serves the other projects."""
    inputs = load(
        INDEX + "explicit = true\n[tool.polylock.sources]\n"
        'a = [{ index = "a" }]\nb = [{ index = "default" }]\n'
    ).inputs
    assert [index.name for index in inputs.indexes] == ["a", "default"]
    assert inputs.sources["b"] == (IndexSource(index="default"),)


def test_sources_are_sorted(load: Load) -> None:
    """Sources are in the order of names, so that lock files do not depend on it."""
    text = SOURCE + 'b = [{ index = "a" }]\na = [{ index = "a" }]\n'
    assert list(load(text).inputs.sources) == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "key", "problem"),
    [
        ('[tool.polylock]\nalgin = "x"\n', "algin", "is not a known key"),
        (
            '[tool.polylock]\nalign = "strict"\n',
            "align",
            "prefer, require, independent",
        ),
        ("[tool.polylock]\nbuild = true\n", "build", "a string, not a boolean"),
        ('[tool.polylock]\npython = "two"\n', "python", "'two' is not a Python"),
        ("[tool.polylock]\npython = []\n", "python", "must not be an empty list"),
        ("[tool.polylock]\npython = 3.12\n", "python", "a string, not a float"),
        ("[tool.polylock]\npython = [3]\n", "python[0]", "a string, not an integer"),
        ('[tool.polylock]\ndefault-target = "bx"\n', "default-target", "no target bx"),
        (
            '[tool.polylock]\ndefault-groups = "dev"\n',
            "default-groups",
            'an array of groups or "all", not a string',
        ),
        (
            '[dependency-groups]\na=[]\n[tool.polylock]\ndefault-groups = ["a","x"]\n',
            "default-groups[1]",
            "no group x",
        ),
        (
            '[tool.polylock]\nconstraint-dependencies = ["a", "b[x]<1"]\n',
            "constraint-dependencies[1]",
            "cannot have extras",
        ),
        (
            '[tool.polylock]\noverride-dependencies = ["a @ https://example.com/a"]\n',
            "override-dependencies[0]",
            "a is a direct reference",
        ),
        (
            '[tool.polylock]\nexclude-variants = ["a", "a :: B"]\n',
            "exclude-variants[1]",
            "'a :: B' is not",
        ),
        (
            '[tool.polylock]\nprefer-variants = ["-@x"]\n',
            "prefer-variants[0]",
            "'-' is not a valid name",
        ),
        (
            '[tool.polylock]\nprefer-variants = ["torch@"]\n',
            "prefer-variants[0]",
            "'torch@' is not",
        ),
        (
            '[tool.polylock]\nrequire-variants = ["nvidia"]\n',
            "require-variants",
            "a table, not an array",
        ),
        (
            "[tool.polylock]\nrequire-variants = { torch = 1 }\n",
            "require-variants.torch",
            "a string or an array, not an integer",
        ),
        (
            '[tool.polylock]\nrequire-variants = { torch = "A" }\n',
            "require-variants.torch",
            "'A' is not",
        ),
        (
            '[tool.polylock]\nrequire-variants = { torch = ["a", "jax@cuda"] }\n',
            "require-variants.torch",
            "jax@cuda is a label of jax",
        ),
        (
            '[tool.polylock.require-variants]\nTorch = "a"\ntorch = "b"\n',
            "require-variants.torch",
            "the project torch is named twice",
        ),
        (
            '[tool.polylock.require-variants]\n"-" = "a"\n',
            "require-variants.-",
            "'-' is not a valid name",
        ),
        (
            '[tool.polylock]\nenable-providers = ["A"]\n',
            "enable-providers[0]",
            "'A' is not a namespace",
        ),
        (
            '[tool.polylock]\nbuild-package = ["a"]\nno-build-package = ["b", "A"]\n',
            "no-build-package[1]",
            "a is in build-package too",
        ),
        (
            '[tool.polylock]\nno-build-package = ["a"]\nno-binary-package = ["a"]\n',
            "no-build-package[0]",
            "no file of it could be used",
        ),
        ("[tool.polylock.index]\n", "index", "must be an array, not a table"),
        ("[tool.polylock]\nindex = [1]\n", "index[0]", "must be a table"),
        ('[[tool.polylock.index]]\nurl = "x"\n', "index[0].name", "is missing"),
        ('[[tool.polylock.index]]\nname = "x"\n', "index[0].url", "is missing"),
        (INDEX + 'kind = "x"\n', "index[0].kind", "is not a known key"),
        (INDEX + "explicit = 1\n", "index[0].explicit", "must be a boolean"),
        (INDEX.replace('"a"', '"a/b"'), "index[0].name", "not a valid name"),
        (INDEX.replace('"a"', '"Default"'), "index[0].name", "that declares none"),
        (INDEX + INDEX, "index[1].name", "a and a differ too little"),
        (
            INDEX.replace('"a"', '"a-b"') + INDEX.replace('"a"', '"A.b"'),
            "index[1].name",
            "from POLYLOCK_INDEX_A_B_*",
        ),
        (
            INDEX.replace("https:", "ftp:"),
            "index[0].url",
            "must begin with one of http://, https://, file://",
        ),
        (
            INDEX.replace("a.example.com", "user:secret@:80:80"),
            "index[0].url",
            "is not a valid URL",
        ),
        (INDEX.replace("/simple", "?x=1"), "index[0].url", "not the base URL"),
        (
            SOURCE + "x = 1\n",
            "sources.x",
            "must be an array, not an integer",
        ),
        (SOURCE + "x = {}\n", "sources.x", "needs one of index, path, url and git"),
        (
            SOURCE + 'x = { index = "a", path = "../x" }\n',
            "sources.x.path",
            "conflicts with index",
        ),
        (
            SOURCE + 'x = { git = "git@example.com:x" }\n',
            "sources.x",
            "write ssh://git@host/path",
        ),
        (
            SOURCE + 'x = { path = "../x", subdirectory = "../y" }\n',
            "sources.x",
            "is not inside the tree",
        ),
        (
            SOURCE + 'x = { url = "https://e.com/x.zip#md5=0" }\n',
            "sources.x",
            "write #sha256=",
        ),
        (SOURCE + "x = []\n", "sources.x", "names no index"),
        (SOURCE + "x = [{}]\n", "sources.x[0]", "needs one of index, path"),
        (SOURCE + 'x = [{ index = "b" }]\n', "sources.x[0].index", "no index b"),
        (
            SOURCE + 'x = [{ index = "a", target = "box" }]\n',
            "sources.x[0].target",
            "is not a known key",
        ),
        (
            SOURCE + 'x = [{ index = "a", targets = ["box", "bix"] }]\n',
            "sources.x[0].targets[1]",
            "there is no target bix",
        ),
        (
            SOURCE + 'x = [{ index = "a", targets = [] }]\n',
            "sources.x[0].targets",
            "is empty",
        ),
        (
            SOURCE + 'x = [{ index = "a", properties = ["nvidia :: sm_arch"] }]\n',
            "sources.x[0].properties[0]",
            "is not 'namespace :: feature :: value'",
        ),
        (
            SOURCE + 'a_b = [{ index = "a" }]\nA-B = [{ index = "a" }]\n',
            "sources.A-B",
            "the project a-b is named twice",
        ),
    ],
)
def test_faults_name_their_key(load: Load, text: str, key: str, problem: str) -> None:
    """An error has the key path of its value."""
    error = failure(load, text)
    full = key if key.startswith("tool") else f"tool.polylock.{key}"
    assert (error.key, problem in error.problem) == (full, True), error
    assert "secret" not in str(error)


@pytest.mark.parametrize("key", ["tool", "tool.polylock", "tool.polylock.targets"])
def test_not_a_table(load: Load, key: str) -> None:
    """Something else in place of a table is named."""
    with pytest.raises(ProjectError, match="must be a table, not an integer") as caught:
        load(f"{key} = 1\n", targets="")
    assert caught.value.key == key


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ('[tool.polylock]\nalgin = "x"\n', "did you mean align?"),
        ('[tool.polylock]\nalign = "prefr"\n', "did you mean prefer?"),
        ('[tool.polylock]\ndefault-target = "bx"\n', "did you mean box?"),
        ('[tool.polylock]\ndefault-target = "zzz"\n', "there are: box"),
        (
            '[dependency-groups]\nt = []\n[tool.polylock]\ndefault-groups = ["tt"]\n',
            "did you mean t?",
        ),
        (SOURCE + 'x = [{ indx = "a" }]\n', "did you mean index?"),
    ],
)
def test_close_names_are_suggested(load: Load, text: str, advice: str) -> None:
    """An unknown key or value comes with the one that was probably meant."""
    assert failure(load, text).hint() == advice
