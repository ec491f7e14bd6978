"""Tests of polylock.repacking.plans, and of what is written by them."""

from __future__ import annotations

import json
import os
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from fakes.odd_wheels import HOSTILE, REPAIRED, TAKEN, Forge
from fakes.wheel_records import members, record_problems
from fakes.wheels import build_wheel
from polylock.errors import UsageError, WheelsRefused
from polylock.index.distribution_file import read_distribution
from polylock.repacking.label_metadata import (
    LabelRequest,
    VariantTable,
    read_properties,
)
from polylock.repacking.metadata_edits import requirements_of
from polylock.repacking.plans import Ways, plan_labels, plan_plain
from polylock.repacking.rewrite import write_wheels
from polylock.repacking.source_wheel import opened_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from polylock.repacking.rewrite import WrittenWheel

LEVEL = "x86_64 :: level :: v3"


def label(
    *paths: Path,
    name: str = "v3",
    properties: tuple[str, ...] = (LEVEL,),
    namespaces: tuple[str, ...] = (),
    overwrite: bool = False,
    moment: Any = None,  # noqa: ANN401 - a time
    **ways: Any,  # noqa: ANN401 - the fields of Ways
) -> list[WrittenWheel]:
    """Give wheels a label; return what was written."""
    request = LabelRequest(
        label=name, properties=read_properties(properties), namespaces=namespaces
    )
    plans = plan_labels(paths, request, VariantTable(), Ways(**ways))
    return write_wheels(plans, overwrite=overwrite, moment=moment)


def unlabel(*paths: Path, **ways: Any) -> list[WrittenWheel]:  # noqa: ANN401 - as above
    """Remove labels; return what was written."""
    return write_wheels(plan_plain(paths, Ways(**ways)), overwrite=False)


def refusals(caught: pytest.ExceptionInfo[WheelsRefused]) -> str:
    """Return the reasons of a refusal."""
    return "\n".join(caught.value.problems)


def test_label_is_in_the_name_in_variant_json_and_in_record(tmp_path: Path) -> None:
    """Everything else is as it was, in the same order."""
    source = build_wheel(tmp_path / "dist", "demo", "1.0", build="3")
    before = source.read_bytes()
    (written,) = label(source)
    target = source.with_name("demo-1.0-3-py3-none-any-v3.whl")
    assert written.plan.target == target
    assert written.state == "written"
    assert written.size == target.stat().st_size
    assert source.read_bytes() == before
    assert not record_problems(target)
    old, new = members(source), members(target)
    variant = json.loads(new.pop("demo-1.0.dist-info/variant.json"))
    assert variant["variants"] == {"v3": {"x86_64": {"level": ["v3"]}}}
    assert list(new) == list(old)
    record = "demo-1.0.dist-info/RECORD"
    assert {**new, record: b""} == {**old, record: b""}
    found = read_distribution(target)  # as an index reads it
    assert found.variant is not None
    assert found.variant.properties("v3") == variant["variants"]["v3"]


def test_second_run_gives_the_same_bytes(tmp_path: Path) -> None:
    """In another directory, at another time, whatever the wheels are called."""
    source = build_wheel(tmp_path / "dist", "demo", "1.0")
    (first,) = label(source, output=tmp_path / "a")
    os.utime(source, (1_000_000_000, 1_000_000_000))
    (second,) = label(source, output=tmp_path / "b")
    assert first.plan.target.read_bytes() == second.plan.target.read_bytes()
    (again,) = label(source, output=tmp_path / "a")
    assert again.state == "unchanged"


def test_null_label_runs_everywhere(tmp_path: Path) -> None:
    """It lists the namespaces of the release and has no property."""
    source = build_wheel(tmp_path, "demo", "1.0")
    (written,) = label(source, name="null", properties=(), namespaces=("x86_64",))
    found = read_distribution(written.plan.target)
    assert found.variant is not None
    assert found.variant.variants == {"null": {}}


def test_unlabel_gives_the_wheel_without_its_label(tmp_path: Path) -> None:
    """Members and RECORD are those of the wheel that was labelled."""
    source = build_wheel(tmp_path / "dist", "demo", "1.0", requires=["a", "b>1"])
    (labelled,) = label(source, output=tmp_path / "labelled")
    (plain,) = unlabel(labelled.plan.target, output=tmp_path / "plain")
    assert plain.plan.target.name == source.name
    assert members(plain.plan.target) == members(source)
    assert not record_problems(plain.plan.target)


def test_unlabel_evaluates_variant_markers(tmp_path: Path) -> None:
    """For the label that was: the code is that of its build, and needs the same."""
    source = build_wheel(
        tmp_path,
        "demo",
        "1.0",
        requires=[
            "a; variant_label == 'v3' and os_name == 'posix'",
            "b; variant_label == 'null'",
            "c; 'x86_64 :: level :: v3' in variant_properties",
            "d ; os_name=='nt'",
        ],
        label="v3",
        variant={"x86_64": {"level": ["v3"]}},
    )
    (plain,) = unlabel(source)
    assert not record_problems(plain.plan.target)
    metadata = members(plain.plan.target)["demo-1.0.dist-info/METADATA"].decode()
    assert requirements_of(metadata) == [
        "a; os_name == 'posix'",
        "c",
        "d ; os_name=='nt'",
    ]
    assert [edit.kind for edit in plain.plan.change.edits] == [
        "changed",
        "changed",
        "dropped",
    ]


