"""Tests of polylock.repacking.repack_file, and of what a repack makes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema  # type: ignore[import-untyped]  # ships no py.typed
import pytest

from fakes.wheel_records import members, record_problems
from fakes.wheels import build_wheel
from polylock.errors import RepackFileInvalid, WheelsRefused
from polylock.index.distribution_file import read_distribution
from polylock.index_server.static_build import build_index
from polylock.repacking.metadata_edits import requirements_of
from polylock.repacking.plans import Ways, plan_repack
from polylock.repacking.repack_file import read_repack_file
from polylock.repacking.rewrite import write_wheels
from polylock.toml_tables import parse_toml

if TYPE_CHECKING:
    from polylock.repacking.rewrite import WrittenWheel

SCHEMA = Path(__file__).parents[2] / "schemas" / "repack-file.schema.json"
LINUX = "cp313-cp313-manylinux_2_28_x86_64"
WINDOWS = "cp313-cp313-win_amd64"

RELEASE = """\
wheels = ["dist/*.whl"]
output = "release"

[builds.cu126]
label = "cuda12.6"
properties = ["nvidia :: cuda_version_lower_bound :: 12.0"]

[builds.cu130]
label = "cuda13.0"
properties = [
  "nvidia :: cuda_version_lower_bound :: 13.0",
  "nvidia :: sm_arch :: 90_real",
]

[builds.cpu]
label = "null"

