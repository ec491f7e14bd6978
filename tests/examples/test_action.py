"""``action.yml``: each of its steps, run as a runner of GitHub Actions runs it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from fakes.github_runner import Job, StepFailed
from fakes.wheels import build_wheel

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
INSTALL = "Install polylock"
NOWHERE = "http://127.0.0.1:9/"  # nothing answers there


class Runs:
    """Jobs of one repository: each on a fresh machine, their caches shared."""

    def __init__(self, directory: Path, project: Path, programs: Path) -> None:
        self._directory = directory
        self._project = project
        self._programs = programs
        self._stored: dict[str, Path] = {}
        self._count = 0

    def job(self) -> Job:
        """Start a job, with the repository checked out."""
        self._count += 1
        directory = self._directory / f"job-{self._count}"
        workspace = directory / "workspace"
        shutil.copytree(self._project, workspace)
        path = f"{self._programs}{os.pathsep}{os.environ['PATH']}"
        return Job(directory, workspace, self._stored, path)

    def action(self, job: Job, **inputs: str) -> dict[str, str]:
        """Run the action in a job, with polylock on PATH already."""
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        job.environment["POLYLOCK_CACHE_DIR"] = str(
            job.directory / "temp" / "polylock-cache"
        )
        return job.run_action(ACTION, given, action_path=ROOT, without=(INSTALL,))


@pytest.fixture
def runs(tmp_path: Path, example: Path, programs: Path) -> Runs:
    """Return the jobs of the example project."""
    return Runs(tmp_path / "jobs", example, programs)


@pytest.mark.slow
def test_all_of_it_on_a_fresh_machine(
    tmp_path: Path, example: Path, programs: Path, index_url: str
) -> None:
    """Polylock is installed apart from the job's own Python, then used."""
    imported = "\n".join([str(ROOT / "src"), *filter(None, sys.path)])
    wheel = build_wheel(
        tmp_path,
        "polylock",
        "0.1.0",
        files={"polylock_source.pth": imported},
        entry_points="[console_scripts]\npolylock = polylock.__main__:main\n",
    )
    (programs / "polylock").rename(tmp_path / "polylock")
    try:
        job = Runs(tmp_path / "jobs", example, programs).job()
        outputs = job.run_action(
            ACTION,
            {"target": "cpu", "polylock": str(wheel), "index-url": index_url},
            action_path=ROOT,
        )
    finally:
        (tmp_path / "polylock").rename(programs / "polylock")
    assert job.ran == [
        INSTALL,
        "Check the lock file",
        "Choose the target and its cache key",
        "Install what is locked",
    ]
    assert outputs["venv"] == str(job.workspace / ".venv")
    first = Path(job.path.split(os.pathsep)[0])
    assert [path.name for path in first.iterdir()] == ["polylock"]


def test_outputs_and_environment(runs: Runs, index_url: str) -> None:
    """The environment has what is locked, the group too; outputs say what and where."""
    job = runs.job()
    outputs = runs.action(job, target="cpu", groups="test", index_url=index_url)
    assert outputs["target"] == "cpu"
    assert outputs["key"].startswith(outputs["prefix"])
    assert outputs["hit"] != "true"
    assert outputs["venv"] == str(job.workspace / ".venv")
    installed = {
        path.name.partition("-")[0]
        for path in (job.workspace / ".venv").rglob("*.dist-info")
    }
    assert {"tensordemo", "vecdemo", "plainlib_testing", "vision"} <= installed


def unplug(job: Job, index_url: str) -> None:
    """Let nobody answer where the files of the lock file are."""
    path = job.workspace / "pylock.toml"
    text = path.read_text("utf-8")
    assert index_url.removesuffix("simple/") in text
    text = text.replace(index_url.removesuffix("simple/"), NOWHERE)
    path.write_text(text, "utf-8")


def test_the_second_job_downloads_nothing(runs: Runs, index_url: str) -> None:
    """What the first downloaded is restored under the same key."""
    first = runs.action(runs.job(), target="cpu")
    job = runs.job()
    unplug(job, index_url)
    second = runs.action(job, target="cpu")
    assert (second["key"], second["hit"]) == (first["key"], "true")
    assert (job.workspace / ".venv").is_dir()


def test_a_suffix_keeps_caches_apart(runs: Runs) -> None:
    """The key is another one, and the prefix still begins with what is there."""
    runs.action(runs.job(), target="cpu", sync="false")
    other = runs.action(runs.job(), target="cpu", sync="false", suffix="-nightly")
    assert other["hit"] == "false"
    again = runs.action(runs.job(), target="cpu", sync="false", suffix="-nightly")
    assert again["hit"] == "true"


@pytest.mark.slow
def test_without_the_cache_everything_is_downloaded(runs: Runs, index_url: str) -> None:
    """With ``cache`` false nothing is stored, nothing restored."""
    runs.action(runs.job(), target="cpu", cache="false")
    job = runs.job()
    unplug(job, index_url)
    with pytest.raises(StepFailed, match="Install what is locked"):
        runs.action(job, target="cpu", cache="false")


@pytest.mark.slow
def test_another_group_begins_with_the_cache_of_the_last(
    runs: Runs, index_url: str
) -> None:
    """The prefix is a restore key, and what is new is stored under a key of its own."""
    first = runs.action(runs.job(), target="cpu")
    second = runs.action(runs.job(), target="cpu", groups="test")
    assert second["key"] != first["key"]
    assert second["hit"] == "false"
    job = runs.job()
    unplug(job, index_url)
    third = runs.action(job, target="cpu", groups="test")
    assert third["hit"] == "true"


