"""Where the files of a wheel go."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from fakes.installations import WheelDirectory, make_interpreter
from fakes.wheels import build_wheel
from polylock.environment.interpreter import Interpreter, Scheme
from polylock.errors import EnvironmentBroken, FileCorrupt
from polylock.installation.archive import read_manifest
from polylock.installation.link import Linker, LinkMode
from polylock.installation.own_files import OwnFiles
from polylock.installation.place import Placement
from polylock.installation.record import parse_rows


def placement(
    root: Path, interpreter: Interpreter, *, files: dict[str, str], points: str = ""
) -> Placement:
    """Return the placement of a wheel with these files."""
    wheels = WheelDirectory(root)
    wheel = build_wheel(
        root / "wheels",
        "demo",
        "1.0",
        files=dict(files),
        entry_points=points or None,
    )
    wanted = wheels.want(wheel)
    archive = wheels.archive(wanted)
    return Placement(
        wanted=wanted,
        archive=archive,
        manifest=read_manifest(archive, filename=wheel.name, sha256=wanted.sha256),
        interpreter=interpreter,
        own=OwnFiles(interpreter),
    )


def test_each_scheme_has_its_directory(tmp_path: Path) -> None:
    """The five keys of .data lead to the directories that the Python names."""
    interpreter = make_interpreter(tmp_path / "env")
    site = Path(interpreter.scheme.purelib)
    placed = placement(
        tmp_path,
        interpreter,
        files={
            "demo-1.0.data/purelib/pure.py": "p",
            "demo-1.0.data/platlib/plat.py": "p",
            "demo-1.0.data/scripts/tool": "s",
            "demo-1.0.data/headers/demo.h": "h",
            "demo-1.0.data/data/etc/demo.conf": "d",
        },
    )
    placed.put(Linker())
    for path in (
        site / "pure.py",
        site / "plat.py",
        tmp_path / "env/bin/tool",
        tmp_path / "env/include/site/python3.12/demo/demo.h",
        tmp_path / "env/etc/demo.conf",
    ):
        assert path.is_file()
    text = (placed.info / "RECORD").read_text(encoding="utf-8")
    paths = {row.path for row in parse_rows(text)}
    assert {
        "pure.py",
        "../../../bin/tool",
        "../../../include/site/python3.12/demo/demo.h",
        "../../../etc/demo.conf",
        "demo-1.0.dist-info/RECORD",
    } <= paths
    assert all((site / path).exists() for path in paths)


def test_configuration_is_copied(tmp_path: Path) -> None:
    """A file below etc is no link into the archive, for people edit it in place."""
    placed = placement(
        tmp_path,
        make_interpreter(tmp_path / "env"),
        files={
            "demo-1.0.data/data/etc/demo.conf": "d",
            "demo-1.0.data/data/share/demo.txt": "d",
        },
    )
    (tmp_path / "env/etc").mkdir()
    (tmp_path / "env/etc/demo.conf").write_text("of another")
    placed.put(Linker(LinkMode.HARDLINK))
    configuration = tmp_path / "env/etc/demo.conf"
    assert configuration.read_text() == "d"
    assert configuration.stat().st_nlink == 1
    assert (tmp_path / "env/share/demo.txt").stat().st_nlink == 2


def test_the_root_goes_where_the_wheel_says(tmp_path: Path) -> None:
    """A wheel that is not pure goes to platlib."""
    interpreter = make_interpreter(tmp_path / "env")
    scheme = msgspec.structs.replace(
        interpreter.scheme, platlib=str(tmp_path / "env" / "plat")
    )
    assert isinstance(scheme, Scheme)
    placed = placement(
        tmp_path,
        msgspec.structs.replace(interpreter, scheme=scheme),
        files={"demo/a.py": ""},
    )
    impure = msgspec.structs.replace(placed.manifest, root_is_purelib=False)
    placed = Placement(
        wanted=placed.wanted,
        archive=placed.archive,
        manifest=impure,
        interpreter=placed.interpreter,
        own=placed.own,
    )
    placed.put(Linker())
    assert (tmp_path / "env" / "plat" / "demo" / "a.py").is_file()


def test_launchers_on_windows(tmp_path: Path) -> None:
    """A Windows Python gets .exe launchers, whatever system polylock runs on."""
    interpreter = make_interpreter(tmp_path / "env", platform="win-amd64")
    placed = placement(
        tmp_path,
        interpreter,
        files={"demo/a.py": ""},
        points="[console_scripts]\nrun = demo:a\n",
    )
    placed.put(Linker())
    assert (tmp_path / "env/bin/run.exe").read_bytes().startswith(b"MZ")
    assert "bin/run.exe" in (placed.info / "RECORD").read_text(encoding="utf-8")


def test_a_launcher_wins_over_a_script_of_its_name(tmp_path: Path) -> None:
    """A script and an entry point of one name are one file and one row."""
    placed = placement(
        tmp_path,
        make_interpreter(tmp_path / "env"),
        files={"demo-1.0.data/scripts/run": "old"},
        points="[console_scripts]\nrun = demo:main\n",
    )
    placed.put(Linker())
    assert b"from demo import main" in (tmp_path / "env/bin/run").read_bytes()
    text = (placed.info / "RECORD").read_text(encoding="utf-8")
    assert text.count("bin/run,") == 1


def test_a_file_in_the_way_is_replaced_not_followed(tmp_path: Path) -> None:
    """A script never writes through a link that has its name."""
    interpreter = make_interpreter(tmp_path / "env")
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (tmp_path / "env/bin/tool").hardlink_to(precious)
    placed = placement(
        tmp_path, interpreter, files={"demo-1.0.data/scripts/tool": "new"}
    )
    placed.put(Linker())
    assert (tmp_path / "env/bin/tool").read_text() == "new"
    assert precious.read_text() == "precious"


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    """A file where a directory has to be is an error that names it."""
    interpreter = make_interpreter(tmp_path / "env")
    (tmp_path / "env/etc").touch()
    placed = placement(
        tmp_path, interpreter, files={"demo-1.0.data/data/etc/demo.conf": "x"}
    )
    with pytest.raises(EnvironmentBroken, match="cannot be written"):
        placed.put(Linker())
    assert not (placed.info / "RECORD").exists()


def test_names_that_differ_in_case_need_a_file_system_that_tells_them_apart(
    tmp_path: Path,
) -> None:
    """The cache may tell them apart where the environment does not."""
    interpreter = make_interpreter(tmp_path / "env")
    files = {"demo/a.py": "a", "demo/A.py": "A"}
    if (tmp_path / "ENV").exists():
        with pytest.raises(FileCorrupt, match="differ only in case"):
            placement(tmp_path, interpreter, files=files)
        return
    placed = placement(tmp_path, interpreter, files=files)
    placed.check()
    site = Path(interpreter.scheme.purelib)
    site.with_name(site.name.swapcase()).symlink_to(site)  # as macOS answers
    with pytest.raises(FileCorrupt, match="differ only in case"):
        placed.check()
