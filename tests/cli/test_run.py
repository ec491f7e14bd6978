"""``polylock run`` runs a command in the synced environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fakes.this_machine import VARIABLE, python_path
from polylock.environment.venv import EnvironmentState, write_state
from polylock.operations.sync.run import origin_warning, prepare
from polylock.project.settings import load_settings
from polylock.providers.machine import this_host

if TYPE_CHECKING:
    from fakes.command_line import CommandLine

SOURCE = Path(__file__).parents[2] / "src"


def _polylock(demo: CommandLine, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run polylock as a process, for it becomes the command."""
    return subprocess.run(
        [sys.executable, "-m", "polylock", *arguments],
        cwd=demo.directory,
        env={**os.environ, "PYTHONPATH": python_path(SOURCE)},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )


def test_command_runs_in_the_environment(demo: CommandLine) -> None:
    """It syncs first; the command has the environment, stdout and the exit code."""
    program = (
        "import os, sys, fallbackkit\n"
        "print(sys.prefix == os.environ['VIRTUAL_ENV'])\n"
        "print('PYTHONHOME' in os.environ)\n"
        "sys.exit(7)"
    )
    ran = _polylock(demo, "run", "--target", "here", "--", "python", "-c", program)
    assert (ran.stdout.split(), ran.returncode) == (["True", "False"], 7), ran.stderr
    assert "fallbackkit" in ran.stderr
    again = _polylock(demo, "run", "python", "-c", "print('--json')", "--json")
    assert (again.stdout, again.stderr, again.returncode) == ("--json\n", "", 0)


def test_scripts_and_modules_run_with_the_python_of_the_environment(
    demo: CommandLine,
) -> None:
    """As ``uv run`` has it: a file, a module, standard input."""
    demo.write("import sys, fallbackkit\nprint(sys.argv)\n", "train.py")
    ran = _polylock(demo, "run", "--target", "here", "--", "train.py", "-m", "--json")
    assert ran.stdout == "['train.py', '-m', '--json']\n", ran.stderr
    again = _polylock(demo, "run", "train.py")
    assert again.stdout == "['train.py']\n", again.stderr
    module = _polylock(demo, "run", "-m", "train", "-q")
    assert module.stdout.endswith("train.py', '-q']\n"), module.stderr


def test_variables_come_from_a_file(demo: CommandLine) -> None:
    """What is set already stays, a later file wins, and a bad line is an error."""
    demo.succeed("sync", "--target", "here")
    home = os.environ.get("HOME")
    demo.write("# a comment\nexport A='1 2'\nB=${A}3\nEMPTY=\nHOME=/nowhere\n", "one")
    demo.write("B=4\n", "two")
    program = (
        "import os; print([os.environ.get(n) for n in ('A', 'B', 'EMPTY', 'HOME')])"
    )
    run = ("run", "--env-file", "one", "--env-file", "two", "python", "-c", program)
    for _ in range(2):
        assert _polylock(demo, *run).stdout == f"['1 2', '4', '', {home!r}]\n"
    demo.write("A=1\nnot a variable\n", "one")
    ran = demo(*run)
    assert ran.code == 2
    assert "--env-file one: line 2 is not NAME=value" in ran.err
    ran = demo("run", "--env-file", "three", "python")
    assert (ran.code, "three: No such file" in ran.err) == (2, True)


def test_a_script_may_have_an_environment_of_its_own(demo: CommandLine) -> None:
    """Its block (PEP 723) is locked beside it, and the project is left alone."""
    project = (demo.directory / "pyproject.toml").read_text("utf-8")
    tables = project[project.index("[tool.polylock.targets.here]") :]
    block = 'dependencies = ["plainlib-colors"]\n\n' + tables.partition("\n\n")[0]
    lines = "".join(f"# {line}".rstrip() + "\n" for line in block.splitlines())
    program = (
        "import sys, importlib.metadata as m\n"
        "print(sorted(d.name for d in m.distributions()), sys.argv[1:])\n"
    )
    demo.write(f"# /// script\n{lines}# ///\n{program}", "my.job.py")
    ran = demo("run", "my.job.py")
    assert ran.code == 2
    assert "pylock.my-job-py.toml does not exist" in ran.err
    assert "run `polylock lock --project my.job.py`" in ran.err
    demo.succeed("lock", "--project", "my.job.py")
    demo.succeed("check", "--project", "my.job.py")
    for _ in range(2):
        done = _polylock(demo, "run", "my.job.py", "x")
        assert done.stdout == "['plainlib-colors'] ['x']\n", done.stderr
    assert not (demo.directory / ".venv").exists()
    ran = demo("add", "--project", "my.job.py", "vecdemo")
    assert (ran.code, "edit the block by hand" in ran.err) == (2, True)


def test_requirements_of_a_script_without_targets_are_told(demo: CommandLine) -> None:
    """It runs in the environment of the project, which may lack them."""
    demo.write('# /// script\n# dependencies = ["x"]\n# ///\nprint(1)\n', "x.py")
    ran = _polylock(demo, "run", "--target", "here", "--", "x.py")
    assert ran.stdout == "1\n"
    assert "requirements of its own (PEP 723)" in ran.stderr
    assert "polylock lock --project x.py" in ran.stderr


def test_script_of_a_locked_package_is_found(demo: CommandLine) -> None:
    """Its directory is the first on PATH."""
    ran = _polylock(demo, "run", "--target", "here", "--", "plainlib")
    assert ran.returncode == 0, ran.stderr


