"""A real browser without a window, driven by the DevTools protocol over two pipes.

https://chromedevtools.github.io/devtools-protocol/: with ``--remote-debugging-pipe``
Chromium reads commands from descriptor 3 and writes answers and events to 4, JSON
between NUL bytes. Nothing but the standard library is needed for that.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Browser", "BrowserFailed", "find_browser", "open_browser"]

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_PATIENCE = 60.0
"""Seconds that the browser may take for one answer on a busy machine."""
_FLAGS = (
    "--headless",
    "--no-sandbox",  # containers have no user namespaces
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--remote-debugging-pipe",
)

# Puts the pipes where Chromium looks for them; a shell takes no descriptor above 9.
_LAUNCHER = """
import fcntl, os, sys
pipes = [fcntl.fcntl(int(each), fcntl.F_DUPFD, 10) for each in sys.argv[1:3]]
for place, pipe in enumerate(pipes, 3):
    os.dup2(pipe, place)
os.execv(sys.argv[3], sys.argv[3:])
"""


class BrowserFailed(Exception):
    """The browser did not answer, or refused a command or a script."""


def find_browser() -> str | None:
    """Return the path of a browser on this machine, None where there is none."""
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


class Browser:
    """One page; ``events`` are those that came so far, as method and parameters."""

    def __init__(self, commands: int, answers: int) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self._commands = commands
        self._answers = answers
        self._buffer = b""
        self._count = 0
        self._session: str | None = None

    def attach(self) -> None:
        """Make a page and ask for its events."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call(
            "Target.attachToTarget", targetId=target, flatten=True
        )["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Run a command and return its result."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        self._write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._count:
                break
            self._keep(answer)
        if "error" in answer:
            raise BrowserFailed(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    def open(self, url: str) -> None:
        """Load a page and wait until it is there."""
        self.events.clear()
        failed = self.call("Page.navigate", url=url).get("errorText")
        if failed:
            raise BrowserFailed(f"{url}: {failed}")
        while not any(name == "Page.loadEventFired" for name, _ in self.events):
            self._keep(self._next())

    def run(self, script: str) -> Any:  # noqa: ANN401 - any value of JavaScript
        """Return the value of an expression, after two frames have been drawn."""
        wrapped = (
            f"(async () => {{ const value = await ({script}); "
            "await new Promise((done) => setTimeout(done, 30)); return value; })()"
        )
        found = self.call(
            "Runtime.evaluate",
            expression=wrapped,
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        if "exceptionDetails" in found:
            raise BrowserFailed(f"{script}: {found['exceptionDetails']}")
        return found["result"].get("value")

    def press(
        self, key: str, code: int, *, text: str = "", shift: bool = False
    ) -> None:
        """Press and release a key; ``code`` is its virtual key code."""
        common = {
            "key": key,
            "code": key,
            "windowsVirtualKeyCode": code,
            "modifiers": 8 if shift else 0,
        }
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)
        self.run("null")

    def screen(
        self, width: int, height: int, *, dark: bool = False, phone: bool = False
    ) -> None:
        """Set the size in CSS pixels, and what the user prefers."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=2 if phone else 1,
            mobile=phone,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self, path: Path) -> None:
        """Write what is on the screen as PNG."""
        data = self.call("Page.captureScreenshot", format="png")["data"]
        path.write_bytes(base64.b64decode(data))

    def pdf(self) -> bytes:
        """Return the page as it is printed, by its own page size."""
        found = self.call("Page.printToPDF", preferCSSPageSize=True)
        return base64.b64decode(found["data"])

    def complaints(self) -> list[str]:
        """Return errors and warnings of the console, and exceptions."""
        return [
            json.dumps(parameters)
            for name, parameters in self.events
            if name in {"Runtime.exceptionThrown", "Log.entryAdded"}
            or (name == "Runtime.consoleAPICalled")
        ]

    def requests(self) -> list[str]:
        """Return the URLs that were asked for since the page was opened."""
        return [
            parameters["request"]["url"]
            for name, parameters in self.events
            if name == "Network.requestWillBeSent"
        ]

    def _write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._commands, data) :]

    def _keep(self, message: dict[str, Any]) -> None:
        if "method" in message:
            self.events.append((message["method"], message.get("params", {})))

    def _next(self) -> dict[str, Any]:
        deadline = time.monotonic() + _PATIENCE
        while b"\0" not in self._buffer:
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self._answers], [], [], max(left, 0))
            data = os.read(self._answers, 1 << 20) if ready else b""
            if not data:
                raise BrowserFailed("the browser does not answer")
            self._buffer += data
        text, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        return message


@contextmanager
def open_browser(program: str, profile: Path) -> Iterator[Browser]:
    """Run a browser with a profile of its own while it is used."""
    in_read, in_write = os.pipe()
    out_read, out_write = os.pipe()
    pipes = (str(in_read), str(out_write))
    command = [program, *_FLAGS, f"--user-data-dir={profile}"]
    environment = {**os.environ, "HOME": str(profile)}
    with subprocess.Popen(
        [sys.executable, "-I", "-c", _LAUNCHER, *pipes, *command],
        pass_fds=(in_read, out_write),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
    ) as process:
        os.close(in_read)
        os.close(out_write)
        try:
            browser = Browser(in_write, out_read)
            browser.attach()
            yield browser
        finally:
            os.close(in_write)
            os.close(out_read)
            process.terminate()
            process.wait(_PATIENCE)
