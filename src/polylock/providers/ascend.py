"""Huawei Ascend NPUs: the ``ascend`` namespace of huawei-ascend-variant-provider."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from polylock.model.target import AscendNpu
from polylock.providers.machine import Machine, ask, ignore

if TYPE_CHECKING:
    from collections.abc import Callable


__all__ = ["derive", "detect"]

_VERSION = r"([0-9]+\.[0-9]+(?:\.[0-9]+)?(?:\.rc[0-9]+)?)"
_DRIVER = rf"(?i)\bVersion:\s*{_VERSION}"
_CANN = rf"(?im)^version={_VERSION}"
# A row of the NPU table: number, name, health. The row below it has the chip.
_NPU = (
    r"(?m)^\|\s*[0-9]+\s+([0-9]+[A-Za-z][A-Za-z0-9]*|[A-Za-z]+[0-9][A-Za-z0-9]*)"
    r"(?:-[0-9]+)?\s*\|"
)
_TOOLKIT = "/usr/local/Ascend/ascend-toolkit/latest"


def derive(npu: AscendNpu) -> dict[str, tuple[str, ...]]:
    """Return the features of the ``ascend`` namespace; each has one value."""
    lists = {
        "npu_type": npu.npu,
        "driver_version": npu.driver,
        "cann_version": npu.cann,
    }
    return {feature: (value,) for feature, value in lists.items() if value}


def detect(machine: Machine, warn: Callable[[str], None] = ignore) -> AscendNpu | None:
    """Return the NPU, driver and CANN of a machine; None if ``npu-smi`` shows none.

    Of several NPUs the first is used, as by the published provider.
    """
    if machine.system != "Linux":
        return None
    report = ask(machine, warn, "npu-smi", "info")
    if report is None:
        return None
    types = list(dict.fromkeys(_npu_type(name) for name in re.findall(_NPU, report)))
    if not types:
        warn("npu-smi shows no Ascend NPU")
        return None
    if len(types) > 1:
        warn(f"the Ascend NPUs differ ({', '.join(types)}): the first one is used")
    driver = re.search(_DRIVER, report)
    cann = re.search(_CANN, _toolkit_text(machine))
    if cann is None:
        warn(
            "CANN was not found for the Ascend NPU: set ASCEND_TOOLKIT_HOME, as the "
            "set_env.sh of the toolkit does"
        )
    return AscendNpu(
        npu=types[0],
        driver=driver[1].lower() if driver else None,
        cann=cann[1].lower() if cann else None,
    )


def _npu_type(name: str) -> str:
    """Return the published provider's type for a name from npu-smi."""
    lowered = name.lower().removeprefix("ascend")
    if lowered == "910":
        return "a3"
    for family in ("910b", "310p"):
        if lowered.startswith(family):
            return family
    return lowered


def _toolkit_text(machine: Machine) -> str:
    home = machine.variables.get("ASCEND_TOOLKIT_HOME") or _TOOLKIT
    path = f"{home}/{machine.machine}-linux/ascend_toolkit_install.info"
    return machine.read_text(path) or ""
