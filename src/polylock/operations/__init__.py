"""One module a command; joins the parts, returns data, prints nothing."""

from __future__ import annotations
