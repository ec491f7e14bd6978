"""Runs the steps of GitHub Actions like a runner, as far as the tests need it.

Expressions are those of ``action.yml`` and ``examples/github``: names with dots, quoted
strings, ``==``, ``!=``, ``&&`` and ``||``. Of other actions only ``actions/cache`` does
anything; the inputs of all of them are recorded.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fakes.command_line import clean_variables

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Job", "StepFailed", "evaluate"]

_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


class StepFailed(Exception):
    """A step exited with a code other than 0."""

    def __init__(self, name: str, code: int, log: str) -> None:
        super().__init__(f"{name}: exit code {code}\n{log}")
        self.name = name
        self.code = code


def evaluate(expression: str, contexts: Mapping[str, Any]) -> str:
    """Return the value of an expression as a text; what is not there is empty."""
    value = ""
    for each in expression.split("||"):
        for part in each.split("&&"):
            value = _comparison(part.strip(), contexts)
            if value in {"", "false"}:
                break
        if value not in {"", "false"}:
            return value
    return value


def _comparison(text: str, contexts: Mapping[str, Any]) -> str:
    for sign in ("==", "!="):
        left, found, right = text.partition(sign)
        if found:
            same = _value(left.strip(), contexts) == _value(right.strip(), contexts)
            return "true" if same == (sign == "==") else "false"
    return _value(text, contexts)


def _value(text: str, contexts: Mapping[str, Any]) -> str:
    if text.startswith("'"):
        assert text.endswith("'"), text
        return text[1:-1]
    assert re.fullmatch(r"[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*)+", text), text
    found: Any = contexts
    for name in text.split("."):
        found = found.get(name, {})
    return "" if found == {} else str(found)


@dataclass
class Job:
    """One job on a fresh machine; ``stored`` is what caches of earlier jobs hold."""

    directory: Path
    workspace: Path
    stored: dict[str, Path]
    path: str
    environment: dict[str, str] = field(default_factory=dict)
    log: str = ""
    used: dict[str, dict[str, str]] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    steps: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    _saved: list[tuple[str, Path]] = field(default_factory=list)

    def run_action(
        self,
        action: Mapping[str, Any],
        inputs: Mapping[str, str],
        *,
        action_path: Path,
        without: tuple[str, ...] = (),
    ) -> dict[str, str]:
        """Run the steps of a composite action; return its outputs.

        Raises StepFailed. Steps named in ``without`` are left out.
        """
        unknown = inputs.keys() - action["inputs"].keys()
        assert not unknown, unknown
        contexts = {
            "inputs": {
                name: inputs.get(name, str(declared.get("default", "")))
                for name, declared in action["inputs"].items()
            },
            "github": {"action_path": str(action_path)},
            "runner": {"temp": str(self._temporary)},
            "steps": self.steps,
        }
        for step in action["runs"]["steps"]:
            if step.get("name") not in without:
                self._step(step, contexts)
        for key, path in self._saved:
            if path.exists():
                self.stored[key] = self.directory / "stored" / key
                shutil.copytree(path, self.stored[key])
        return {
            name: self._filled(declared["value"], contexts)
            for name, declared in action["outputs"].items()
        }

    @property
    def _temporary(self) -> Path:
        return self.directory / "temp"

    def _filled(self, text: str, contexts: Mapping[str, Any]) -> str:
        return _EXPRESSION.sub(lambda found: evaluate(found[1], contexts), text)

    def _step(self, step: Mapping[str, Any], contexts: Mapping[str, Any]) -> None:
        if "if" in step and evaluate(step["if"], contexts) in {"", "false"}:
            return
        outputs: dict[str, str] = {}
        if "uses" in step:
            given = {
                key: self._filled(str(value), contexts)
                for key, value in step.get("with", {}).items()
            }
            self.used[step["uses"]] = given
            if step["uses"].startswith("actions/cache@"):
                outputs = self._restore(given)
        else:
            self.ran.append(step.get("name", step["run"]))
            outputs = self._script(step, contexts)
        if "id" in step:
            self.steps[step["id"]] = {"outputs": outputs}

    def _restore(self, given: Mapping[str, str]) -> dict[str, str]:
        path, key = Path(given["path"]), given["key"]
        assert key, "a cache needs a key"
        found = key if key in self.stored else None
        if found is None:
            self._saved.append((key, path))
            prefix = given.get("restore-keys") or "nothing"
            found = next((k for k in self.stored if k.startswith(prefix)), None)
        if found is not None:
            shutil.copytree(self.stored[found], path, dirs_exist_ok=True)
        return {"cache-hit": "true" if found == key else "false"} if found else {}

    def _script(
        self, step: Mapping[str, Any], contexts: Mapping[str, Any]
    ) -> dict[str, str]:
        assert step["shell"] == "bash"
        self._temporary.mkdir(parents=True, exist_ok=True)
        script = self._temporary / "step.sh"
        script.write_text(step["run"], "utf-8")
        files = {
            name: self._temporary / name
            for name in ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH")
        }
        for file in files.values():
            file.write_text("", "utf-8")
        directory = self._filled(step.get("working-directory", "."), contexts)
        given = {
            name: self._filled(str(value), contexts)
            for name, value in step.get("env", {}).items()
        }
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
            cwd=self.workspace / directory,
            env={
                **clean_variables(self.directory / "home"),
                "PATH": self.path,
                "RUNNER_TEMP": str(self._temporary),
                **{name: str(file) for name, file in files.items()},
                **self.environment,
                **given,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
            timeout=300,
        )
        self.log += done.stdout
        if done.returncode:
            name = step.get("name", step["run"])
            raise StepFailed(name, done.returncode, done.stdout)
        self.environment |= _assignments(files["GITHUB_ENV"])
        for line in files["GITHUB_PATH"].read_text("utf-8").splitlines():
            self.path = f"{line}{os.pathsep}{self.path}"
        return _assignments(files["GITHUB_OUTPUT"])


def _assignments(file: Path) -> dict[str, str]:
    lines = file.read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)
