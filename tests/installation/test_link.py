"""Trees get into an environment by the first mode that works."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path

import pytest

from fakes.installations import tree_files
from polylock.errors import EnvironmentBroken
from polylock.installation.link import FileChanged, Linker, LinkMode, make_directories


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a tree of two files."""
    source = tmp_path / "tree"
    (source / "demo").mkdir(parents=True)
    (source / "demo" / "a.py").write_text("a")
    (source / "demo" / "run").write_text("b")
    (source / "demo" / "run").chmod(0o755)
    return source


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Return an empty site-packages with the directory that the tree needs."""
    site = tmp_path / "site"
    (site / "demo").mkdir(parents=True)
    return site


FILES = ["demo/a.py", "demo/run"]


def failing(number: int, calls: list[str]) -> object:
    """Return a link function that always fails."""

    def link(source: str, target: str) -> None:
        calls.append(target)
        raise OSError(number, os.strerror(number), source, None, target)

    return link


@pytest.mark.parametrize("mode", [LinkMode.AUTO, LinkMode.HARDLINK, LinkMode.COPY])
def test_link_files_in_each_mode(tree: Path, target: Path, mode: LinkMode) -> None:
    """Content and executable bits are those of the tree."""
    linker = Linker(mode)
    linker.link_files(tree, target, tree_files(tree, FILES))
    assert (target / "demo" / "a.py").read_text() == "a"
    assert os.access(target / "demo" / "run", os.X_OK)
    if sys.platform != "win32":
        assert not os.access(target / "demo" / "a.py", os.X_OK)
    assert len(linker.used) == 1
    if mode is not LinkMode.AUTO:
        assert linker.used == {mode}


def test_hard_links_share_the_file(tree: Path, target: Path) -> None:
    """A hard link is the file of the archive, a copy is not."""
    Linker(LinkMode.HARDLINK).link_files(tree, target, tree_files(tree, FILES))
    assert (target / "demo" / "a.py").samefile(tree / "demo" / "a.py")
    Linker(LinkMode.COPY).link_files(tree, target, tree_files(tree, FILES))
    assert not (target / "demo" / "a.py").samefile(tree / "demo" / "a.py")
    assert (tree / "demo" / "a.py").read_text() == "a"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a privilege there")
def test_symbolic_links_lead_to_the_archive(tree: Path, target: Path) -> None:
    """Mode symlink makes links to the files of the archive."""
    Linker(LinkMode.SYMLINK).link_files(tree, target, tree_files(tree, FILES))
    assert (target / "demo" / "a.py").readlink() == tree / "demo" / "a.py"


def test_auto_falls_back_and_remembers(
    tree: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where hard links do not work files are copied, and only one link is tried."""
    calls: list[str] = []
    monkeypatch.setattr(os, "link", failing(errno.EXDEV, calls))
    linker = Linker(platform="other")
    linker.link_files(tree, target, tree_files(tree, FILES))
    linker.link_files(tree, target, tree_files(tree, FILES))
    assert linker.used == {LinkMode.COPY}
    assert len(calls) == 1
    assert (target / "demo" / "run").read_text() == "b"


