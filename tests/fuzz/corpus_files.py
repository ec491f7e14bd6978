"""Inputs that fuzzing found earlier, and the check of an input."""

from __future__ import annotations

import time
from pathlib import Path

from fuzz.parsers import PARSERS

__all__ = ["CORPUS", "LONGEST_SECONDS", "complaint", "corpus"]

CORPUS = Path(__file__).parent / "corpus"
LONGEST_SECONDS = 5.0


def complaint(name: str, content: bytes) -> str | None:
    """Return what is wrong with a parser's result for an input, or None."""
    parser = PARSERS[name]
    began = time.process_time()
    try:
        parser.read(content)
    except parser.expected as error:
        words = str(error)
        if "Traceback" in words:
            return "a traceback in its words"
    except Exception as error:  # noqa: BLE001 - whatever it is, it is wrong
        return f"{type(error).__name__}: {error!s:.200}"
    seconds = time.process_time() - began
    return f"{seconds:.1f} seconds" if seconds > LONGEST_SECONDS else None


def corpus() -> list[Path]:
    """Return the files of the corpus; each begins with the name of its parser."""
    return sorted(path for path in CORPUS.iterdir() if path.name != ".gitkeep")