def test_label_and_unlabel_refuse_what_is_done(tmp_path: Path) -> None:
    """A wheel has one label or none."""
    source = build_wheel(tmp_path, "demo", "1.0")
    (labelled,) = label(source)
    with pytest.raises(WheelsRefused) as caught:
        label(labelled.plan.target, name="v4", properties=("x86_64 :: level :: v4",))
    assert "has the label v3" in refusals(caught)
    with pytest.raises(WheelsRefused) as caught:
        unlabel(source)
    assert "it has no label" in refusals(caught)


def test_other_target_is_not_replaced_unless_told(tmp_path: Path) -> None:
    """Nor is any other wheel of the call written."""
    one = build_wheel(tmp_path / "dist", "one", "1.0")
    two = build_wheel(tmp_path / "dist", "two", "1.0")
    (tmp_path / "out").mkdir()
    there = tmp_path / "out" / "two-1.0-py3-none-any-v3.whl"
    there.write_bytes(b"mine")
    with pytest.raises(WheelsRefused) as caught:
        label(one, two, output=tmp_path / "out")
    assert f"{there} is there with other content" in refusals(caught)
    assert list((tmp_path / "out").iterdir()) == [there]
    assert there.read_bytes() == b"mine"
    label(one, two, output=tmp_path / "out", overwrite=True)
    assert not record_problems(there)
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_link_in_place_of_a_target_is_not_followed(tmp_path: Path) -> None:
    """What it leads to stays as it is."""
    source = build_wheel(tmp_path / "dist", "demo", "1.0")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"mine")
    target = source.with_name("demo-1.0-py3-none-any-v3.whl")
    target.symlink_to(elsewhere)
    with pytest.raises(WheelsRefused):
        label(source)
    label(source, overwrite=True)
    assert elsewhere.read_bytes() == b"mine"
    assert not target.is_symlink()


def test_output_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """Nothing is left beside it."""
    source = build_wheel(tmp_path / "dist", "demo", "1.0")
    (tmp_path / "out").write_bytes(b"a file")
    with pytest.raises(UsageError, match=r"cannot write .*demo-1\.0"):
        label(source, output=tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] in (
        ["dist", "out"],
        ["out", "dist"],
    )


def test_wheel_that_changes_meanwhile_is_not_written(tmp_path: Path) -> None:
    """What was checked is not what is there."""
    source = build_wheel(tmp_path / "dist", "demo", "1.0")
    request = LabelRequest(label="v3", properties=read_properties([LEVEL]))
    plans = plan_labels([source], request, VariantTable(), Ways())
    os.utime(source, (1, 1))
    with pytest.raises(WheelsRefused) as caught:
        write_wheels(plans, overwrite=False)
    assert "it was changed" in refusals(caught)
    assert list(source.parent.iterdir()) == [source]


def test_time_of_new_members_can_be_set(tmp_path: Path) -> None:
    """By default it is that of RECORD."""
    source = build_wheel(tmp_path / "dist", "demo", "1.0")
    new = "demo-1.0.dist-info/variant.json"
    (written,) = label(source)
    with zipfile.ZipFile(written.plan.target) as archive:
        assert archive.getinfo(new).date_time == (2026, 1, 1, 0, 0, 0)
    (written,) = label(source, output=tmp_path, moment=(2020, 2, 3, 4, 5, 6))
    with zipfile.ZipFile(written.plan.target) as archive:
        assert archive.getinfo(new).date_time == (2020, 2, 3, 4, 5, 6)
        assert archive.getinfo("demo/__init__.py").date_time[0] == 2026


def test_one_release_has_one_meaning_of_a_label(tmp_path: Path) -> None:
    """Wheels that are beside the new one count (PEP 825, "Metadata consistency")."""
    build_wheel(tmp_path, "demo", "1.0", tag="py3-none-win_amd64", label="v3",
                variant={"x86_64": {"level": ["v2"]}})  # fmt: skip
    build_wheel(tmp_path, "demo", "1.1", label="v3", variant={"a": {"b": ["c"]}})
    (tmp_path / "broken-1.0-py3-none-any-v3.whl").write_bytes(b"no wheel")
    source = build_wheel(tmp_path / "dist", "demo", "1.0")
    with pytest.raises(WheelsRefused) as caught:
        label(source, output=tmp_path)
    assert refusals(caught) == (
        "demo-1.0-py3-none-any-v3.whl: label v3 has other properties in "
        "demo-1.0-py3-none-win_amd64-v3.whl: x86_64 :: level :: v2"
    )


def test_two_labels_with_the_same_properties(tmp_path: Path) -> None:
    """Their names alone would decide between them."""
    source = build_wheel(tmp_path, "demo", "1.0")
    label(source)
    with pytest.raises(WheelsRefused) as caught:
        label(source, name="fast")
    assert "label v3 of demo-1.0-py3-none-any-v3.whl has the same" in refusals(caught)
    label(source, name="fast", lenient=True)


