"""What cannot be said in another format is refused."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from fakes.lock_texts import lock_text, package_text, settings_for
from polylock.errors import UsageError
from polylock.operations.exchange.export import ExportFormat, export

if TYPE_CHECKING:
    from pathlib import Path

DIGEST = "a" * 64
VCS = (
    '[[packages]]\nname = "a"\nvcs = { type = "git", '
    'url = "https://git.example.com/a", commit-id = "0123" }\n'
)
ARCHIVE = (
    '[[packages]]\nname = "a"\narchive = { url = "https://files.example.com/a-1.zip", '
    f'hashes = {{ sha256 = "{DIGEST}" }} }}\n'
)
SDIST = (
    '[[packages]]\nname = "a"\nversion = "1.0"\n'
    'sdist = { url = "https://files.example.com/a-1.0.tar.gz", '
    f'hashes = {{ sha256 = "{DIGEST}" }} }}\n'
)
LOCAL = (
    '[[packages]]\nname = "a"\nversion = "1.0"\n'
    'wheels = [{ path = "wheels/a-1.0-py3-none-any.whl", '
    f'hashes = {{ sha256 = "{DIGEST}" }} }}]\n'
)


def pins(text: str) -> str:
    """Return a requirements file without its comments."""
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if not line.lstrip().startswith("#"))


def test_source_tree_has_no_hash(tmp_path: Path) -> None:
    """A requirements file cannot name it; the error says what can."""
    settings = settings_for(tmp_path, lock_text(VCS), target="box")
    with pytest.raises(UsageError, match="a is locked as a source tree") as caught:
        export(settings, "requirements")
    assert caught.value.hint() == "use --format pylock"
    (package,) = tomllib.loads(export(settings, "pylock").text)["packages"]
    assert package["vcs"]["commit-id"] == "0123"


def test_archive_is_named_by_its_url(tmp_path: Path) -> None:
    """A direct reference stays one, with its hash."""
    settings = settings_for(tmp_path, lock_text(ARCHIVE), target="box")
    assert pins(export(settings, "requirements").text) == (
        f"a @ https://files.example.com/a-1.zip \\\n    --hash=sha256:{DIGEST}\n"
    )


def test_sdist_is_pinned_by_version(tmp_path: Path) -> None:
    """The index has it under that name, and the hash keeps wheels out."""
    settings = settings_for(tmp_path, lock_text(SDIST), target="box")
    text = export(settings, "requirements").text
    assert pins(text) == f"a==1.0 \\\n    --hash=sha256:{DIGEST}\n"
    (package,) = tomllib.loads(export(settings, "pylock").text)["packages"]
    assert "wheels" not in package


def test_relative_path_is_kept_beside_the_lock_file(tmp_path: Path) -> None:
    """Elsewhere it would lead to nothing, so that is refused and nothing written."""
    settings = settings_for(tmp_path, lock_text(LOCAL), target="box")
    beside = tmp_path / "pylock.box.toml"
    export(settings, "pylock", beside)
    assert 'path = "wheels/a-1.0-py3-none-any.whl"' in beside.read_text("utf-8")
    elsewhere = tmp_path / "elsewhere" / "pylock.toml"
    elsewhere.parent.mkdir()
    with pytest.raises(UsageError, match="relative to the lock file"):
        export(settings, "pylock", elsewhere)
    assert not elsewhere.exists()


def test_relative_path_is_no_requirement(tmp_path: Path) -> None:
    """A path in a requirements file would count from somewhere else."""
    settings = settings_for(
        tmp_path,
        lock_text(LOCAL.replace("wheels = [{", "archive = {").replace("}]", "}")),
        target="box",
    )
    with pytest.raises(UsageError, match="locked as a path"):
        export(settings, "requirements")


def test_several_hashes_are_all_written(tmp_path: Path) -> None:
    """Sorted by algorithm, a line each."""
    text = package_text("a").replace(
        "hashes = {", f'hashes = {{ sha512 = "{"b" * 128}",'
    )
    settings = settings_for(tmp_path, lock_text(text), target="box")
    lines = pins(export(settings, "requirements").text).splitlines()
    assert [line.strip().partition(":")[0] for line in lines] == [
        "a==1.0 \\",
        "--hash=sha256",
        "--hash=sha512",
    ]


def test_output_that_cannot_be_written(tmp_path: Path) -> None:
    """A directory that is missing is an error with its path."""
    settings = settings_for(tmp_path, lock_text(package_text("a")), target="box")
    with pytest.raises(UsageError, match="cannot write"):
        export(settings, "pylock", tmp_path / "missing" / "pylock.toml")


def test_requirements_tell_target_index_and_reasons(tmp_path: Path) -> None:
    """As comments: the file itself names no index, and no password."""
    index = 'index = "https://user:hunter2@wheels.example.com/simple"\n'
    text = lock_text(
        package_text("a", "b", "c", more=index),
        package_text("b", "c"),
        package_text("c"),
        requirements=("a", "c"),
    )
    told = export(settings_for(tmp_path, text, target="box"), "requirements").text
    comments = [line for line in told.splitlines() if line.lstrip().startswith("#")]
    assert comments == [
        "# target box: linux-x86_64, Python 3.12; written by polylock export",
        "# index: https://wheels.example.com/simple",
        "    # via project",
        "    # via a",
        "    # via",
        "    #   a",
        "    #   b",
        "    #   project",
    ]


@pytest.mark.parametrize("name", ["h100.toml", "pylock.h.100.toml", "PYLOCK.TOML"])
def test_a_name_that_is_no_lock_files_is_refused(tmp_path: Path, name: str) -> None:
    """No installer would take the file; the hint names one that it takes.

    PEP 751, "File Name": "A lock file MUST be named pylock.toml or match the regular
    expression".
    """
    settings = settings_for(tmp_path, lock_text(SDIST), target="box")
    with pytest.raises(UsageError, match="PEP 751 allows") as caught:
        export(settings, "pylock", tmp_path / name)
    assert caught.value.hint() == f"name it {tmp_path / 'pylock.box.toml'}"
    assert not (tmp_path / name).exists()
    export(settings, "requirements", tmp_path / name)
    assert (tmp_path / name).exists()


@pytest.mark.parametrize(
    ("name", "export_format", "advice"),
    [
        (
            "requirements-dev.txt",
            "pylock",
            "`polylock export --format requirements -o {}` writes such a file",
        ),
        (
            "sbom.json",
            "pylock",
            "`polylock export --format cyclonedx -o {}` writes such a file",
        ),
        ("pylock.box.toml", "requirements", "give --format pylock, or another name"),
    ],
)
def test_a_name_of_another_format_is_refused(
    tmp_path: Path, name: str, export_format: ExportFormat, advice: str
) -> None:
    """The hint has the format that the name asks for."""
    settings = settings_for(tmp_path, lock_text(SDIST), target="box")
    output = tmp_path / "written" / name
    output.parent.mkdir()
    with pytest.raises(UsageError) as caught:
        export(settings, export_format, output)
    assert caught.value.hint() == advice.format(output)
    assert not output.exists()
