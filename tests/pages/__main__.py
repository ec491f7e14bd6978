"""Write the output of commands into the pages: ``make docs-output``.

Without arguments it writes all pages, otherwise the named ones. Output that matches the
run is kept, including its elisions.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from fakes.this_machine import machine_of_the_tests
from pages.hosts import ROOT, Hosts
from pages.play import play, rewritten
from pages.session import Session
from polylock.providers.machine import stand_in


def main(names: list[str]) -> int:
    """Run pages and rewrite them; 1 if a command failed unexpectedly."""
    pages = [Path(name) for name in names] or [
        ROOT / "README.md",
        *sorted((ROOT / "docs").rglob("*.md")),
    ]
    code = 0
    stand_in(machine_of_the_tests)
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        with Hosts(directory / "hosts") as hosts:
            for number, page in enumerate(pages):
                text = page.read_text("utf-8")
                with Session(directory / str(number), hosts, page=text) as session:
                    if session.translated:
                        _tell(f"error: no Python of the pages for {page}")
                        return 1
                    played = list(play(text, session))
                changed = rewritten(text, played)
                if changed != text:
                    page.write_text(changed, "utf-8", newline="\n")
                    _tell(f"wrote {page}")
                for each in played:
                    if each.complaint and (each.ran.code or each.block is None):
                        where = f"{page}:{each.command.line}"
                        what = each.command.text or "not in the file"
                        _tell(f"{where}: `{what}`: {each.ran.code}")
                        code = 1
    return code


def _tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