def test_namespaces_of_a_release_have_one_order(tmp_path: Path) -> None:
    """Otherwise no installer could combine the metadata."""
    source = build_wheel(tmp_path, "demo", "1.0")
    label(source, namespaces=("x86_64", "nvidia"))
    with pytest.raises(WheelsRefused) as caught:
        label(source, name="gpu", properties=("nvidia :: sm_arch :: 90_real",))
    assert "default-priorities.namespace" in refusals(caught)
    label(
        source,
        name="gpu",
        properties=("nvidia :: sm_arch :: 90_real",),
        namespaces=("x86_64", "nvidia"),
    )


def test_unknown_properties_are_accepted_when_told(tmp_path: Path) -> None:
    """A provider may be newer than the catalogue."""
    source = build_wheel(tmp_path, "demo", "1.0")
    with pytest.raises(WheelsRefused) as caught:
        label(source, properties=("x86_64 :: level :: v9",))
    assert "label v3: no machine has x86_64 :: level :: v9" in refusals(caught)
    assert list(tmp_path.iterdir()) == [source]
    label(source, properties=("x86_64 :: level :: v9",), lenient=True)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """With the file of each; none of the wheels is written."""
    good = build_wheel(tmp_path, "good", "1.0")
    text = tmp_path / "text-1.0-py3-none-any.whl"
    text.write_text("no wheel")
    named = tmp_path / "wheel.zip"
    named.write_bytes(good.read_bytes())
    folder = tmp_path / "folder-1.0-py3-none-any.whl"
    folder.mkdir()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(WheelsRefused) as caught:
        label(good, text, named, folder, tmp_path / "gone-1-py3-none-any.whl")
    found = refusals(caught).splitlines()
    assert [line.partition(":")[0] for line in found] == [
        "text-1.0-py3-none-any.whl",
        "wheel.zip",
        "folder-1.0-py3-none-any.whl",
        "gone-1-py3-none-any.whl",
    ]
    assert "not a readable zip file" in found[0]
    assert "does not end in .whl" in found[1]
    assert "cannot be read" in found[2]
    assert "cannot be read" in found[3]
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("kind", HOSTILE)
def test_dangerous_wheels_are_refused(kind: str, tmp_path: Path) -> None:
    """As by ``lock`` and ``sync``, for the same reasons, also with ``--repair``."""
    change, problem = HOSTILE[kind]
    forge = Forge()
    change(forge)
    source = forge.write(tmp_path)
    for repair in (False, True):
        with pytest.raises(WheelsRefused) as caught:
            label(source, repair=repair)
        assert problem in refusals(caught)
    assert list(tmp_path.iterdir()) == [source]


@pytest.mark.parametrize("kind", REPAIRED)
def test_faulty_wheels_are_repaired_when_told(kind: str, tmp_path: Path) -> None:
    """Otherwise the first fault is named; the new RECORD is right."""
    change, fault = REPAIRED[kind]
    forge = Forge()
    change(forge)
    source = forge.write(tmp_path)
    with pytest.raises(WheelsRefused) as caught:
        label(source)
    assert fault.partition("{}")[0] in refusals(caught)
    assert "--repair" in refusals(caught)
    (written,) = label(source, repair=True)
    assert written.plan.repaired
    assert not record_problems(written.plan.target)
    with opened_wheel(written.plan.target) as wheel:
        wheel.compare()
        assert not wheel.faults


@pytest.mark.parametrize("kind", TAKEN)
def test_unusual_wheels_are_labelled(kind: str, tmp_path: Path) -> None:
    """What is right is not touched, and RECORD stays right."""
    forge = Forge()
    TAKEN[kind](forge)
    source = forge.write(tmp_path)
    (written,) = label(source)
    assert not record_problems(written.plan.target)
    kept = members(source).keys() - members(written.plan.target).keys()
    assert kept == {f"demo-1.0.dist-info/{name}" for name in written.plan.signatures}


def test_signatures_are_left_out_and_told(tmp_path: Path) -> None:
    """They are of the RECORD that was."""
    forge = Forge()
    forge.add("demo-1.0.dist-info/RECORD.jws", b"{}", recorded=False)
    forge.add("demo-1.0.dist-info/RECORD.p7s", b"x", recorded=False)
    (written,) = label(forge.write(tmp_path))
    assert written.plan.signatures == ("RECORD.jws", "RECORD.p7s")
    assert not [n for n in members(written.plan.target) if "RECORD." in n]
    assert not record_problems(written.plan.target)


def test_damaged_member_is_found_before_anything_is_written(tmp_path: Path) -> None:
    """Members are copied packed, so their content is read beforehand."""
    source = build_wheel(tmp_path, "demo", "1.0", files={"demo/a.py": "a = 1\n" * 99})
    content = bytearray(source.read_bytes())
    content[45] ^= 0xFF
    source.write_bytes(content)
    with pytest.raises(WheelsRefused) as caught:
        label(source, repair=True)
    assert "'demo/a.py' is damaged" in refusals(caught)
    assert list(tmp_path.iterdir()) == [source]
