"""Passwords from the keyring command: what is asked, how often, and for how long."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import pytest

from polylock.network.keyring import Keyring, run_command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

URL = "https://wheels.example.com:8443/simple"


class Command:
    """A keyring command that knows some passwords and notes what it is asked."""

    def __init__(self, known: Mapping[str, bytes]) -> None:
        self.known = known
        self.asked: list[Sequence[str]] = []

    def __call__(self, command: Sequence[str], timeout: float) -> bytes | None:
        """Answer, or not."""
        assert timeout > 0
        self.asked.append(command)
        return self.known.get(command[2])


def test_the_url_is_asked_for_without_credentials() -> None:
    """The service is the URL of the index, the user the one that is known."""
    command = Command({URL: b"secret\n"})
    found = Keyring(command).password("https://me@wheels.example.com:8443/simple", "me")
    assert found == "secret"
    assert command.asked == [("keyring", "get", URL, "me")]


def test_then_its_host() -> None:
    """A password that is kept for the host serves its indexes."""
    command = Command({"wheels.example.com:8443": b"secret\r\n"})
    assert Keyring(command).password(URL, "me") == "secret"
    assert [asked[2] for asked in command.asked] == [URL, "wheels.example.com:8443"]


@pytest.mark.parametrize("known", [{}, {URL: b"secret"}])
def test_each_index_is_looked_up_once(known: Mapping[str, bytes]) -> None:
    """An answer holds for the run, and so does having none."""
    command = Command(known)
    keyring = Keyring(command)
    first = keyring.password(URL, "me")
    count = len(command.asked)
    assert keyring.password(URL, "me") == first
    assert len(command.asked) == count


@pytest.mark.parametrize("printed", [b"", b"\n", b"\xff\n"])
def test_what_is_no_password(printed: bytes) -> None:
    """Nothing, and what is not text, is no password."""
    assert Keyring(Command({URL: printed})).password(URL, "me") is None


def test_a_user_is_not_taken_for_an_option() -> None:
    """A name that begins with a hyphen never reaches the command."""
    command = Command({URL: b"secret"})
    assert Keyring(command).password(URL, "--list-backends") is None
    assert not command.asked


def test_a_command_that_is_not_there() -> None:
    """Most machines have no such command, and that is no error."""
    assert run_command(("no-such-command-here", "get"), 1.0) is None


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("print('secret')", b"secret"),
        ("import sys; print('x'); sys.exit(1)", None),
        ("import sys; print(sys.stdin.read())", b""),
    ],
)
def test_a_command_prints_or_fails(program: str, expected: bytes | None) -> None:
    """What a command prints counts if it succeeds; there is nobody to ask."""
    found = run_command((sys.executable, "-c", program), 60.0)
    assert (None if found is None else found.strip()) == expected


def test_a_command_that_hangs_is_ended(caplog: pytest.LogCaptureFixture) -> None:
    """A back end that waits for a person does not hold the run up."""
    program = "import time; print('secret', flush=True); time.sleep(60)"
    began = time.monotonic()
    assert run_command((sys.executable, "-c", program), 0.5) is None
    assert time.monotonic() - began < 30
    assert "did not answer" in caplog.text
    assert "secret" not in caplog.text
