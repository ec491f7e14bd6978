"""The examples for CI services parse, and what they run is there and works."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fakes.command_line import clean_variables

if TYPE_CHECKING:
    from collections.abc import Iterator

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
WORKFLOWS = sorted((EXAMPLES / "github").glob("*.yml"))
OWN_ACTION = "your-organization/polylock@"


def load(path: Path) -> Any:  # noqa: ANN401 - any document
    """Return a YAML file."""
    return yaml.safe_load(path.read_text("utf-8"))


@pytest.fixture
def shell(example: Path, programs: Path, index_url: str) -> Shell:
    """Return a shell in the example project."""
    return Shell(example, programs, index_url)


class Shell:
    """Runs script lines as the runner of a CI service does."""

    def __init__(self, directory: Path, programs: Path, index_url: str) -> None:
        self.directory = directory
        self.variables = {
            **clean_variables(directory.parent / "home"),
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "POLYLOCK_INDEX_URL": index_url,
        }

    def __call__(self, *lines: str, **variables: str) -> str:
        """Run lines but for those that install polylock; return what they print."""
        script = [line for line in lines if "pip install" not in line]
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", "\n".join(script)],
            cwd=self.directory,
            env={**self.variables, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout


def steps(workflow: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the steps of all jobs."""
    for job in workflow["jobs"].values():
        yield from job["steps"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_hand_the_action_what_it_takes(path: Path) -> None:
    """Each input of polylock's action that a workflow names is one."""
    inputs = load(ROOT / "action.yml")["inputs"]
    used = [
        step
        for step in steps(load(path))
        if step.get("uses", "").startswith(OWN_ACTION)
    ]
    assert used
    for step in used:
        assert step.get("with", {}).keys() <= inputs.keys()


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_may_read_alone_and_put_no_expression_in_a_script(
    path: Path,
) -> None:
    """A workflow begins with few rights, and its scripts hold no foreign text."""
    workflow = load(path)
    assert workflow["permissions"] == {"contents": "read"}
    assert all("${{" not in step.get("run", "") for step in steps(workflow))


def test_the_plan_of_the_matrix_is_one_output(shell: Shell) -> None:
    """Its line is what fromJSON takes, and has what the jobs name of it."""
    workflow = load(EXAMPLES / "github" / "matrix.yml")
    (plan,) = [step for step in workflow["jobs"]["plan"]["steps"] if "run" in step]
    output = shell.directory / "output.txt"
    shell(plan["run"], GITHUB_OUTPUT=str(output))
    (line,) = output.read_text("utf-8").splitlines()
    name, _, value = line.partition("=")
    declared = workflow["jobs"]["plan"]["outputs"]["matrix"]
    assert declared == f"${{{{ steps.{plan['id']}.outputs.{name} }}}}"
    jobs = json.loads(value)["include"]
    assert [job["target"] for job in jobs] == ["h100", "cpu", "mac"]
    assert jobs[0]["runs-on"] == ["self-hosted", "gpu-h100"]
    named = set(re.findall(r"matrix\.([\w-]+)", json.dumps(workflow["jobs"]["test"])))
    assert named <= jobs[0].keys()
    assert named >= {"target", "runs-on", "python"}


def test_gitlab_makes_a_child_pipeline(shell: Shell) -> None:
    """The template becomes YAML with a job for each target, whose script runs."""
    files = EXAMPLES / "gitlab"
    plan = load(files / ".gitlab-ci.yml")
    template = shell.directory / "ci" / "targets.yml"
    template.parent.mkdir()
    template.write_text((files / "targets.yml").read_text("utf-8"), "utf-8")
    shell(*plan["plan"]["script"])
    (artifact,) = plan["plan"]["artifacts"]["paths"]
    assert plan["targets"]["trigger"]["include"] == [
        {"artifact": artifact, "job": "plan"}
    ]
    job = load(shell.directory / artifact)["test"]
    variables = {each["TARGET"]: each for each in job["parallel"]["matrix"]}
    assert list(variables) == ["h100", "cpu", "mac"]
    used = set(re.findall(r"\$([A-Z_]+)", json.dumps(job))) - {"POLYLOCK"}
    assert used <= variables["cpu"].keys()
    cached, last = job["cache"]
    assert (cached["key"], cached["fallback_keys"]) == ("$CACHE_KEY", [last["key"]])
    assert last["paths"] == cached["paths"]
    assert "vision 1.0.0" in shell(*job["script"], **variables["cpu"])
    assert (shell.directory / cached["paths"][0]).is_dir()


def test_one_tag_stands_for_a_runner_of_gitlab(shell: Shell) -> None:
    """GitLab takes a variable as one tag, so several labels are one text."""
    jobs = json.loads(shell("polylock matrix --format gitlab"))
    assert jobs[0]["RUNS_ON"] == "self-hosted gpu-h100"


SHOWN = {
    "github/one-target.yml": "github-actions.md",
    "github/matrix.yml": "github-actions.md",
    "gitlab/.gitlab-ci.yml": "gitlab-ci.md",
    "gitlab/targets.yml": "gitlab-ci.md",
    "docker/Dockerfile": "docker.md",
    "docker/Dockerfile.dockerignore": "docker.md",
}


@pytest.mark.parametrize("name", SHOWN)
def test_pages_show_the_files_as_they_are(name: str) -> None:
    """A how-to shows the whole file, letter by letter."""
    page = (ROOT / "docs" / "how-to" / SHOWN[name]).read_text("utf-8")
    assert f"\n{(EXAMPLES / name).read_text('utf-8')}```\n" in page


def test_the_page_names_every_input_and_output() -> None:
    """The how-to of GitHub Actions tells of all that the action takes and gives."""
    page = (ROOT / "docs" / "how-to" / "github-actions.md").read_text("utf-8")
    action = load(ROOT / "action.yml")
    named = [*action["inputs"], *action["outputs"]]
    assert [name for name in named if f"`{name}`" not in page] == []


def test_the_files_are_listed() -> None:
    """The page of the examples names each of their files."""
    page = (EXAMPLES / "README.md").read_text("utf-8")
    for path in EXAMPLES.rglob("*"):
        name = path.relative_to(EXAMPLES).as_posix()
        if path.is_file() and not name.startswith(("project/", "README")):
            assert f"`{name}`" in page


@pytest.mark.parametrize(
    "path",
    [
        p
        for p in sorted(EXAMPLES.rglob("*"))
        if p.suffix in {".yml", ""} and p.is_file()
    ],
    ids=lambda path: path.name,
)
def test_command_lines_exist(path: Path, shell: Shell) -> None:
    """Each polylock command that a file names has these options."""
    text = path.read_text("utf-8").replace("\\\n", " ")
    for found in re.finditer(r"(?:^|[\s(/])polylock ((?:[a-z-]+)[^)\n`>|]*)", text):
        words = [w for w in shlex.split(found[1].split("&&")[0]) if w.startswith("--")]
        name = found[1].split()[0]
        if text[: found.start()].rpartition("\n")[2].lstrip().startswith("#"):
            continue
        told = shell(f"polylock {name} --help")
        assert all(word in told for word in words), found[0]
