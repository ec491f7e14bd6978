"""Gates on what a command imports: that is most of what a short one takes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fakes.command_line import LONE_TARGET
from fakes.this_machine import python_path
from polylock.providers.machine import this_host

if TYPE_CHECKING:
    from fakes.command_line import CommandLine

SOURCE = Path(__file__).parents[2] / "src"

COUNTED = """
import os, sys
before = set(sys.modules)
{prepare}
from polylock.__main__ import answer
code = answer(tuple(sys.argv[1:]))
print(code, *sorted(sys.modules.keys() - {{*before, "sitecustomize"}}))
"""
THERE = """
import sitecustomize
def there():
    from polylock.providers.machine import HostMachine
    class There(HostMachine):
        machine = {machine!r}
        def glibc_version(self):
            return "2.39"
    return There()
sitecustomize.replay = there
"""
"""The machine of the tests, without the imports that recordings are read by."""

SETTLED = "from polylock.answer_cache import remember; remember.SETTLED = 0"

ON_DEMAND = {
    "email",
    "filelock",
    "http",
    "httpx",
    "installer",
    "platformdirs",
    "pyproject_hooks",
    "resolvelib",
    "rich",
    "ssl",
    "tempfile",
    "tomlkit",
    "truststore",
    "urllib.request",
    "zipfile",
}
"""What no command imports that has nothing to do."""

PARSING_MARKERS = {"packaging._tokenizer", "packaging.markers"}
"""What is needed to parse a marker."""

NOT_TO_COMPARE = {
    "archspec",
    "ctypes",
    "difflib",
    "polylock.environment.interpreter",
    "polylock.installation.plan",
    "polylock.lockfile.assemble",
    "polylock.lockfile.file_choice",
    "polylock.lockfile.write",
    "polylock.network.auth",
    "polylock.operations.lock.resolve",
    "polylock.variants.ordering",
    "polylock.variants.variant_json",
}
"""What is needed neither to compare a lock file with its project."""


def count(found: set[str]) -> int:
    """Return how many modules are not of the standard library.

    What those import in turn is another matter with each release of Python.
    """
    return sum(name.partition(".")[0] not in sys.stdlib_module_names for name in found)


def imported(
    demo: CommandLine, *arguments: str, prepare: str = "", site: str = "-S"
) -> set[str]:
    """Run a command that succeeds in a bare Python; return what it imported."""
    done = subprocess.run(
        [sys.executable, site, "-c", COUNTED.format(prepare=prepare), *arguments],
        cwd=demo.directory,
        env={**os.environ, "PYTHONPATH": python_path(SOURCE, *sys.path)},
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=120,
    )
    code, *modules = done.stdout.split()
    assert code == "0", done.stderr
    return set(modules)


@pytest.mark.skipif(os.name == "nt", reason="nothing is remembered on Windows")
@pytest.mark.parametrize("command", ["check", "lock", "sync"])
def test_an_answer_from_memory_imports_next_to_nothing(
    demo: CommandLine, command: str
) -> None:
    """Its own four modules, a digest and a checksum, and nothing else at all."""
    demo.succeed("sync", "--target", "here")
    imported(demo, command, "-q", prepare=SETTLED)
    built_in = set(sys.builtin_module_names)
    expected = {
        "__future__",
        "_blake2",
        "polylock",
        "polylock.__main__",
        "polylock.cache",
        "polylock.cache.entries",
        "polylock.answer_cache",
        "polylock.answer_cache.recall",
        "zlib",
    }
    assert imported(demo, command, "-q") - built_in == expected - built_in


@pytest.mark.parametrize(
    ("command", "most"), [("check", 106), ("lock", 109), ("sync", 145)]
)
def test_a_command_with_nothing_to_do_imports_little(
    demo: CommandLine, command: str, most: int
) -> None:
    """Where nothing is remembered either, what may be needed later is not imported.

    A processor that is named is looked up in archspec; a level is not.
    """
    demo.write(demo.read().replace('"sapphirerapids"', '"x86-64-v4"'))
    demo.succeed("lock")
    demo.succeed("sync", "--target", "here")
    found = imported(demo, command, "--verbose")
    assert found & ON_DEMAND == set()
    if command != "sync":
        assert found & NOT_TO_COMPARE == set()
    assert count(found) <= most, count(found)


@pytest.mark.parametrize(
    ("command", "most"), [("check", 105), ("lock", 108), ("sync", 141)]
)
def test_a_lock_file_that_is_known_is_not_parsed(
    demo: CommandLine, command: str, most: int
) -> None:
    """Neither TOML is read again nor a marker, and hardware that nobody asks for."""
    dependencies = 'dependencies = ["plainlib>=1.1"]'
    (here,) = demo.read().split("[tool.polylock.targets.here]")[1:]
    target = f"[tool.polylock.targets.here]{here}"
    demo.write(f'[project]\nname = "a"\nversion = "1"\n{dependencies}\n{target}')
    demo.succeed("lock")
    demo.succeed("sync", "--target", "here")
    asked = ("--target", "here") if command == "sync" else ()
    prepare = THERE.format(machine=this_host().machine) if asked else ""
    found = imported(demo, command, *asked, "--verbose", prepare=prepare)
    looking = {"archspec", "ctypes", "polylock.providers.cpu_identity"}
    reading = {"polylock.lockfile.read", "hashlib", "shutil", "random"}
    assert found & (ON_DEMAND | PARSING_MARKERS | looking | reading) == set()
    assert count(found) <= most, count(found)


def test_a_sync_from_the_cache_imports_little(demo: CommandLine) -> None:
    """What is unpacked already is put in place without a client, a zip file, a lock."""
    demo.succeed("sync", "--target", "here")
    prepare = THERE.format(machine=this_host().machine)
    found = imported(demo, "sync", "--reinstall", prepare=prepare)
    assert (
        found & (ON_DEMAND | {"concurrent.futures", "polylock.installation.unpack"})
        == set()
    )
    assert count(found) <= 175, count(found)


def test_a_lock_whose_answers_are_known_imports_little(demo: CommandLine) -> None:
    """One target in an empty place: neither a marker is parsed nor a file fetched."""
    dependencies = 'dependencies = ["plainlib[color]>=1.1"]'
    demo.write(f'[project]\nname = "a"\nversion = "1"\n{dependencies}\n{LONE_TARGET}')
    demo.succeed("lock")
    (demo.directory / "pylock.toml").unlink()
    found = imported(demo, "lock", "--offline")
    needless = ON_DEMAND | PARSING_MARKERS | {"hashlib", "shutil", "random"}
    assert found & needless == set()
    assert count(found) <= 170, count(found)
