"""Huawei Ascend NPUs: the ``ascend`` namespace of huawei-ascend-variant-provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from polylock.model.target import AscendNpu

__all__ = ["derive"]


def derive(npu: AscendNpu) -> dict[str, tuple[str, ...]]:
    """Return the features of the ``ascend`` namespace; each has one exact value."""
    lists = {
        "npu_type": npu.npu,
        "driver_version": npu.driver,
        "cann_version": npu.cann,
    }
    return {feature: (value,) for feature, value in lists.items() if value}
