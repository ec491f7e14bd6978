"""What the example images and jobs run."""

from __future__ import annotations
