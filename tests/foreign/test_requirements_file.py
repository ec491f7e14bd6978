"""What is read from requirements files."""

from __future__ import annotations

import codecs

import pytest

from fakes.foreign import parse, recorded, versions_for
from polylock.errors import ForeignLockInvalid


def read(text: str | bytes, **files: str) -> dict[str, str]:
    """Return the versions for Linux; ``files`` are others, by name without .txt."""
    others = {f"{name}.txt": content for name, content in files.items()}
    return versions_for(parse(text, "requirements.txt", others))


def test_file_of_pip_compile() -> None:
    """Index lines and comments are passed over, joined lines are one."""
    lock = recorded("pip-compile.txt")
    assert versions_for(lock) == {
        "fastlib": "0.9",
        "helper": "1.1",
        "lib": "2.1",
        "split": "2.0",
        "tool": "1.5",
    }
    assert not lock.skipped
    assert all(len(pin.hashes) == 1 for pin in lock.pins)


def test_file_of_uv_export() -> None:
    """Several versions of a project are told apart by their markers."""
    lock = recorded("uv-export.txt")
    assert versions_for(lock, "linux-py311")["lib"] == "1.0"
    assert versions_for(lock, "linux")["lib"] == "2.0"
    assert versions_for(lock, "windows")["split"] == "1.0"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a==1.0\nB_c == 2\n", {"a": "1.0", "b-c": "2"}),
        ("a===1.0", {"a": "1.0"}),
        ("a[x,y]==1.0 ; python_version >= '3.9'  # why\n", {"a": "1.0"}),
        ("a==1.0;sys_platform=='win32'\nb==1\n", {"b": "1"}),
        ("a==1.0 \\\n    --hash=sha256:00 \\\n    --hash=sha512:11\n", {"a": "1.0"}),
        ("a==1.0 \\\n    --hash sha256:00\nb==2\n", {"a": "1.0", "b": "2"}),
        ("a==\\\n1.0\n", {"a": "1.0"}),
        ("a==1.0 \\\n# a comment ends it \\\nb==2\n", {"a": "1.0", "b": "2"}),
        ('a==1.0 --config-settings="x=y" -C z=1\n', {"a": "1.0"}),
        ("a==1.0 \\", {"a": "1.0"}),
        ("# nothing\n\n   # at all\n", {}),
        ("\r\na==1.0\r\nb==2\r\n", {"a": "1.0", "b": "2"}),
        ("a==1.0.0+LOCAL_1\n", {"a": "1.0.0+local.1"}),
    ],
)
def test_pins(text: str, found: dict[str, str]) -> None:
    """A line with one exact version is a pin, however it is laid out."""
    assert read(text) == found


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://index.example.com/simple",
        "-i https://index.example.com/simple",
        "--extra-index-url=https://index.example.com/simple",
        "--find-links ./wheels",
        "-f ./wheels",
        "--no-index",
        "--pre",
        "--only-binary :all:",
        "--require-hashes",
        "--trusted-host example.com",
        "--use-feature=fast-deps",
        "--an-option-of-tomorrow",
    ],
)
def test_options_decide_no_pin(line: str) -> None:
    """Where files come from is the project's to say."""
    lock = parse(f"{line}\na==1.0\n", "requirements.txt")
    assert versions_for(lock) == {"a": "1.0"}
    assert not lock.skipped


@pytest.mark.parametrize(
    "line",
    [
        "-r base.txt",
        "-rbase.txt",
        "--requirement base.txt",
        "--requirement=base.txt",
        "-c base.txt",
        "--constraint 'base.txt'",
    ],
)
def test_other_files_are_read(line: str) -> None:
    """The pins of a file that is named count, of constraints too."""
    assert read(f"{line}\na==1.0\n", base="b==2\n-r more.txt\n", more="c==3\n") == {
        "a": "1.0",
        "b": "2",
        "c": "3",
    }


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("-e .", "line 2"),
        ("-e git+https://u:pw@git.example.com/x.git@main#egg=x", "x"),
        ("--editable=./x", "line 2"),
        ("./wheels/x-1.0-py3-none-any.whl", "line 2"),
        ("x-1.0.tar.gz", "line 2"),
        ("https://u:pw@example.com/x-1.0-py3-none-any.whl", "line 2"),
        ("x @ https://u:pw@example.com/x-1.0-py3-none-any.whl", "x"),
        ("git+ssh://git@example.com/x", "line 2"),
        ("file:///somewhere/x", "line 2"),
    ],
)
def test_direct_references_are_named_without_their_url(line: str, name: str) -> None:
    """They are no pins, and a password in one is told to nobody."""
    (entry,) = parse(f"a==1.0\n{line}\n", "requirements.txt").skipped
    assert (entry.name, entry.reason) == (name, "it is a direct reference")


@pytest.mark.parametrize("line", ["b", "b>=1", "b==1.*", "b==1,!=2", "b~=1.0"])
def test_a_line_without_an_exact_version_is_named(line: str) -> None:
    """Beside pins it is told, and no pin."""
    lock = parse(f"a==1.0\n{line}\n", "requirements.txt")
    assert versions_for(lock) == {"a": "1.0"}
    assert [(e.name, e.reason) for e in lock.skipped] == [
        ("b", "its line does not pin one version")
    ]


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ],
)
def test_byte_order_marks(mark: bytes, encoding: str) -> None:
    """A file that PowerShell has written is read."""
    assert read(mark + "a==1.0\r\n".encode(encoding)) == {"a": "1.0"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a==1.0\nb=1\n", "requirements.txt: line 2: 'b=1' is not a requirement"),
        ("a==1.0 ; nonsense\n", "requirements.txt: line 1: "),
        ("a==1.0 --hash=sha256\n", "requirements.txt: line 1: 'sha256' is not ALG"),
        ("- a==1.0\n", "requirements.txt: line 1: '- a==1.0' is neither"),
        ("a>=1\nb\n", "requirements.txt: pins nothing: no line is NAME==VERSION"),
        ("-r none.txt\n", "requirements.txt: line 1: none.txt: does not exist"),
        ("\n-r base.txt\n", "base.txt: line 1: requirements.txt includes itself"),
        (b"\xff\xfa==1", "requirements.txt: is not UTF-8"),
    ],
)
def test_what_is_wrong_is_named_by_its_line(text: str | bytes, problem: str) -> None:
    """What pip could not read either is an error, and so is a file without a pin."""
    with pytest.raises(ForeignLockInvalid) as caught:
        read(text, base="-c requirements.txt\n", requirements="")
    assert str(caught.value).startswith(problem)
