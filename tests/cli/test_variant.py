"""``polylock variant`` labels wheels, removes labels, repacks and shows."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import pytest

from fakes.odd_wheels import Forge
from fakes.wheel_records import record_problems
from fakes.wheels import build_wheel
from polylock.model.quantities import file_size

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.command_line import CommandLine

LEVEL = ("-p", "x86_64 :: level :: v3")
PLAIN = "dist/demo-1.0-py3-none-any.whl"
V3 = "dist/demo-1.0-py3-none-any-v3.whl"


@pytest.fixture
def wheel(polylock: CommandLine) -> Path:
    """Return a wheel in ``dist``."""
    return build_wheel(polylock.directory / "dist", "demo", "1.0", requires=["a>1"])


def test_label_prints_what_it_wrote(polylock: CommandLine, wheel: Path) -> None:
    """The paths are on stdout, for scripts; the rest is on stderr."""
    ran = polylock.succeed("variant", "label", PLAIN, "--label", "v3", *LEVEL)
    assert ran.out == f"{V3}\n"
    assert ran.err == "wrote 1 wheel\n"
    assert not record_problems(wheel.with_name("demo-1.0-py3-none-any-v3.whl"))
    again = polylock.succeed("variant", "label", PLAIN, "--label", "v3", *LEVEL)
    assert again.err == "1 wheel unchanged\n"


def test_label_reads_the_project_file(polylock: CommandLine, wheel: Path) -> None:
    """``[variant]`` has order, providers and properties, also by ``--project``."""
    text = (
        '[variant.default-priorities]\nnamespace = ["blas"]\n'
        '[variant.providers.blas.static-properties]\nlibrary = ["mkl", "openblas"]\n'
        '[variant.variants.mkl.blas]\nlibrary = ["mkl"]\n'
    )
    polylock.write(text, "wheels.toml")
    option = ("--project", "wheels.toml")
    polylock.succeed("variant", "label", PLAIN, "--label", "mkl", *option)
    polylock.succeed("variant", "label", PLAIN, "--null", *option)
    (wheel.parent / "pyproject.toml").write_text("[variant]\nlabel = 1\n")
    polylock.write(text)
    polylock.succeed("variant", "label", PLAIN, "--label", "mkl", "--output", "o")
    shown = polylock.succeed("variant", "show", "--json", *_labelled(wheel)).json
    assert [(each["label"], each["properties"]) for each in shown] == [
        ("mkl", ["blas :: library :: mkl"]),
        ("null", []),
    ]
    assert shown[1]["namespaces"] == ["blas"]


def _labelled(wheel: Path) -> list[str]:
    return [str(path) for path in sorted(wheel.parent.glob("*-any-*.whl"))]


def test_dry_run_writes_nothing(polylock: CommandLine, wheel: Path) -> None:
    """It says what would be written."""
    ran = polylock.succeed(
        "variant", "label", PLAIN, "--label", "v3", *LEVEL, "--dry-run"
    )
    assert ran.out == f"{V3}\n"
    assert ran.err == "1 wheel would be written\n"
    assert list(wheel.parent.iterdir()) == [wheel]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "a label is missing"),
        (("--null", *LEVEL), "--null and -p exclude each other"),
        (("--null", "--label", "v3"), "--null and --label exclude each other"),
        (("--label", "null", *LEVEL), "the label null means no properties"),
        (("--label", "V3", *LEVEL), "'V3' is not a variant label"),
        (("--label", "\x1b[2J", *LEVEL), "'\\x1b[2J' is not a variant label"),
        (("--label", "v3"), "label v3 has no properties"),
        (("--label", "v3", "-p", "x86_64"), "is not 'namespace :: feature :: value'"),
        (("--label", "v3", "-p", "x :: y :: z"), "namespace x has no published prov"),
    ],
)
def test_mistakes_of_the_command_line(
    polylock: CommandLine, wheel: Path, arguments: tuple[str, ...], message: str
) -> None:
    """Exit code 2, and the next step."""
    ran = polylock("variant", "label", PLAIN, *arguments)
    assert ran.code == 2
    assert message in ran.err
    assert "hint: " in ran.err
    assert list(wheel.parent.iterdir()) == [wheel]


def test_unknown_property_names_the_known_one(
    polylock: CommandLine, wheel: Path
) -> None:
    """Exit code 1, and nothing is written."""
    ran = polylock("variant", "label", PLAIN, "--label", "v3", "-p", "x86_64::levl::v3")
    assert ran.code == 1
    assert "did you mean level?" in ran.err
    assert "hint: nothing was written" in ran.err
    assert list(wheel.parent.iterdir()) == [wheel]


def test_signatures_and_repairs_are_told(polylock: CommandLine) -> None:
    """A warning for each."""
    forge = Forge()
    forge.add("demo-1.0.dist-info/RECORD.jws", b"{}", recorded=False)
    forge.add("demo/x", b"x", recorded=False)
    forge.write(polylock.directory)
    arguments = ("demo-1.0-py3-none-any.whl", "--label", "v3", *LEVEL)
    ran = polylock("variant", "label", *arguments)
    assert ran.code == 1
    assert "RECORD does not list 'demo/x' (--repair to correct it)" in ran.err
    ran = polylock.succeed("variant", "label", *arguments, "--repair")
    assert "its signature RECORD.jws is of the old RECORD and was left out" in ran.err
    assert "repaired: RECORD does not list 'demo/x'" in ran.err


def test_time_of_source_date_epoch(
    polylock: CommandLine, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the time of the members that are new, as zip archives can hold it."""
    arguments = ("variant", "label", PLAIN, "--label", "v3", *LEVEL)
    for value in ("x", "0", "99999999999", "9" * 30):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", value)
        ran = polylock(*arguments)
        assert ran.code == 2
        assert f"SOURCE_DATE_EPOCH={value} is" in ran.err
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1600000000")
    polylock.succeed(*arguments)
    with zipfile.ZipFile(wheel.with_name("demo-1.0-py3-none-any-v3.whl")) as archive:
        found = archive.getinfo("demo-1.0.dist-info/variant.json")
    assert found.date_time == (2020, 9, 13, 12, 26, 40)


