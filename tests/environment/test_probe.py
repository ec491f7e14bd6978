"""The probe on systems that are not here."""

from __future__ import annotations

import importlib.util
import json
import platform
import struct
import subprocess
import sys
from pathlib import Path

import pytest

import polylock.environment.interpreter as interpreter_module
from polylock.environment import _probe


def elf(loader: bytes, *, wide: bool) -> bytes:
    """Return the head of an ELF program that asks for a dynamic loader."""
    identity = b"\x7fELF" + bytes([2 if wide else 1, 1, 1]) + bytes(9)
    if wide:
        header = struct.pack(
            "<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0
        )
        first = struct.pack("<IIQQQQQQ", 1, 0, 0, 0, 0, 0, 0, 0)
        start = 64 + 2 * 56
        second = struct.pack(
            "<IIQQQQQQ", 3, 4, start, 0, 0, len(loader), len(loader), 1
        )
    else:
        header = struct.pack("<HHIIIIIHHHHHH", 3, 3, 1, 0, 52, 0, 0, 52, 32, 2, 0, 0, 0)
        first = struct.pack("<IIIIIIII", 1, 0, 0, 0, 0, 0, 0, 0)
        start = 52 + 2 * 32
        second = struct.pack(
            "<IIIIIIII", 3, start, 0, 0, len(loader), len(loader), 4, 1
        )
    return identity + header + first + second + loader


@pytest.mark.parametrize("wide", [True, False])
def test_elf_interpreter(tmp_path: Path, *, wide: bool) -> None:
    """The dynamic loader is read from either class of ELF file."""
    program = tmp_path / "python"
    program.write_bytes(elf(b"/lib/ld-musl-x86_64.so.1\0", wide=wide))
    assert _probe.elf_interpreter(str(program)) == "/lib/ld-musl-x86_64.so.1"


def test_elf_interpreter_when_it_is_none(tmp_path: Path) -> None:
    """A file of another format asks for no loader."""
    program = tmp_path / "python"
    program.write_bytes(b"MZ" + bytes(100))
    assert _probe.elf_interpreter(str(program)) is None


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script as loader")
def test_libc_when_it_is_musl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without glibc, the loader that Python asks for says musl's version."""
    loader = tmp_path / "ld-musl-x86_64.so.1"
    loader.write_text("#!/bin/sh\nprintf 'musl libc\\nVersion 1.2.5\\n' >&2\nexit 1\n")
    loader.chmod(0o755)
    program = tmp_path / "python"
    program.write_bytes(elf(str(loader).encode() + b"\0", wide=True))
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(_probe, "glibc_version", lambda: None)
    monkeypatch.setattr(sys, "executable", str(program))
    assert _probe.libc() == ("musl", "1.2")


def test_libc_when_nothing_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A static Python without glibc has no known C library."""
    program = tmp_path / "python"
    program.write_bytes(b"\x7fELF")
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(_probe, "glibc_version", lambda: None)
    monkeypatch.setattr(sys, "executable", str(program))
    assert _probe.libc() == (None, None)


@pytest.mark.parametrize("system", ["Darwin", "Windows"])
def test_libc_elsewhere(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only Linux has a choice of C libraries."""
    monkeypatch.setattr(platform, "system", lambda: system)
    assert _probe.libc() == (None, None)


def test_macos_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """The version has two parts."""
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(platform, "mac_ver", lambda: ("14.5.1", ("", "", ""), ""))
    assert _probe.macos_version() == "14.5"


def test_macos_version_when_it_is_disguised(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python that is told 10.16 asks a child that is told the truth."""
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(platform, "mac_ver", lambda: ("10.16", ("", "", ""), ""))

    def run(command: list[str], **options: object) -> object:
        assert options["env"] == {"SYSTEM_VERSION_COMPAT": "0"}
        return subprocess.CompletedProcess(command, 0, stdout="15.1\n")

    monkeypatch.setattr(subprocess, "run", run)
    assert _probe.macos_version() == "15.1"


@pytest.mark.parametrize(
    ("info", "version"),
    [
        ((3, 12, 7, "final", 0), "3.12.7"),
        ((3, 14, 0, "candidate", 2), "3.14.0c2"),
        ((3, 15, 0, "alpha", 1), "3.15.0a1"),
    ],
)
def test_full_version(info: tuple[int, int, int, str, int], version: str) -> None:
    """A version is formed as PEP 508 says."""
    assert _probe.full_version(info) == version


def test_the_mark_is_the_one_that_is_searched_for() -> None:
    """The probe's mark is written in two places, for the script cannot be imported."""
    assert _probe.MARK.encode() == interpreter_module._MARK


def test_the_probe_imports_nothing_of_polylock() -> None:
    """The script runs in Pythons that have no polylock."""
    spec = importlib.util.find_spec("polylock.environment._probe")
    assert spec is not None
    assert spec.origin is not None
    source = Path(spec.origin).read_text(encoding="utf-8")
    assert "import polylock" not in source
    assert "from polylock" not in source


@pytest.mark.parametrize(
    "value",
    [
        None,
        {"b": True, "a": False, "one": 1, "zero": 0, "none": None},
        {"": {"deep": {}}},
        'quotes " and \\ and \n\x00\x7f',
        "\u00e9 \U0001f40d",
        "\udcff, a byte of a path that is no text",
    ],
)
def test_answer_is_json(value: object) -> None:
    """Without the module, which takes time to import, the same is written."""
    assert _probe.as_json(value) == json.dumps(value, sort_keys=True)


def test_the_probe_imports_little() -> None:
    """It is run for each new environment, and the imports are most of its time."""
    done = subprocess.run(
        [sys.executable, "-I", "-X", "importtime", _probe.__file__],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "sysconfig" in imported
    if sys.implementation.name == "cpython":
        assert "json" not in imported
