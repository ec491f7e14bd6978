"""A build from the file to the wheel, with a provisioner that the test decides."""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import zipfile
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fakes.pythons import sites_of, this_python
from fakes.sdists import NO_METADATA_HOOK, in_tree, write_tar
from polylock.build.isolation import IsolatedBuilder
from polylock.environment.discovery import environment_python
from polylock.errors import BuildFailed, FileCorrupt, NoSolution

if TYPE_CHECKING:
    from collections.abc import Sequence

    from polylock.cache.store import Store


@dataclass
class Copies:
    """A Provisioner that copies ``projects`` of this Python and notes the calls."""

    projects: tuple[str, ...] = ()
    asked: list[tuple[str, ...]] = field(default_factory=list)
    failure: Exception | None = None

    def provision(self, requirements: Sequence[str], directory: Path) -> Path:
        """Copy the files of the projects into the environment."""
        self.asked.append(tuple(requirements))
        if self.failure is not None:
            raise self.failure
        python = environment_python(directory)
        site = sites_of(directory)[0]
        for project in self.projects:
            for file in distribution(project).files or ():
                if ".." not in file.parts and file.suffix != ".pyc":
                    target = site / file
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(str(file.locate()), target)
        return python


def builder(store: Store, provisioner: Copies) -> IsolatedBuilder:
    """Return a builder for the Python that runs the tests."""
    return IsolatedBuilder(
        store=store,
        interpreter=this_python(),
        provisioner=provisioner,
        variables=os.environ,
    )


@functools.cache
def needs(project: str, minimum: tuple[int, ...] = ()) -> None:
    """Skip the test where a backend is not installed in the running environment."""
    try:
        found = distribution(project).version
    except PackageNotFoundError:
        pytest.skip(f"{project} is not installed here")
    if tuple(int(part) for part in found.split(".")[:2]) < minimum:
        pytest.skip(f"{project} {found} needs the wheel project to build a wheel")


def test_a_wheel_lies_where_it_was_asked_for(store: Store, tmp_path: Path) -> None:
    """Requirements are installed together, with those of the hook in a second step."""
    path = in_tree(tmp_path, "demo", "1.0", requires=["a"], further=["b", "a"])
    copies = Copies()
    wheel = builder(store, copies).wheel(path, path.name, tmp_path)
    assert wheel == tmp_path / "demo-1.0-py3-none-any.whl"
    assert wheel.is_file()
    assert copies.asked == [("a",), ("a", "b")]


@pytest.mark.parametrize("backend", ["", NO_METADATA_HOOK])
def test_metadata_with_and_without_its_hook(
    store: Store, tmp_path: Path, backend: str
) -> None:
    """The answer is the same."""
    path = in_tree(tmp_path, "demo", "1.0", built_requires=["c>=2"], backend=backend)
    found = builder(store, Copies()).metadata(path, path.name)
    assert (found.name, found.version) == ("demo", "1.0")
    assert [str(requirement) for requirement in found.requires_dist] == ["c>=2"]


@pytest.mark.parametrize(
    "change", ["NAME = 'other'\n", "VERSION = '2.0'\n", "VERSION = 'nonsense'\n"]
)
def test_another_project_than_the_name_says_is_refused(
    store: Store, tmp_path: Path, change: str
) -> None:
    """Metadata and wheel are both checked."""
    path = in_tree(tmp_path, "demo", "1.0", backend=change)
    with pytest.raises(BuildFailed, match="the build produced"):
        builder(store, Copies()).metadata(path, path.name)
    with pytest.raises(BuildFailed, match="the build produced"):
        builder(store, Copies()).wheel(path, path.name, tmp_path)


def test_bad_metadata_is_a_failed_build(store: Store, tmp_path: Path) -> None:
    """The error has the reason."""
    path = in_tree(tmp_path, "demo", "1.0", built_requires=["!"])
    with pytest.raises(BuildFailed, match="its metadata is invalid"):
        builder(store, Copies()).metadata(path, path.name)


def test_a_tree_that_nothing_can_build_is_a_failed_build(
    store: Store, tmp_path: Path
) -> None:
    """No environment is made for it."""
    path = write_tar(tmp_path, "demo-1.0.tar.gz", {"demo-1.0/README": ""})
    copies = Copies()
    with pytest.raises(BuildFailed, match=r"demo 1\.0: it has neither"):
        builder(store, copies).wheel(path, path.name, tmp_path)
    assert copies.asked == []


