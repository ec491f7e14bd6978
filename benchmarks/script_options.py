"""The options that all measuring scripts share."""

from __future__ import annotations

import argparse
from pathlib import Path

from project_list import DEFAULT_PROJECT

__all__ = ["make_parser"]


def make_parser(description: str | None) -> argparse.ArgumentParser:
    """Return a parser of these options."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--project", default=DEFAULT_PROJECT, help="small, medium, or a path"
    )
    parser.add_argument("--directory", type=Path, help="where the recording is")
    parser.add_argument("--runs", type=int, default=5, help="default: 5")
    parser.add_argument("--json", type=Path, help="write all times to this file")
    parser.add_argument(
        "--markdown", action="store_true", help="print headings, for docs/benchmarks.md"
    )
    parser.add_argument(
        "--script", action="store_true", help="start polylock by its script"
    )
    return parser
