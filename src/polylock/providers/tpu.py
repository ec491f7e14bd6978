"""Google TPUs: the ``tpu`` namespace, as uv answers for tpu-variant-provider."""

from __future__ import annotations

__all__ = ["derive"]


def derive() -> dict[str, tuple[str, ...]]:
    """Return the features of the ``tpu`` namespace on a machine that has one."""
    return {"present": ("true",)}