[variant.default-priorities]
namespace = ["nvidia"]
"""
RULES = """
[projects.demo]
drop = ["nvidia-*"]
add = ["nvidia-cublas==13.0; variant_label == 'cuda13.0'"]
mark = { triton = "'nvidia' in variant_namespaces" }
"""
UNIFY = """
[projects.demo]
unify = true
"""


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """Return a directory with the builds of a release, for two platforms."""
    dist = tmp_path / "dist"
    common = ["filelock", "triton==3.5; platform_system == 'Linux'"]
    needs = {
        "cu126": [*common, "nvidia-cublas-cu12==12.6"],
        "cu130": [*common, "nvidia-cublas==13.0"],
        "cpu": common[:1],
    }
    for local, requires in needs.items():
        for tag in (LINUX, WINDOWS):
            stem = f"demo-2.9.0+{local}"
            build_wheel(
                dist,
                "demo",
                f"2.9.0+{local}",
                tag=tag,
                requires=requires,
                files={
                    "demo/version.py": f"__version__ = '2.9.0+{local}'\n",
                    f"{stem}.data/scripts/demo": "#!python\n",
                },
            )
    return tmp_path


def write(directory: Path, text: str) -> Path:
    """Write a repack file."""
    path = directory / "repack.toml"
    path.write_text(text, encoding="utf-8")
    return path


def repack(directory: Path, text: str, **ways: Any) -> list[WrittenWheel]:  # noqa: ANN401 - the fields of Ways
    """Carry out a repack file."""
    lenient = ways.get("lenient", False)
    file = read_repack_file(write(directory, text), lenient=lenient)
    return write_wheels(plan_repack(file, Ways(**ways)), overwrite=False)


def required(path: Path) -> list[str]:
    """Return the requirements of a wheel."""
    metadata = read_distribution(path).metadata
    assert metadata is not None
    return requirements_of(metadata.decode())


def test_local_versions_become_labels(release: Path) -> None:
    """The version changes in METADATA, RECORD, both directories and the file name."""
    written = repack(release, RELEASE)
    assert [path.name for path in sorted((release / "release").iterdir())] == [
        f"demo-2.9.0-{tag}-{label}.whl"
        for tag in (LINUX, WINDOWS)
        for label in ("cuda12.6", "cuda13.0", "null")
    ]
    for each in written:
        target = each.plan.target
        assert not record_problems(target)
        found = read_distribution(target)
        assert str(found.version) == "2.9.0"
        assert each.plan.versions[1] == "2.9.0"
        names = list(members(target))
        assert names[:2] == ["demo/version.py", "demo-2.9.0.data/scripts/demo"]
        assert {name.partition("/")[0] for name in names[2:]} == {
            "demo-2.9.0.dist-info"
        }
        # Code is not changed: what it says of its version is for the project to know.
        local = each.plan.versions[0].partition("+")[2]
        assert local in members(target)["demo/version.py"].decode()
    assert build_index(release / "release", release / "site").variant_releases == 1


def test_second_repack_changes_nothing(release: Path) -> None:
    """The wheels that are there have the same bytes."""
    repack(release, RELEASE + RULES)
    os.utime(release / "dist" / f"demo-2.9.0+cpu-{LINUX}.whl", (1, 1))
    again = repack(release, RELEASE + RULES)
    assert {each.state for each in again} == {"unchanged"}
    other = repack(release, RELEASE + RULES, output=release / "other")
    assert [each.sha256 for each in other] == [each.sha256 for each in again]


def test_requirements_are_dropped_added_and_marked(release: Path) -> None:
    """All wheels of the release then have the same ones, as PEP 825 expects."""
    written = repack(release, RELEASE + RULES)
    by_label = {each.plan.labels[1]: each for each in written}
    added = "nvidia-cublas==13.0; variant_label == 'cuda13.0'"
    marked = (
        "triton==3.5; platform_system == 'Linux' and 'nvidia' in variant_namespaces"
    )
    for label in ("cuda12.6", "cuda13.0"):
        assert required(by_label[label].plan.target) == ["filelock", marked, added]
    assert required(by_label["null"].plan.target) == ["filelock", added]
    kinds = [edit.kind for edit in by_label["cuda12.6"].plan.change.edits]
    assert sorted(kinds) == ["added", "changed", "dropped"]


def test_unify_gives_all_labels_one_metadata(release: Path) -> None:
    """What one build alone requires is behind its label."""
    written = repack(release, RELEASE + UNIFY)
    found = {tuple(required(each.plan.target)) for each in written}
    gpu = "variant_label == 'cuda12.6' or variant_label == 'cuda13.0'"
    assert found == {
        (
            "filelock",
            f"triton==3.5; platform_system == 'Linux' and ({gpu})",
            "nvidia-cublas-cu12==12.6; variant_label == 'cuda12.6'",
            "nvidia-cublas==13.0; variant_label == 'cuda13.0'",
        )
    }
    contents = {
        members(each.plan.target)["demo-2.9.0.dist-info/METADATA"] for each in written
    }
    assert len(contents) == 1


def test_wheels_without_a_label_have_no_variant_markers(release: Path) -> None:
    """Older installers, for which they are, refuse such markers."""
    text = RELEASE.replace('label = "null"', "")
    for rules, expected in (
        (RULES, ["filelock"]),
        (UNIFY, ["filelock"]),
        ("[projects.demo]\nadd = [\"x; variant_label == ''\"]", ["filelock", "x"]),
    ):
        directory = release / str(len(rules))
        written = repack(release, text + rules, output=directory)
        plain = directory / f"demo-2.9.0-{LINUX}.whl"
        assert required(plain) == expected
        assert plain in [each.plan.target for each in written]


def test_a_build_can_name_its_wheels(tmp_path: Path) -> None:
    """Where builds differ in their directory; one wheel may become two."""
    build_wheel(tmp_path / "fast", "demo", "1.0")
    build_wheel(tmp_path / "plain", "demo", "1.0")
    text = (
        'output = "out"\n[builds.fast]\nwheels = ["fast/*.whl"]\nlabel = "v3"\n'
        'properties = ["x86_64 :: level :: v3"]\n'
        '[builds.null]\nwheels = ["plain/*"]\nlabel = "null"\n'
        '[builds.old-installers]\nwheels = ["plain/*"]\n'
        '[variant.default-priorities]\nnamespace = ["x86_64"]\n'
    )
    written = repack(tmp_path, text)
    assert [each.plan.target.name for each in written] == [
        "demo-1.0-py3-none-any-v3.whl",
        "demo-1.0-py3-none-any-null.whl",
        "demo-1.0-py3-none-any.whl",
    ]
    assert [each.plan.labels[1] for each in written] == ["v3", "null", None]


def test_labelled_wheels_keep_their_label_without_another(tmp_path: Path) -> None:
    """Requirements of a published release can be corrected so."""
    wheel = build_wheel(
        tmp_path / "dist", "demo", "1.0", label="v3", requires=["a"],
        variant={"x86_64": {"level": ["v3"]}},
    )  # fmt: skip
    text = (
        'output = "out"\n[builds.all]\nwheels = ["dist/*.whl"]\n'
        '[projects.Demo]\nadd = ["b"]\n'
    )
    (written,) = repack(tmp_path, text)
    assert written.plan.target.name == wheel.name
    assert required(written.plan.target) == ["a", "b"]
    with pytest.raises(WheelsRefused) as caught:
        repack(tmp_path, text.replace('"out"', '"dist"'))
    assert "would be replaced" in caught.value.problems[0]


def test_local_version_can_stay(release: Path) -> None:
    """For indexes that serve both."""
    text = f"keep-local-version = true\n{RELEASE}"
    names = [each.plan.target.name for each in repack(release, text)]
    assert f"demo-2.9.0+cu130-{LINUX}-cuda13.0.whl" in names


def test_wheels_that_no_build_names(release: Path) -> None:
    """Each is named with its local version."""
    build_wheel(release / "dist", "demo", "2.9.0+cu118", tag=LINUX)
    build_wheel(release / "dist", "demo", "2.9.0", tag=LINUX)
    with pytest.raises(WheelsRefused) as caught:
        repack(release, RELEASE)
    known = "and no build names it (builds by local version: cu126, cu130, cpu)"
    assert caught.value.problems == [
        f"demo-2.9.0+cu118-{LINUX}.whl: has local version cu118, {known}",
        f"demo-2.9.0-{LINUX}.whl: has no local version, {known}",
    ]
    assert not (release / "release").exists()


def test_two_wheels_cannot_become_one(release: Path) -> None:
    """Two builds with one label are a mistake."""
    text = RELEASE.replace('"cuda12.6"', '"cuda13.0"').replace('12.0"', '13.0"')
    with pytest.raises(WheelsRefused) as caught:
        repack(release, text)
    assert f"would both become demo-2.9.0-{LINUX}-cuda13.0.whl" in "\n".join(
        caught.value.problems
    )


def test_requirement_of_a_local_version_that_is_gone(release: Path) -> None:
    """Its project would have no wheel that meets it."""
    build_wheel(
        release / "dist", "vision", "0.24+cu130", tag=LINUX,
        requires=["demo==2.9.0+cu130"],
    )  # fmt: skip
    with pytest.raises(WheelsRefused) as caught:
        repack(release, RELEASE)
    assert (
        "requires demo==2.9.0+cu130, a version that no wheel"
        in (caught.value.problems[0])
    )
    rules = '\n[projects.vision]\ndrop = ["demo"]\nadd = ["demo==2.9.0"]\n'
    assert len(repack(release, RELEASE + rules)) == 7


def test_what_is_valid_fits_the_schema(release: Path) -> None:
    """Editors check the file by it."""
    schema = json.loads(SCHEMA.read_text("utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    for text in (RELEASE, RELEASE + RULES, RELEASE + UNIFY):
        validator.validate(parse_toml(text))
        read_repack_file(write(release, text))


MISTAKES = {
    "unknown key": ('wheel = ["x"]\n', "wheel", "is not a known key"),
    "no builds": ('wheels = ["dist/*.whl"]\noutput = "o"\n', "builds", "is missing"),
    "no output": (RELEASE.replace('output = "release"\n', ""), "output", "is missing"),
    "no wheels": (
        RELEASE.replace('wheels = ["dist/*.whl"]\n', ""),
        "wheels",
        "is missing",
    ),
    "no match": (RELEASE.replace("dist/*", "gone/*"), "wheels[0]", "matches no wheel"),
    "absolute pattern": (
        RELEASE.replace("dist/*", "/dist/*"),
        "wheels[0]",
        "relative to the file",
    ),
    "bad pattern": (RELEASE.replace("dist/*", "**x/*"), "wheels[0]", ""),
    "kind of label": (RELEASE.replace('"null"', "3"), "builds.cpu.label", "a string"),
    "bad label": (RELEASE.replace('"null"', '"N"'), "builds.cpu", "'N' is not a var"),
    "properties of null": (
        RELEASE.replace('"cuda12.6"', '"null"'),
        "builds.cu126",
        "the label null means no properties",
    ),
    "bad property": (
        RELEASE.replace("nvidia :: cuda_version_lower_bound :: 12.0", "nvidia"),
        "builds.cu126",
        "is not 'namespace :: feature :: value'",
    ),
    "control characters": (
        RELEASE.replace(":: 12.0", ":: \\u001b[31m"),
        "builds.cu126",
        "has an invalid value",
    ),
    "unknown value": (
        RELEASE.replace(":: 12.0", ":: 21.0"),
        "builds.cu126.properties",
        "no machine has",
    ),
    "properties without label": (
        RELEASE.replace('label = "cuda12.6"\n', ""),
        "builds.cu126.label",
        "there are properties",
    ),
    "unknown key of a build": (
        RELEASE.replace("label", "labels", 1),
        "builds.cu126.labels",
        "is not a known key",
    ),
    "unknown key of a project": (
        RELEASE + '[projects.demo]\nremove = ["a"]\n',
        "projects.demo.remove",
        "is not a known key",
    ),
    "bad requirement": (
        RELEASE + '[projects.demo]\nadd = ["a ~~ 1"]\n',
        "projects.demo.add[0]",
        "",
    ),
    "bad marker": (
        RELEASE + "[projects.demo.mark]\na = \"variant_lable == 'x'\"\n",
        "projects.demo.mark.a",
        "unknown marker variant_lable",
    ),
    "marker of no label": (
        RELEASE + "[projects.demo]\nadd = [\"a; variant_label == 'cuda13'\"]\n",
        "projects.demo.add[0]",
        "names the label cuda13, which no build has",
    ),
    "mark of no label": (
        RELEASE + '[projects.demo.mark]\n"x-*" = "variant_label != \'cu130\'"\n',
        'projects.demo.mark."x-*"',
        "names the label cu130, which no build has",
    ),
    "variant table": (
        RELEASE.replace('["nvidia"]', "[]") + "extra = 1\n",
        "variant.default-priorities.extra",
        "is not a known key",
    ),
    "not TOML": ("wheels = [", "", ""),
    "not UTF-8": ("\udcff", "", "UTF-8"),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_mistakes_have_their_key(kind: str, release: Path) -> None:
    """Nothing is written before the file is right."""
    text, key, problem = MISTAKES[kind]
    path = release / "repack.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(RepackFileInvalid) as caught:
        read_repack_file(path)
    assert caught.value.key == key
    assert problem in caught.value.problem
    assert caught.value.exit_code == 2


def test_missing_file_is_an_error(tmp_path: Path) -> None:
    """With its path."""
    with pytest.raises(RepackFileInvalid, match="cannot be read"):
        read_repack_file(tmp_path / "gone.toml")
