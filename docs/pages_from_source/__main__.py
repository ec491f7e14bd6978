"""Write the pages that are generated from the source: ``make reference``."""

from __future__ import annotations

from pages_from_source.pages import PAGES, REFERENCE


def main() -> None:
    """Write each page that has changed."""
    for name, make in PAGES.items():
        path, text = REFERENCE / name, make()
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8", newline="\n")
            print(f"wrote {path.relative_to(REFERENCE.parents[1])}")


if __name__ == "__main__":
    main()
