"""Modules that are put off: nobody can tell but by the time it takes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"

USED = """
import inspect
from inspect import signature
import subprocess, textwrap
assert "ast" in sys.modules
assert str(inspect.signature(lambda a: a)) == "(a)"
assert signature is sys.modules["inspect"].signature
assert subprocess.PIPE == -1
assert textwrap.dedent(" a") == "a"
"""
UNUSED = """
import inspect, subprocess, textwrap
assert "ast" not in sys.modules
assert type(sys.modules["selectors"]).__name__ == "_Later"
"""
MISSING = """
import inspect
try:
    inspect.there_is_no_such_thing
except AttributeError as error:
    assert "there_is_no_such_thing" in str(error)
else:
    raise AssertionError
"""
ANSWERED = r"""
import inspect
texts = ["", "Say more.", " a", "a\n  b\n    c", "a\tb", "a ", "\n a", "\x0ba"]
async def asynchronous(): pass
def plain(): pass
class Callable:
    async def __call__(self): pass
functions = [asynchronous, plain, Callable(), Callable().__call__, len, print]
early = [inspect.cleandoc(text) for text in texts[:2]]
assert not inspect.iscoroutinefunction(plain)
assert inspect.iscoroutinefunction(asynchronous)
assert "ast" not in sys.modules
stand_in = inspect
stand_in.signature
import inspect
assert inspect is not stand_in
assert early == [inspect.cleandoc(text) for text in texts[:2]]
for text in texts:
    assert stand_in.cleandoc(text) == inspect.cleandoc(text), text
for function in functions:
    found = stand_in.iscoroutinefunction(function)
    assert found == inspect.iscoroutinefunction(function), function
"""
THREADS = """
import inspect, subprocess
from threading import Barrier, Thread
barrier = Barrier(8)
found = []
def use():
    barrier.wait()
    found.append((inspect.signature, subprocess.Popen))
threads = [Thread(target=use) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert len(found) == 8 and len(set(found)) == 1
"""
TYPING = """
assert "msgspec" in sys.modules and "typing_extensions" not in sys.modules
import msgspec
class Point(msgspec.Struct):
    x: "int | None" = None
assert msgspec.json.decode(b'{"x": 1}', type=Point) == Point(1)
try:
    import typing_extensions
except ImportError:
    pass
else:
    assert typing_extensions.Any
"""
BEFORE = """
import sys, textwrap
from polylock.cli.later import put_off
put_off()
assert sys.modules["textwrap"] is textwrap
assert type(textwrap).__name__ == "module"
"""
BEGIN = "import sys\nfrom polylock.cli.later import put_off\nput_off()\n"


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(BEGIN + USED, id="imported on first use, whole or in part"),
        pytest.param(BEGIN + UNUSED, id="not imported where nothing is used"),
        pytest.param(BEGIN + MISSING, id="what is missing is an AttributeError"),
        pytest.param(BEGIN + ANSWERED, id="answered as inspect does"),
        pytest.param(BEGIN + THREADS, id="imported once by many threads"),
        pytest.param(BEGIN + TYPING, id="msgspec takes its names from typing"),
        pytest.param(BEFORE, id="what is there already stays"),
    ],
)
def test_a_module_that_is_put_off_is_as_ever(code: str) -> None:
    """A bare Python that puts modules off finds in them what it always does."""
    done = subprocess.run(
        [sys.executable, "-S", "-W", "error", "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(SOURCE), *sys.path])},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
