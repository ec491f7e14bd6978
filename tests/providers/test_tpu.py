"""The ``tpu`` namespace."""

from __future__ import annotations

from polylock.providers.tpu import derive


def test_tpu_is_present() -> None:
    """A machine with a TPU supports ``tpu :: present :: true``."""
    assert derive() == {"present": ("true",)}
