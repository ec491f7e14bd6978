"""The ``ascend`` namespace."""

from __future__ import annotations

from polylock.model.target import AscendNpu
from polylock.providers.ascend import derive


def test_each_fact_is_one_exact_value() -> None:
    """Type, driver and CANN version are one value each, in this order."""
    found = derive(AscendNpu(npu="910b", driver="25.0", cann="8.1.rc1"))
    assert list(found.items()) == [
        ("npu_type", ("910b",)),
        ("driver_version", ("25.0",)),
        ("cann_version", ("8.1.rc1",)),
    ]


def test_unknown_versions_are_left_out() -> None:
    """A version that was not given is no feature."""
    assert derive(AscendNpu(npu="a3")) == {"npu_type": ("a3",)}
