"""A shell is offered the words that there are, and never anything else."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fakes.this_machine import python_path
from polylock.__main__ import answer

if TYPE_CHECKING:
    from fakes.command_line import CommandLine

SOURCE = Path(__file__).parents[2] / "src"

BROKEN = '[project\nname = "half'


@pytest.fixture
def bare(demo: CommandLine) -> CommandLine:
    """Take a directory that has neither a project nor a lock file."""
    for path in demo.directory.iterdir():
        path.unlink()
    return demo


def offers(demo: CommandLine, line: str, shell: str = "bash") -> list[str]:
    """Return what is offered for the last word of a line, by click's protocol."""
    words = shlex.split(line)
    if line.endswith(" "):
        words.append("")
    demo.set("_POLYLOCK_COMPLETE", f"{shell}_complete")
    demo.set("COMP_WORDS", line)
    last = words[-1] if shell == "fish" else str(len(words) - 1)
    demo.set("COMP_CWORD", last)
    ran = demo()
    assert (ran.code, ran.err) == (0, "")
    return ran.out.strip().splitlines()


def values(demo: CommandLine, line: str) -> list[str]:
    """Return the plain words that are offered."""
    return [each.removeprefix("plain,") for each in offers(demo, line)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("polylock targets sh", ["show"]),
        ("polylock cache-", ["cache-key"]),
        ("polylock export --format re", ["requirements"]),
        ("polylock sync --link-mode hard", ["hardlink"]),
        ("polylock sync --force", ["--force-target"]),
        ("polylock sync --target ", ["auto", "h100", "mac", "here"]),
        ("polylock sync --target h", ["h100", "here"]),
        ("polylock lock --target ", ["h100", "mac", "here"]),
        ("polylock targets show m", ["mac"]),
        ("polylock add numpy --target h1", ["h100"]),
        ("polylock sync --group ", ["test"]),
        ("polylock sync --extra ", ["ops"]),
        ("polylock add numpy --group t", ["test"]),
        ("polylock targets add h10", ["h100"]),
        ("polylock init --preset linux-aarch64-m", ["linux-aarch64-musl"]),
        ("polylock why tensordemo-c", ["tensordemo-cpu-kernels"]),
        ("polylock lock --upgrade-package fall", ["fallbackkit"]),
        ("polylock remove f", ["fallbackkit"]),
        ("polylock completion ", ["bash", "zsh", "fish"]),
        ("polylock sync --target = h", ["h100", "here"]),
        ("polylock sync --target =", ["auto", "h100", "mac", "here"]),
    ],
)
def test_words_that_there_are(
    demo: CommandLine, line: str, expected: list[str]
) -> None:
    """Commands, options, choices, and the names that project and lock file hold."""
    found = values(demo, line)
    if "tensordemo-c" in line:
        expected = [*expected, "tensordemo-compiler", "tensordemo-cuda-runtime"]
        found, expected = sorted(found), sorted(expected)
    assert found == expected


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_is_answered(demo: CommandLine, shell: str) -> None:
    """The form of an answer is the shell's own."""
    found = " ".join(offers(demo, "polylock sync --target h1", shell))
    assert "plain" in found
    assert "h100" in found


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("polylock sync --venv ", "dir"),
        ("polylock lock --index-url ", None),
        ("polylock lock --project ", "file"),
        ("polylock bundle --target h100 ", "file"),
        ("polylock run -- python ", "file"),
    ],
)
def test_paths_are_left_to_the_shell(
    demo: CommandLine, line: str, kind: str | None
) -> None:
    """Where a path stands, the shell completes files or directories itself."""
    found = [each.partition(",")[0] for each in offers(demo, line)]
    assert found == ([kind] if kind else [])


def test_places_named_before_count(demo: CommandLine, tmp_path: Path) -> None:
    """The project that --project or a variable names is the one that is read."""
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(demo.directory, elsewhere)
    (demo.directory / "pyproject.toml").unlink()
    (demo.directory / "pylock.toml").unlink()
    assert values(demo, "polylock targets show ") == []
    line = f"polylock targets show --project {elsewhere.as_posix()} h"
    assert values(demo, line) == ["h100", "here"]
    demo.set("POLYLOCK_PROJECT", str(elsewhere))
    assert values(demo, "polylock targets show h") == ["h100", "here"]


def test_a_lock_file_alone_has_names(demo: CommandLine) -> None:
    """In an image without the project, what is locked is offered."""
    (demo.directory / "pyproject.toml").unlink()
    assert values(demo, "polylock sync --target ") == ["auto", "h100", "mac", "here"]
    assert values(demo, "polylock sync --group ") == ["test"]
    assert values(demo, "polylock sync --extra ") == ["ops"]