def test_auto_names_the_target_of_the_runner(runs: Runs) -> None:
    """Without a target the first that the runner satisfies is taken, and named."""
    outputs = runs.action(runs.job(), sync="false")
    assert outputs["target"] == "cpu"


@pytest.mark.slow
def test_names_are_separated_by_commas(runs: Runs) -> None:
    """Spaces beside the commas do no harm."""
    keys = {
        runs.action(runs.job(), target="cpu", groups=groups, sync="false")["key"]
        for groups in (" test , test", "test")
    }
    assert len(keys) == 1


def test_a_check_alone(runs: Runs) -> None:
    """With neither sync nor cache, a job learns whether the lock file is current."""
    job = runs.job()
    outputs = runs.action(job, sync="false", cache="false")
    assert job.ran == ["Check the lock file"]
    assert job.used == {}
    assert set(outputs.values()) == {""}


def test_a_lock_file_that_is_out_of_date_ends_the_job(runs: Runs) -> None:
    """Nothing is restored and nothing installed."""
    job = runs.job()
    path = job.workspace / "pyproject.toml"
    text = path.read_text("utf-8")
    path.write_text(text.replace('"plainlib"]', '"plainlib", "abikit"]'), "utf-8")
    with pytest.raises(StepFailed) as failed:
        runs.action(job, target="cpu")
    assert (failed.value.name, failed.value.code) == ("Check the lock file", 3)
    assert "requirement abikit is new" in str(failed.value)
    assert job.used == {}


@pytest.mark.slow
def test_a_project_in_a_directory(runs: Runs, index_url: str) -> None:
    """The working directory is where the project is; venv may be elsewhere."""
    job = runs.job()
    inside = job.workspace / "some where"
    inside.mkdir()
    for path in list(job.workspace.iterdir()):
        if path != inside:
            path.rename(inside / path.name)
    outputs = runs.action(
        job,
        target="cpu",
        working_directory="some where",
        venv="../env",
        index_url=index_url,
    )
    assert Path(outputs["venv"]).resolve() == job.workspace / "env"
    assert (job.workspace / "env" / "pyvenv.cfg").is_file()


HOSTILE = (
    '"; touch hit; "',
    "$(touch hit)",
    "`touch hit`",
    "'; touch hit; '",
    "x\ntouch hit\n",
    "--help",
    "*",
)


def hit_by(runs: Runs, name: str, texts: tuple[str, ...]) -> list[str]:
    """Give an input what a shell would run; return the files that this made."""
    job = runs.job()
    for text in texts:
        with suppress(StepFailed):
            inputs = {"target": "cpu", name: text}
            job.run_action(ACTION, inputs, action_path=ROOT, without=(INSTALL,))
    assert job.ran
    return [str(path) for path in job.directory.rglob("hit")]


def test_names_are_no_code(runs: Runs) -> None:
    """Whatever an input holds, a shell does not run it."""
    assert hit_by(runs, "groups", HOSTILE[:3]) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["target", "groups", "extras", "venv", "index-url"])
def test_no_input_is_code(runs: Runs, name: str) -> None:
    """The same of all, and of those that are used when something is installed."""
    assert hit_by(runs, name, HOSTILE) == []


@pytest.mark.slow
def test_a_path_adds_no_output(runs: Runs) -> None:
    """A line feed within a path does not begin another output of the step."""
    job = runs.job()
    runs.action(job, target="cpu", venv="env\nkey=forged")
    assert job.steps["sync"]["outputs"].keys() == {"venv"}


def test_credentials_stay_out_of_log_and_environment(
    runs: Runs, index_url: str
) -> None:
    """A password in index-url is in no line, no output, no later step's variables."""
    job = runs.job()
    secret = index_url.replace("://", "://me:tops3cret@")
    unplug(job, index_url)
    with pytest.raises(StepFailed) as failed:
        runs.action(job, target="cpu", index_url=secret)
    shown = [job.log, str(failed.value)]
    shown.append(json.dumps([job.environment, job.used, job.steps]))
    assert "tops3cret" not in "".join(shown)


def test_scripts_hold_no_expressions() -> None:
    """GitHub writes expressions into a script as text: inputs come by variables."""
    for step in STEPS:
        assert "${{" not in step.get("run", "")
        if "run" in step:
            assert step["shell"] == "bash"


def test_the_file_keeps_the_rules_of_actions() -> None:
    """Names, descriptions, a composite, known keys, and steps that outputs name."""
    sections = {"name", "description", "branding", "inputs", "outputs", "runs"}
    assert sections == ACTION.keys()
    assert ACTION["branding"].keys() == {"icon", "color"}
    assert ACTION["runs"].keys() == {"using", "steps"}
    assert ACTION["runs"]["using"] == "composite"
    for declared in ACTION["inputs"].values():
        assert declared.keys() == {"description", "default"}
        assert isinstance(declared["default"], str)
    steps = {step["id"] for step in STEPS if "id" in step}
    for declared in ACTION["outputs"].values():
        assert declared.keys() == {"description", "value"}
        assert declared["value"].split(".")[1] in steps
    keys = {"name", "id", "if", "uses", "with", "run", "shell", "env"}
    keys.add("working-directory")
    for step in STEPS:
        assert step.keys() <= keys
        assert ("uses" in step) != ("run" in step)
        if "uses" in step:
            assert "@v" in step["uses"]
    text = (ROOT / "action.yml").read_text("utf-8")
    unused = [name for name in ACTION["inputs"] if f"inputs.{name}" not in text]
    assert unused == []