@pytest.mark.usefixtures("wheel")
def test_unlabel_undoes_label(polylock: CommandLine) -> None:
    """The plain wheel has another name, so it can be beside the labelled one."""
    polylock.succeed("variant", "label", PLAIN, "--label", "v3", *LEVEL)
    ran = polylock("variant", "unlabel", V3)
    assert ran.code == 1
    assert "is there with other content" in ran.err
    ran = polylock.succeed("variant", "unlabel", V3, "--output", "plain")
    assert ran.out == "plain/demo-1.0-py3-none-any.whl\n"
    (found,) = polylock.succeed("variant", "show", "--json", ran.out.strip()).json
    assert (found["label"], found["requirements"]) == (None, ["a>1"])


def test_show_is_for_people(polylock: CommandLine, wheel: Path) -> None:
    """A paragraph for each wheel; problems are named."""
    polylock.succeed("variant", "label", PLAIN, "--label", "v3", *LEVEL)
    polylock.succeed(
        *("variant", "label", PLAIN, "--label", "v9", "-p", "x86_64 :: level :: v9"),
        "--lenient",
    )
    labelled = _labelled(wheel)
    lines = polylock.succeed("variant", "show", PLAIN, *labelled).out.splitlines()
    assert lines[:5] == [
        "demo-1.0-py3-none-any.whl",
        f"  demo 1.0, {file_size(wheel.stat().st_size)}",
        "  no label: a plain wheel",
        "  requires",
        "    a>1",
    ]
    assert lines[7:11] == [
        "  label v3",
        "    x86_64 :: level :: v3",
        "  namespaces, by priority: x86_64",
        "    x86_64: provider-variant-x86-64",
    ]
    assert lines[-1].startswith("  warning: no machine has x86_64 :: level :: v9")


