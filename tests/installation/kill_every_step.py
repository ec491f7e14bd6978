"""Kill a sync at each change that it makes, and let the next one repair it.

Run with a directory as its argument; prints the number of kills. Each sync runs in a
child process that exits without cleaning up at its n-th change of the file system, so
``finally`` blocks do not run.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from fakes.installations import WheelDirectory, make_interpreter, snapshot
from fakes.wheels import build_wheel
from polylock.environment.installed import read_installed
from polylock.installation.execute import execute
from polylock.installation.plan import SyncRequest, WantedDistribution, plan_sync

_CHANGES = {"os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link"}
_KILLED = 77


def main(root: Path) -> int:
    """Return the number of kills; raise AssertionError if a repair failed."""
    wheels = WheelDirectory(root)
    old = [_wheel(wheels, root, name, "1.0") for name in ("a", "b")]
    new = [_wheel(wheels, root, name, "2.0") for name in ("a", "c")]
    environment = root / "env"
    interpreter = make_interpreter(environment)
    empty = root / "empty"
    shutil.copytree(environment, empty)

    def sync(wanted: list[WantedDistribution]) -> None:
        installed = read_installed(interpreter.site_directories)
        plan = plan_sync(SyncRequest(wanted=tuple(wanted)), installed)
        execute(plan, interpreter, wheels)

    sync(new)
    expected = snapshot(environment)
    for step in range(1, 10_000):
        shutil.rmtree(environment)
        shutil.copytree(empty, environment)
        sync(old)
        if not _killed(lambda: sync(new), environment, step):
            return step - 1
        sync(new)
        found = snapshot(environment)
        assert found == expected, (step, found.keys() ^ expected.keys())
    raise AssertionError("the sync does not end")


def _wheel(
    wheels: WheelDirectory, root: Path, name: str, version: str
) -> WantedDistribution:
    stem = f"{name}-{version}"
    wheel = build_wheel(
        root / "wheels",
        name,
        version,
        files={
            f"{name}/__init__.py": version,
            f"{name}/deep/only_{version}.txt": version,
            f"{stem}.data/scripts/{name}-tool": "#!python\n",
            f"{stem}.data/data/share/{name}.txt": version,
        },
        entry_points=f"[console_scripts]\n{name} = {name}:v\n",
    )
    return wheels.want(wheel)


def _killed(sync: object, environment: Path, step: int) -> bool:
    """Run a sync in a child; return whether the child was killed."""
    assert callable(sync)
    child = os.fork()
    if child == 0:
        count = 0

        def hook(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal count
            writes = event == "open" and _is_write(arguments)
            if event not in _CHANGES and not writes:
                return
            # From one open directory to another: an archive and the environment.
            inside = event == "os.link" and arguments[3] != -1
            if not inside and not any(str(environment) in _text(a) for a in arguments):
                return
            count += 1
            if count == step:
                os._exit(_KILLED)

        sys.addaudithook(hook)
        sync()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in {0, _KILLED}, code
    return code == _KILLED


def _is_write(arguments: tuple[object, ...]) -> bool:
    flags = arguments[2]
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))


def _text(argument: object) -> str:
    return os.fsdecode(argument) if isinstance(argument, bytes) else str(argument)


if __name__ == "__main__":
    print(main(Path(sys.argv[1])))  # noqa: T201 - the answer
