"""Where a target has a project from."""

from __future__ import annotations

import pytest

from fakes.resolutions import make_inputs, make_target
from polylock.model.direct import ArchiveSource, DirectorySource, InvalidDirectSource
from polylock.model.inputs import IndexSource
from polylock.model.source_choice import direct_source, direct_sources, fits

URL = "https://example.com/lib-1.0-py3-none-any.whl"
CPU = make_target("cpu")
GPU = make_target("gpu", derived={"nvidia": {"sm_arch": ("90_real",)}})


@pytest.mark.parametrize(
    ("entry", "of_cpu", "of_gpu"),
    [
        (IndexSource(index="a"), True, True),
        (IndexSource(index="a", targets=("gpu",)), False, True),
        (
            IndexSource(index="a", properties=("nvidia :: sm_arch :: 90_real",)),
            False,
            True,
        ),
        (
            IndexSource(index="a", properties=("nvidia :: sm_arch :: 80_real",)),
            False,
            False,
        ),
        (IndexSource(index="a", properties=("no property",)), False, False),
    ],
)
def test_an_entry_fits_by_name_and_by_properties(
    entry: IndexSource, *, of_cpu: bool, of_gpu: bool
) -> None:
    """The target must be among those named and support all that is asked."""
    assert (fits(entry, CPU), fits(entry, GPU)) == (of_cpu, of_gpu)


def test_a_reference_of_the_project_counts_before_sources() -> None:
    """And one whose marker is false on the target counts nothing."""
    entry = IndexSource(direct=DirectorySource(path="../lib"))
    inputs = make_inputs(
        f"lib @ {URL} ; sys_platform == 'linux'", sources={"lib": (entry,)}
    )
    windows = make_target("windows", "windows-x86_64")
    assert direct_source(inputs, "lib", CPU) == ArchiveSource(url=URL)
    assert direct_source(inputs, "lib", windows) == DirectorySource(path="../lib")
    assert direct_source(inputs, "other", CPU) is None
    assert direct_sources(inputs) == {"lib"}


def test_two_references_contradict_each_other() -> None:
    """The error names both."""
    other = URL.replace("1.0", "2.0")
    inputs = make_inputs(f"lib @ {URL}", f"lib @ {other}")
    with pytest.raises(InvalidDirectSource, match=r"lib-1\.0.* and .*lib-2\.0"):
        direct_source(inputs, "lib", CPU)