def test_without_sync_the_environment_is_as_it_is(demo: CommandLine) -> None:
    """Nothing is installed, and a missing environment is told as such."""
    ran = demo("run", "--no-sync", "python", "-V")
    assert ran.code == 1
    assert "is not a virtual environment" in ran.err
    assert "polylock sync" in ran.err
    demo.succeed("sync", "--target", "here")
    demo.succeed("add", "vecdemo", "--no-lock")
    ran_anyhow = _polylock(demo, "run", "--no-sync", "python", "-c", "print(1)")
    assert ran_anyhow.stdout == "1\n", ran_anyhow.stderr


def test_lock_file_that_is_out_of_date_is_refused(demo: CommandLine) -> None:
    """As in sync: exit code 3, unless --frozen is given."""
    demo.succeed("add", "vecdemo", "--no-lock")
    assert demo("run", "--target", "here", "python", "-V").code == 3
    arguments = ("--target", "here", "--frozen", "python", "-c", "print(2)")
    assert _polylock(demo, "run", *arguments).stdout == "2\n"


def test_unknown_command_is_an_error_of_usage(demo: CommandLine) -> None:
    """The error says where it was looked for."""
    demo.succeed("sync", "--target", "here")
    ran = demo("run", "no-such-command")
    assert ran.code == 2
    assert "there is no command no-such-command" in ran.err
    assert str(demo.directory / ".venv") in ran.err


def test_another_machine_is_refused(demo: CommandLine) -> None:
    """A target that this machine is not exits with 4 and runs nothing."""
    own = this_host().machine
    demo.set(VARIABLE, "v1" if own in {"aarch64", "arm64"} else "aarch64")
    assert demo("run", "--target", "here", "python", "-V").code == 4


def test_command_is_needed(demo: CommandLine) -> None:
    """Options alone are no command."""
    assert demo("run", "--no-sync").code == 2


def _outside(demo: CommandLine, name: str, text: str) -> dict[str, str]:
    """Return variables with a program of this name on PATH, outside of everything."""
    path = demo.directory.parent / "outside" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return {**os.environ, "PATH": f"{path.parent}{os.pathsep}{os.environ['PATH']}"}


def test_a_program_from_outside_is_warned_of(
    demo: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time; with the group that has it, or as what does not see the packages."""
    demo.succeed("sync", "--target", "here")
    locked = _outside(demo, "plainlib-testing", "#!/bin/sh\necho outside\n")
    monkeypatch.setenv("PATH", locked["PATH"])
    for _ in range(3):
        ran = _polylock(demo, "run", "plainlib-testing")
        assert ran.stdout == "outside\n", ran.stderr
        assert "outside of the environment" in ran.stderr
        assert "locked in group test, run it with --group test" in ran.stderr
    _outside(demo, "some-tool", f"#!{sys.executable}\nprint('python')\n")
    for arguments in (("run",), ("run", "--no-sync")):
        ran = _polylock(demo, *arguments, "some-tool")
        assert ran.stdout == "python\n", ran.stderr
        assert "does not see its packages" in ran.stderr
    _outside(demo, "other-tool", "#!/bin/sh\necho other\n")
    ran = _polylock(demo, "run", "other-tool")
    assert (ran.stdout, ran.stderr) == ("other\n", "")


@pytest.mark.skipif(os.name == "nt", reason="Windows runs no scripts by first line")
@pytest.mark.parametrize(
    ("name", "first_line", "expected"),
    [
        ("pytest", "#!/usr/bin/env bash", "and does not see its packages"),
        ("pip3.11", "#!/bin/sh", "and does not see its packages"),
        ("shims/some-tool", "#!/bin/sh", "if it runs Python, that does not see its"),
        ("some-tool", "#!/usr/bin/env python3.1", "and does not see its packages"),
        ("some-tool", "#!/usr/bin/env python3", None),
        ("some-tool", "#!/usr/bin/env -S python -I", None),
        ("pytest", "#!/usr/bin/env python3", None),
        ("plainlib-testing", "#!/usr/bin/env python3", "is locked in group test"),
        ("pipe", "#!/bin/sh", None),
    ],
)
def test_the_warning_is_about_the_python_that_a_program_runs(
    demo: CommandLine, name: str, first_line: str, expected: str | None
) -> None:
    """A wrapper hides it; ``env`` finds the Python of the environment."""
    settings = load_settings({"project": demo.directory}, os.environ, None)
    demo.succeed("lock")
    environment = demo.directory / ".venv"
    (environment / "bin").mkdir(parents=True)
    for python in ("python", "python3"):
        (environment / "bin" / python).touch()
    write_state(environment, EnvironmentState(target="here"))
    path = demo.directory.parent / "outside" / name
    path.parent.mkdir(parents=True)
    path.write_text(f"{first_line}\n")
    path.chmod(0o755)
    prepared = prepare(environment, [path.name], {"PATH": str(path.parent)})
    warning = origin_warning(prepared, settings, environment)
    if expected is None:
        assert warning is None
    else:
        assert expected in (warning or "")


def test_a_reader_that_leaves_early_loses_no_choice(demo: CommandLine) -> None:
    """As in ``polylock sync --group test | head -1``."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "polylock", "sync"),
            *("--target", "here", "--group", "test"),
        ],
        cwd=demo.directory,
        env={**os.environ, "PYTHONPATH": python_path(SOURCE)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    process.wait(120)
    outcome = demo.succeed("sync", "--json").json
    assert (outcome["target"], outcome["groups"]) == ("here", ["test"])
