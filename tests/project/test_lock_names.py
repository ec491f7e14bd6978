"""Names of lock files (PEP 751), and what is said of others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from polylock.errors import UsageError
from polylock.project.lock_names import is_lock_name, name_problem
from polylock.project.settings import load_settings


@pytest.mark.parametrize("name", ["pylock.toml", "pylock.dev.toml", "pylock.a-b.toml"])
def test_names_of_pep_751(name: str) -> None:
    """A name may be inside, without dots."""
    assert is_lock_name(name)
    path = Path("x") / name
    assert load_settings({"lock_file": str(path)}, {}, None).lock_file == path


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("poly.lock", "name it {}pylock.poly.toml"),
        ("pylock.a.b.toml", "name it {}pylock.a-b.toml"),
        ("polylock.toml", "name it {}pylock.toml"),
        ("dev.pylock.toml", "name it {}pylock.dev.toml"),
        ("Pylock.toml", "name it {}pylock.toml"),
        ("gpu.lock", "name it {}pylock.gpu.toml"),
        ("pylock..toml", "name it {}pylock.toml"),
        (
            "requirements.txt",
            (
                "`polylock export --format requirements -o {}requirements.txt` writes "
                "such a file"
            ),
        ),
        (
            "sbom.json",
            "`polylock export --format cyclonedx -o {}sbom.json` writes such a file",
        ),
    ],
)
def test_another_name_is_refused_with_the_right_one(name: str, advice: str) -> None:
    """The ending may ask for another format."""
    path = Path("x") / name
    assert not is_lock_name(name)
    problem = name_problem(path, "-o")
    assert problem is not None
    assert problem[0].startswith(f"-o {path}: this is not the name of a lock file")
    assert problem[1] == advice.format(f"{path.parent}{os.sep}")


@pytest.mark.parametrize(
    ("flags", "environ", "option"),
    [
        ({"lock_file": "a.lock"}, {}, "--lock-file"),
        ({}, {"POLYLOCK_LOCK_FILE": "a.lock"}, "POLYLOCK_LOCK_FILE"),
    ],
)
def test_the_setting_is_refused_where_it_is_given(
    flags: dict[str, str], environ: dict[str, str], option: str
) -> None:
    """No command reads or writes a lock file of another name."""
    with pytest.raises(UsageError) as caught:
        load_settings(flags, environ, None)
    assert str(caught.value).startswith(f"{option} a.lock: ")
    assert caught.value.hint() == "name it pylock.a.toml"