def test_a_file_with_too_many_links_is_copied(
    tree: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit of links of one file does not change the mode of the others."""
    link = os.link

    def limited(source: str, target: str) -> None:
        if source.endswith("run"):
            raise OSError(errno.EMLINK, os.strerror(errno.EMLINK), source, None, target)
        link(source, target)

    monkeypatch.setattr(os, "link", limited)
    linker = Linker(platform="other")
    linker.link_files(tree, target, tree_files(tree, FILES))
    assert linker.used == {LinkMode.HARDLINK, LinkMode.COPY}
    assert (target / "demo" / "a.py").samefile(tree / "demo" / "a.py")
    assert not (target / "demo" / "run").samefile(tree / "demo" / "run")
    assert os.access(target / "demo" / "run", os.X_OK)


def test_a_named_mode_does_not_fall_back(
    tree: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who asks for hard links gets them or an error that names another mode."""
    monkeypatch.setattr(os, "link", failing(errno.EXDEV, []))
    with pytest.raises(EnvironmentBroken, match="hardlink: ") as caught:
        Linker(LinkMode.HARDLINK).link_files(tree, target, tree_files(tree, FILES))
    assert "--link-mode copy" in str(caught.value.hint())


def test_what_stands_in_the_way_is_replaced(tree: Path, target: Path) -> None:
    """An older file is removed, never written into: it may be a link to the cache."""
    other = target.parent / "other"
    other.write_text("precious")
    for name in FILES:
        os.link(other, target / name)
    for mode in (LinkMode.HARDLINK, LinkMode.COPY):
        Linker(mode).link_files(tree, target, tree_files(tree, FILES))
        assert (target / "demo" / "a.py").read_text() == "a"
        assert (target / "demo" / "run").read_text() == "b"
    assert other.read_text() == "precious"
    assert (tree / "demo" / "a.py").read_text() == "a"


@pytest.mark.parametrize("position", [0, 1])
def test_a_directory_in_the_way_is_an_error(
    tree: Path, target: Path, position: int
) -> None:
    """A directory where a file has to be is not removed."""
    (target / FILES[position]).mkdir()
    with pytest.raises(EnvironmentBroken, match="in the way"):
        Linker(LinkMode.HARDLINK).link_files(tree, target, tree_files(tree, FILES))


@pytest.mark.parametrize("position", [0, 1])
def test_a_missing_source_is_named(tree: Path, target: Path, position: int) -> None:
    """A file that the archive lacks is told apart from a bad environment."""
    files = tree_files(tree, FILES)
    (tree / FILES[position]).unlink()
    with pytest.raises(FileNotFoundError) as caught:
        Linker(LinkMode.HARDLINK).link_files(tree, target, files)
    assert Path(caught.value.filename) == tree / FILES[position]


def appended(path: Path) -> None:
    """Make a file longer, its time as before."""
    before = path.stat()
    with path.open("a") as file:
        file.write("x")
    os.utime(path, ns=(before.st_mtime_ns, before.st_mtime_ns))


def edited(path: Path) -> None:
    """Replace the content by another of the same length."""
    path.write_text("z")
    os.utime(path, ns=(path.stat().st_mtime_ns + 1,) * 2)


def emptied(path: Path) -> None:
    """Truncate a file."""
    path.write_text("")


def led_elsewhere(path: Path) -> None:
    """Put a link to another file of the same size and time in place of a file."""
    other = path.with_name("other")
    path.replace(other)
    path.symlink_to(other)


def removed(path: Path) -> None:
    """Remove a file."""
    path.unlink()


DAMAGES = {
    "longer": appended,
    "edited": edited,
    "emptied": emptied,
    "a link elsewhere": led_elsewhere,
    "removed": removed,
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("mode", [LinkMode.AUTO, LinkMode.HARDLINK, LinkMode.COPY])
@pytest.mark.parametrize("position", [0, 1])
def test_a_file_that_was_changed_is_not_linked(
    tree: Path,
    target: Path,
    damage: str,
    mode: LinkMode,
    position: int,
) -> None:
    """Its size and the time of its last change are those that it was unpacked with."""
    if damage == "a link elsewhere" and sys.platform == "win32":
        pytest.skip("needs a privilege there")
    files = tree_files(tree, FILES)
    DAMAGES[damage](tree / FILES[position])
    for new_file in (None, 0o100644):
        with pytest.raises((FileChanged, FileNotFoundError), match=FILES[position]):
            Linker(mode).link_files(tree, target, files, mode=new_file)
    assert not (target / FILES[position]).exists()


@pytest.mark.skipif(sys.platform == "win32", reason="modes are of POSIX")
@pytest.mark.parametrize("umask", [0o077, 0o022, 0o002])
def test_files_have_the_mode_of_the_umask(tree: Path, target: Path, umask: int) -> None:
    """Those of an archive that was unpacked under another umask are copied."""
    for name, mode in zip(FILES, (0o644, 0o755), strict=True):
        (tree / name).chmod(mode)
    new_file = 0o100666 & ~umask
    before = os.umask(umask)
    try:
        linker = Linker(platform="other")
        files = tree_files(tree, FILES)
        linker.link_files(tree, target, files, mode=new_file)
    finally:
        os.umask(before)
    found = [stat.S_IMODE((target / name).stat().st_mode) for name in FILES]
    executable = new_file | (new_file & 0o444) >> 2
    assert found == [stat.S_IMODE(new_file), stat.S_IMODE(executable)]
    is_linked = (target / FILES[0]).samefile(tree / FILES[0])
    assert is_linked == (new_file == 0o100644)
    assert (LinkMode.COPY in linker.used) != is_linked


@pytest.mark.skipif(sys.platform == "win32", reason="modes are of POSIX")
@pytest.mark.parametrize("mode", [0o644, 0o000])
def test_a_file_that_may_no_longer_be_run_was_changed(
    tree: Path, target: Path, mode: int
) -> None:
    """A mode that no umask gives is a change as well."""
    files = tree_files(tree, FILES)
    (tree / "demo" / "run").chmod(mode)
    with pytest.raises(FileChanged, match="run"):
        Linker().link_files(tree, target, files, mode=0o100644)


def test_no_files_need_no_mode(tree: Path, target: Path) -> None:
    """A tree without files chooses no mode."""
    linker = Linker()
    linker.link_files(tree, target, tree_files(tree, []))
    assert linker.used == set()


def test_make_directories(tmp_path: Path) -> None:
    """Directories are made, and those that exist are taken."""
    (tmp_path / "a").mkdir()
    make_directories(tmp_path, ["a", "a/b", "c"])
    assert (tmp_path / "a" / "b").is_dir()
    assert (tmp_path / "c").is_dir()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a privilege there")
def test_make_directories_when_a_link_is_in_the_way(tmp_path: Path) -> None:
    """A link is not followed: what it leads to is not the environment."""
    (tmp_path / "elsewhere").mkdir()
    site = tmp_path / "site"
    site.mkdir()
    (site / "demo").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(EnvironmentBroken, match="is in the way"):
        make_directories(site, ["demo"])


def test_make_directories_when_a_file_is_in_the_way(tmp_path: Path) -> None:
    """A file where a directory has to be is an error."""
    (tmp_path / "demo").touch()
    with pytest.raises(EnvironmentBroken, match="is in the way"):
        make_directories(tmp_path, ["demo"])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="FICLONE is Linux's")
def test_a_clone_or_its_refusal_leaves_a_whole_file(tree: Path, target: Path) -> None:
    """Where the file system clones, the clone is whole; elsewhere auto goes on."""
    linker = Linker(platform="linux")
    linker.link_files(tree, target, tree_files(tree, FILES))
    assert linker.used <= {LinkMode.CLONE, LinkMode.HARDLINK, LinkMode.COPY}
    assert (target / "demo" / "a.py").read_text() == "a"
    assert stat.S_IMODE((target / "demo" / "run").stat().st_mode) == stat.S_IMODE(
        (tree / "demo" / "run").stat().st_mode
    )
