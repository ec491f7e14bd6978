"""What polylock installs is what the library ``installer`` installs."""

from __future__ import annotations

import csv
import sys
import warnings
from pathlib import Path, PurePosixPath

import pytest
from installer import install
from installer.destinations import SchemeDictionaryDestination
from installer.sources import WheelFile

from fakes.installations import WheelDirectory, make_interpreter, snapshot
from fakes.wheels import build_wheel
from polylock.environment.installed import read_installed
from polylock.installation.execute import execute
from polylock.installation.link import Linker, LinkMode
from polylock.installation.plan import SyncRequest, plan_sync

POINTS = "[console_scripts]\nrun = demo.cli:main\n[gui_scripts]\nwin = demo:App.go\n"

WHEELS: dict[str, dict[str, str | bytes]] = {
    "plain": {"demo/__init__.py": "x = 1\n", "demo/py.typed": ""},
    "data": {
        "demo/__init__.py": "",
        "demo-1.0.data/scripts/tool": "#!python\nprint(1)\n",
        "demo-1.0.data/scripts/shell": "#!/bin/sh\necho\n",
        "demo-1.0.data/data/share/man/demo.1": "page",
        "demo-1.0.data/headers/demo/x.h": "int x;",
        "demo-1.0.data/purelib/extra.py": "",
        "demo-1.0.data/platlib/plat.py": "",
    },
    "namespace": {"space/demo/__init__.py": "", "space/demo/deep/er/x.txt": "x"},
    "names": {"demo/with, comma.txt": "", "demo/\u00e9t\u00e9.txt": "", "top.py": ""},
    "bytecode": {
        "demo/__init__.py": "",
        "demo/__pycache__/__init__.cpython-312.pyc": b"\0",
    },
    "binary": {"demo/data.bin": bytes(range(256)) * 9000},
}

_OURS = {"polylock.json", "INSTALLER", "RECORD"}
_LAUNCHERS = {"run", "win"}
_FOR_WINDOWS = (
    b"# -*- coding: utf-8 -*-\n",
    b"import re\n",
    b'    sys.argv[0] = re.sub(r"(-script\\.pyw|\\.exe)?$", "", sys.argv[0])\n',
)
"""What installer writes into launchers of every system. Only on Windows it is of use,
and importing ``re`` costs each start of a script some milliseconds."""


def comparable(root: Path) -> dict[str, tuple[bytes | None, bool]]:
    """Return a snapshot without the files that name the installer."""
    found = snapshot(root)
    return {
        name: value for name, value in found.items() if Path(name).name not in _OURS
    }


def record(site: Path) -> set[tuple[str, ...]]:
    """Return the rows of RECORD that do not name the installer."""
    with (site / "demo-1.0.dist-info" / "RECORD").open(newline="") as file:
        # installer writes ``./`` before what .data puts into site-packages.
        rows = {
            (PurePosixPath(path).as_posix(), *rest) for path, *rest in csv.reader(file)
        }
    return {
        (path, *("" if Path(path).name in _LAUNCHERS else each for each in rest))
        for path, *rest in rows
        if Path(path).name not in _OURS - {"RECORD"}
    }


def without_windows(launcher: bytes | None) -> bytes | None:
    """Return a launcher without the lines that have no use on POSIX."""
    for line in _FOR_WINDOWS:
        launcher = launcher and launcher.replace(line, b"")
    return launcher


@pytest.mark.parametrize("mode", [LinkMode.HARDLINK, LinkMode.COPY])
@pytest.mark.parametrize("points", [None, POINTS])
@pytest.mark.parametrize("case", WHEELS)
def test_tree_and_record_are_those_of_installer(
    tmp_path: Path, case: str, points: str | None, mode: LinkMode
) -> None:
    """Every file, its mode and its row in RECORD agree, launchers in what they do."""
    wheel = build_wheel(
        tmp_path / "wheels", "demo", "1.0", files=WHEELS[case], entry_points=points
    )
    interpreter = make_interpreter(tmp_path / "ours")
    wheels = WheelDirectory(tmp_path)
    request = SyncRequest(wanted=(wheels.want(wheel),))
    plan = plan_sync(request, read_installed(interpreter.site_directories))
    execute(plan, interpreter, wheels, linker=Linker(mode))

    other = make_interpreter(tmp_path / "theirs")
    scheme = other.scheme
    destination = SchemeDictionaryDestination(
        {
            "purelib": scheme.purelib,
            "platlib": scheme.platlib,
            "scripts": scheme.scripts,
            "data": scheme.data,
            "headers": str(Path(scheme.headers) / "demo"),
        },
        interpreter=interpreter.executable,
        script_kind="posix",
    )
    with WheelFile.open(wheel) as source, warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of __pycache__
        install(source, destination, additional_metadata={"INSTALLER": b"installer\n"})

    ours, theirs = comparable(tmp_path / "ours"), comparable(tmp_path / "theirs")
    assert ours.keys() == theirs.keys()
    if sys.platform == "win32":
        assert ours == theirs
        return
    # installer gives scripts of .data the bit only if the wheel does. PEP 427: "Unix
    # installers may need to add the +x bit to these files if the archive was created
    # on Windows."
    scripts = {"bin/tool", "bin/shell"}
    for name, (content, is_executable) in ours.items():
        expected = theirs[name][0]
        if Path(name).name in _LAUNCHERS:
            expected = without_windows(expected)
        assert content == expected, name
        assert is_executable is (theirs[name][1] or name in scripts), name
    assert record(Path(interpreter.scheme.purelib)) == record(Path(scheme.purelib))