def test_a_name_that_is_no_sdists_is_corrupt(store: Store, tmp_path: Path) -> None:
    """Wheels and others are not built."""
    with pytest.raises(FileCorrupt, match="not a source distribution"):
        builder(store, Copies()).wheel(tmp_path / "x", "demo.rar", tmp_path)


def test_unmeetable_requirements_are_a_failed_build(
    store: Store, tmp_path: Path
) -> None:
    """The explanation of the solver is kept."""
    path = in_tree(tmp_path, "demo", "1.0", requires=["a"])
    copies = Copies(failure=NoSolution("build", ["a is not there"]))
    with pytest.raises(BuildFailed, match="requirements cannot be met") as caught:
        builder(store, copies).wheel(path, path.name, tmp_path)
    assert caught.value.details() == ("a is not there",)


SETUP = "from setuptools import setup, Extension\n"


def test_setuptools_builds_a_tree_without_pyproject(
    store: Store, tmp_path: Path
) -> None:
    """The legacy of PEP 517, with the real backend."""
    needs("setuptools", (70, 1))
    path = write_tar(
        tmp_path,
        "demo-1.0.tar.gz",
        {
            "demo-1.0/setup.py": SETUP
            + "setup(name='demo', version='1.0', py_modules=['demo'])\n",
            "demo-1.0/demo.py": "x = 1\n",
        },
    )
    made = builder(store, Copies(("setuptools",)))
    wheel = made.wheel(path, path.name, tmp_path)
    assert "demo.py" in zipfile.ZipFile(wheel).namelist()
    assert made.metadata(path, path.name).version == "1.0"


@pytest.mark.slow
def test_setuptools_compiles_an_extension(store: Store, tmp_path: Path) -> None:
    """With the real compiler; the wheel is for this machine, and works."""
    needs("setuptools", (70, 1))
    if shutil.which("cc") is None and shutil.which("gcc") is None:
        pytest.skip("there is no C compiler here")
    source = (
        "#include <Python.h>\n"
        'static struct PyModuleDef demo = {PyModuleDef_HEAD_INIT, "_demo"};\n'
        "PyMODINIT_FUNC PyInit__demo(void) {\n"
        "    PyObject *module = PyModule_Create(&demo);\n"
        '    PyModule_AddIntConstant(module, "answer", 42);\n'
        "    return module;\n}\n"
    )
    path = write_tar(
        tmp_path,
        "demo-1.0.tar.gz",
        {
            "demo-1.0/pyproject.toml": (
                "[build-system]\nrequires = ['setuptools']\n"
                "build-backend = 'setuptools.build_meta'\n"
            ),
            "demo-1.0/setup.py": SETUP + "setup(name='demo', version='1.0', "
            "ext_modules=[Extension('_demo', ['demo.c'])])\n",
            "demo-1.0/demo.c": source,
        },
    )
    wheel = builder(store, Copies(("setuptools",))).wheel(path, path.name, tmp_path)
    assert not wheel.name.endswith("any.whl")
    with zipfile.ZipFile(wheel) as archive:
        (member,) = (n for n in archive.namelist() if n.startswith("_demo"))
        archive.extract(member, tmp_path)
    spec = importlib.util.spec_from_file_location("_demo", tmp_path / member)
    assert spec is not None
    assert importlib.util.module_from_spec(spec).answer == 42


@pytest.mark.slow
def test_hatchling_builds(store: Store, tmp_path: Path) -> None:
    """Another real backend, with its own metadata hook."""
    for project in ("hatchling", "packaging", "pathspec", "pluggy"):
        needs(project)
    path = write_tar(
        tmp_path,
        "demo-1.0.tar.gz",
        {
            "demo-1.0/pyproject.toml": (
                "[build-system]\nrequires = ['hatchling']\n"
                "build-backend = 'hatchling.build'\n"
                "[project]\nname = 'demo'\nversion = '1.0'\ndependencies = ['c']\n"
            ),
            "demo-1.0/demo.py": "x = 1\n",
        },
    )
    copied = ("hatchling", "packaging", "pathspec", "pluggy", "trove-classifiers")
    made = builder(store, Copies(copied))
    assert made.metadata(path, path.name).requires_dist[0].name == "c"
    assert made.wheel(path, path.name, tmp_path).is_file()
