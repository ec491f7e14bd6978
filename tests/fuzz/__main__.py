"""``python -m fuzz --seconds 60``: change input for a time, save failures.

Inputs that reach new lines are changed further. An input that causes an error the
parser does not declare, or takes more than 5 seconds or 500 MB, is written to
``corpus/`` and reported; a test reads the whole corpus.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
import time
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from fuzz.corpus_files import CORPUS, complaint
from fuzz.mutations import NewLines, mutated
from fuzz.parsers import PARSERS

if TYPE_CHECKING:
    from collections.abc import Sequence

_LARGEST_GROWTH = 500 * 1024**2


def fuzz(name: str, *, seconds: float, most: int, seed: int) -> tuple[int, list[str]]:
    """Change input for a parser; return the number of inputs and the failures."""
    random = Random(seed)
    parser = PARSERS[name]
    seeds = list(parser.seeds)
    wrong: list[str] = []
    began = time.monotonic()
    count = 0
    with NewLines() as lines:
        for content in seeds:
            complaint(name, content)
        while count < most and time.monotonic() - began < seconds:
            content = mutated(seeds, random)
            before = lines.count
            found = complaint(name, content)
            count += 1
            if found is not None:
                digest = hashlib.sha256(content).hexdigest()[:16]
                path = CORPUS / f"{name}-{digest}"
                path.write_bytes(content)
                wrong.append(f"{path.name}: {found}")
            elif lines.count > before:
                seeds.append(content)
    return count, wrong


def main(arguments: Sequence[str]) -> int:
    """Fuzz each parser, or the named ones; return 1 if there was a failure."""
    options = argparse.ArgumentParser(prog="fuzz")
    options.add_argument("parsers", nargs="*", choices=[*PARSERS, []])
    options.add_argument("--seconds", type=float, default=60.0, help="in all")
    options.add_argument("--most", type=int, default=200_000, help="inputs a parser")
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args(arguments)
    _limit_memory()
    names = given.parsers or list(PARSERS)
    failed = False
    for name in names:
        began = time.monotonic()
        _forget_peak()
        count, wrong = fuzz(
            name,
            seconds=given.seconds / len(names),
            most=given.most,
            seed=given.seed,
        )
        failed = failed or bool(wrong)
        sys.stdout.write(
            f"{name}: {count} inputs in {time.monotonic() - began:.0f} s, "
            f"{len(wrong)} wrong, at most {_peak() // 1024**2} MB\n"
        )
        sys.stdout.writelines(f"  {line}\n" for line in wrong[:20])
        sys.stdout.flush()
    return int(failed)


def _forget_peak() -> None:
    """Reset the measured peak of memory, if Linux allows it."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", "ascii")


def _peak() -> int:
    """Return the peak of memory in bytes; 0 if unknown."""
    with suppress(OSError):
        status = Path("/proc/self/status").read_text("ascii")
        found = re.search(r"^VmHWM:\s*(\d+) kB$", status, re.MULTILINE)
        return int(found[1]) * 1024 if found else 0
    return 0


def _limit_memory() -> None:
    """Let a parser that takes more than 500 MB end in a MemoryError."""
    if sys.platform == "linux":
        import resource  # noqa: PLC0415 - not there on Windows

        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
        size = pages * resource.getpagesize() + _LARGEST_GROWTH
        resource.setrlimit(resource.RLIMIT_AS, (size, size))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
