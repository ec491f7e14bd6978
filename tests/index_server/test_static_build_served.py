"""An index that is built is served as it was built."""

from __future__ import annotations

import urllib.request
from typing import TYPE_CHECKING

from fakes.wheels import build_wheel
from polylock.index_server.static_build import build_index
from polylock.index_server.static_serve import IndexServer

if TYPE_CHECKING:
    from pathlib import Path


def test_index_is_built_beside_the_wheels_and_served(tmp_path: Path) -> None:
    """Without a destination, one folder is both built and served."""
    build_wheel(tmp_path, "demo", "1.0")

    built = build_index(tmp_path)

    assert built.directory == tmp_path
    with IndexServer(built.directory) as server:
        page = server.url + "demo/"
        with urllib.request.urlopen(page, timeout=10) as response:
            assert b"demo-1.0-py3-none-any.whl" in response.read()


def test_index_is_built_where_asked(tmp_path: Path) -> None:
    """A destination keeps the folder of the wheels as it is."""
    wheel = build_wheel(tmp_path / "wheels", "demo", "1.0")

    built = build_index(tmp_path / "wheels", tmp_path / "index")

    assert built.projects == ("demo",)
    assert list(wheel.parent.iterdir()) == [wheel]
    assert (tmp_path / "index" / "simple" / "demo" / "index.json").is_file()