def test_show_of_what_is_no_wheel(polylock: CommandLine) -> None:
    """The reason stands with the file."""
    polylock.write("x", "a-1-py3-none-any.whl")
    ran = polylock("variant", "show", "a-1-py3-none-any.whl")
    assert ran.code == 1
    assert "a-1-py3-none-any.whl: it is not a readable zip file" in ran.err


def test_repack_ends_with_a_table(polylock: CommandLine) -> None:
    """What became of what, and which requirements changed."""
    for local, requires in (("cu130", ["n", "t"]), ("cpu", [])):
        build_wheel(
            polylock.directory / "dist", "demo", f"1.0+{local}", requires=requires
        )
    polylock.write(
        'wheels = ["dist/*.whl"]\noutput = "release"\n'
        '[builds.cpu]\nlabel = "null"\n[builds.cu130]\nlabel = "cuda13.0"\n'
        'properties = ["nvidia :: cuda_version_lower_bound :: 13.0"]\n'
        "[projects.demo]\ndrop = ['n']\nadd = ['f']\n"
        "mark = { t = \"os_name == 'nt'\" }\n"
        '[variant.default-priorities]\nnamespace = ["nvidia"]\n',
        "repack.toml",
    )
    planned = polylock.succeed("variant", "repack", "repack.toml", "--dry-run")
    assert not (polylock.directory / "release").exists()
    ran = polylock.succeed("variant", "repack", "repack.toml")
    assert ran.out.replace("written", "planned") == planned.out
    assert [line.split()[:3] for line in ran.out.splitlines()[2:]] == [
        ["dist/demo-1.0+cpu-py3-none-any.whl", "null", "1.0"],
        ["dist/demo-1.0+cu130-py3-none-any.whl", "cuda13.0", "1.0"],
    ]
    assert "1 dropped, 1 added, 1 changed" in ran.out
    assert ran.err == "wrote 2 wheels\n"
    found = polylock.succeed("variant", "repack", "repack.toml", "--json").json
    assert [each["state"] for each in found] == ["unchanged", "unchanged"]
    assert found[1]["requirements"] == [
        {"was": "t", "now": "t; os_name == 'nt'"},
        {"was": None, "now": "f"},
        {"was": "n", "now": None},
    ]


def test_mistake_of_a_repack_file_has_its_key(polylock: CommandLine) -> None:
    """Exit code 2, as for the project file."""
    polylock.write('output = "o"\n[builds.x]\nlabels = "a"\n', "repack.toml")
    ran = polylock("variant", "repack", "repack.toml")
    assert ran.code == 2
    assert "repack.toml: builds.x.labels: is not a known key" in ran.err
    assert "did you mean label?" in ran.err


def test_what_a_wheel_says_forges_no_line(polylock: CommandLine) -> None:
    """Names and requirements of a wheel are foreign text."""
    evil = "x\r\x1b[31m"
    metadata = f"Metadata-Version: 2.4\nName: demo\nVersion: 1.0\nLicense: {evil}\n"
    document = json.dumps(
        {
            "$schema": "https://variants.example.com/peps/850/v0.2.0.json",
            "default-priorities": {"namespace": ["a"]},
            "providers": {"a": {"requires": ["a"], "plugin-api": "::error::\x1b[2J"}},
            "variants": {"v": {"a": {"b": ["c"]}}},
        }
    )
    wheel = build_wheel(
        polylock.directory,
        *("demo", "1.0"),
        label="v",
        metadata=metadata.encode(),
        variant_json=document.encode(),
    )
    for arguments in ((), ("--json",)):
        ran = polylock.succeed("variant", "show", wheel.name, *arguments)
        assert "\x1b" not in ran.out