@pytest.mark.parametrize(
    "line",
    [
        "polylock targets show ",
        "polylock sync --group ",
        "polylock sync --extra ",
        "polylock why ",
        "polylock lock --upgrade-package ",
        "polylock remove ",
        "polylock run ",
        "polylock sync nonsense ",
        "polylock sync --threads many --target h",
    ],
)
@pytest.mark.parametrize("text", [None, BROKEN, "[tool]\npolylock = 7\n"])
def test_no_project_or_a_broken_one_offers_nothing(
    bare: CommandLine, line: str, text: str | None
) -> None:
    """Nothing is printed: neither an error nor a traceback."""
    if text is not None:
        bare.write(text)
        bare.write(text, "pylock.toml")
    assert offers(bare, line) == []


def test_an_unknown_question_is_refused(demo: CommandLine) -> None:
    """Another shell, or a question that is none, gets no answer."""
    for instruction in ("powershell_complete", "bash_source", ""):
        demo.set("_POLYLOCK_COMPLETE", instruction)
        ran = demo()
        assert (ran.code, ran.out, ran.err) == (1, "", "")


def test_usage_names_the_shells(demo: CommandLine) -> None:
    """A shell that there is no script for is an error of usage."""
    ran = demo("completion", "tcsh")
    assert (ran.code, "'bash', 'zsh', 'fish'" in ran.err) == (2, True)


def test_names_of_commands_cost_no_import(demo: CommandLine) -> None:
    """What most tabs ask for is answered without the commands themselves."""
    program = (
        "import sys; from polylock.__main__ import answer; answer(()); "
        "print([m for m in sys.modules if m.startswith('polylock.operations')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=demo.directory,
        env={
            **os.environ,
            "PYTHONPATH": python_path(SOURCE),
            "_POLYLOCK_COMPLETE": "bash_complete",
            "COMP_WORDS": "polylock ",
            "COMP_CWORD": "1",
        },
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=60,
    )
    *words, modules = done.stdout.splitlines()
    assert "plain,sync" in words
    assert modules == "[]"


PROBES = {
    # Each prints what it offers, a word a line.
    "bash": """\
{script}
COMP_WORDS=({words}); COMP_CWORD={position}; COMPREPLY=()
_polylock_completion polylock
printf '%s\\n' "${{COMPREPLY[@]}}"
""",
    "zsh": """\
compdef() {{ }}
compadd() {{ printf '%s\\n' $completions }}
_describe() {{ printf '%s\\n' ${{completions_with_descriptions%%:*}} }}
{script}
words=({words}); CURRENT=$(({position} + 1))
_polylock_completion
""",
    "fish": """\
{script}
complete --do-complete '{line}' | string replace -r '\\t.*' ''
""",
}


@pytest.mark.skipif(os.name == "nt", reason="a script of sh stands for polylock")
@pytest.mark.parametrize("shell", PROBES)
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("polylock sync --target h", ["h100", "here"]),
        ("polylock sync --target=h", ["h100", "here"]),
        ("polylock sync --venv=x --target=m", ["mac"]),
        ("polylock targets sho", ["show"]),
        ("polylock why nothing-like-it", []),
    ],
)
def test_in_a_real_shell(
    demo: CommandLine, tmp_path: Path, shell: str, line: str, expected: list[str]
) -> None:
    """The script of each shell asks polylock and offers its words."""
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"there is no {shell} here")
    scripts = tmp_path / "bin"
    scripts.mkdir()
    polylock = scripts / "polylock"
    polylock.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -m polylock "$@"\n', "utf-8"
    )
    polylock.chmod(0o755)
    script = demo.succeed("completion", shell).out
    words = shlex.split(line)
    if shell == "bash":  # COMP_WORDBREAKS has the sign
        words = re.sub(r"(--\w+)=", r"\1 = ", line).split()
    elif "=" in line:  # the whole word is replaced
        expected = [f"--target={name}" for name in expected]
    probe = PROBES[shell].format(
        script=script, words=" ".join(words), position=len(words) - 1, line=line
    )
    options = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
    done = subprocess.run(
        [program, *options, "-c", probe],
        cwd=demo.directory,
        env={
            **os.environ,
            "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": python_path(SOURCE),
        },
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert done.stderr == ""
    assert done.stdout.split() == expected


def test_memory_answers_no_shell(demo: CommandLine) -> None:
    """A shell that asks while a remembered answer exists is still given words."""
    demo.succeed("check")
    demo.set("_POLYLOCK_COMPLETE", "bash_complete")
    demo.set("COMP_WORDS", "polylock chec")
    demo.set("COMP_CWORD", "1")
    assert answer(("check",)) == 0
