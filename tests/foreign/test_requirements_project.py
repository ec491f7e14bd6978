"""Requirements files become a project."""

from __future__ import annotations

from typing import Any

import pytest

from fakes.conversions import converted, listed
from polylock.project.torch_backends import torch_index_url

WHEELS = "https://wheels.example.com/simple"


def project(files: dict[str, str], text: str = "") -> dict[str, Any]:
    """Return the document that the files are converted to."""
    return converted("requirements", text, files).document


def test_each_file_has_its_place() -> None:
    """A name in the file's name is a group; an input wins over its output."""
    document = project(
        {
            "requirements.in": "numpy>=2\n-r more/base.txt\n",
            "requirements.txt": "numpy==2.1\nsix==1\n",
            "more/base.txt": "six ; python_version < '4'  # why\n",
            "requirements-dev.txt": "-c requirements.txt\npytest==8\n",
            "requirements/Docs_all.txt": "sphinx[x]>=7\n",
            "test-requirements.txt": "tox\n",
        }
    )
    assert document["project"] == {
        "name": "directory",
        "version": "0.1.0",
        "dependencies": ["numpy>=2", "six ; python_version < '4'"],
    }
    groups = document["dependency-groups"]
    assert groups["docs-all"] == ["sphinx[x]>=7"]
    assert groups["test"] == ["tox"]
    assert groups["dev"] == ["pytest==8"]
    assert "constraint-dependencies" not in document["tool"]["polylock"]


@pytest.mark.parametrize(
    "text",
    [
        "six==1\n    # via numpy\nnumpy==2\n    # via\n    #   -r requirements.in\n",
        "six==1                    # via numpy\nnumpy==2   # via -r requirements.in\n",
        "numpy==2\n    # via demo (pyproject.toml)\nsix==1\n    # via numpy\n",
    ],
)
def test_output_of_a_compiler_is_mostly_pins(text: str) -> None:
    """Only what the project itself requires is a dependency."""
    document = project({"requirements.txt": text})
    assert document["project"]["dependencies"] == ["numpy"]


def test_options_become_settings() -> None:
    """Indexes, constraints and policies have keys; the rest is listed."""
    text = (
        f"--index-url {WHEELS}\n--extra-index-url https://a.example.com/s\n"
        "--find-links wheels\n-c limits.txt\n--no-binary lxml,numba\n"
        "--only-binary scipy\n--pre\n--trusted-host a.example.com\nnumpy\n"
    )
    found = converted(
        "requirements", "", {"requirements.txt": text, "limits.txt": "six<2\n./a\n"}
    )
    tool = found.tool
    assert [each["url"] for each in tool["index"]] == [
        "https://a.example.com/s",
        "./wheels",
        WHEELS,
    ]
    assert tool["index"][1]["format"] == "flat"
    assert tool["constraint-dependencies"] == ["six<2"]
    assert tool["no-binary-package"] == ["lxml", "numba"]
    assert tool["no-build-package"] == ["scipy"]
    assert tool["prerelease"] == "allow"
    assert [each.origin for each in found.listed] == [
        "requirements.txt line 8 --trusted-host",
        "--extra-index-url and --find-links",
    ]


def test_places_become_sources() -> None:
    """The name is that of the file, the directory's project or the egg."""
    text = (
        "-e .\n-e ./lib[fast] ; python_version > '3'\n"
        "./wheels/demo-1-py3-none-any.whl\n"
        "git+https://g.example.com/x.git@v1#egg=x\nhttps://e.example.com/y-1.tar.gz\n"
        "z @ file:../z\n-e git+https://g.example.com/no.git\n"
    )
    found = converted(
        "requirements",
        "",
        {"requirements.txt": text, "lib/pyproject.toml": "[project]\nname='Lib'\n"},
    )
    assert found.project["dependencies"] == [
        "Lib[fast] ; python_version > '3'",
        "demo",
        "x @ git+https://g.example.com/x.git@v1",
        "y @ https://e.example.com/y-1.tar.gz",
        "z",
    ]
    assert found.tool["sources"] == {
        "Lib": {"path": "./lib", "editable": True},
        "demo": {"path": "./wheels/demo-1-py3-none-any.whl"},
        "z": {"path": "../z"},
    }
    assert listed(found) == {"requirements.txt line 7"}


def test_an_index_of_torch_is_for_torch_alone() -> None:
    """It has old versions of other projects, which must not win."""
    index = converted("requirements", "", {"requirements.txt": "a\n"})
    assert "index" not in index.tool
    url = f"{torch_index_url()}/cpu"
    text = f"--extra-index-url {url}\ntorch==2.9\ntorchvision\nnumpy\n"
    found = converted("requirements", "", {"requirements.txt": text})
    (entry,) = found.tool["index"]
    assert (entry["url"], entry["explicit"]) == (url, True)
    assert found.tool["sources"] == {
        "torch": {"index": entry["name"]},
        "torchvision": {"index": entry["name"]},
    }


def test_dynamic_dependencies_become_static() -> None:
    """A backend that reads them from the file is no longer asked."""
    text = '[project]\nname = "a"\ndynamic = ["version", "dependencies"]\n'
    document = project({"requirements.txt": "numpy\n"}, text)
    assert document["project"]["dynamic"] == ["version"]
    assert document["project"]["dependencies"] == ["numpy"]


def test_dependencies_that_are_there_win() -> None:
    """What a file has beyond them is listed, not added in silence."""
    text = '[project]\nname = "a"\ndependencies = ["numpy>=2"]\n'
    found = converted("requirements", text, {"requirements.txt": "numpy\nsix\n"})
    assert found.project["dependencies"] == ["numpy>=2"]
    (left,) = found.listed
    assert "six" in left.reason
    assert left.advice == "`polylock add -r requirements.txt` adds them"


def test_variables_and_passwords_are_not_written() -> None:
    """A project file is for everyone."""
    text = (
        "-i https://you:secret@a.example.com/simple\nx @ https://${HOST}/x-1.tar.gz\n"
        "--extra-index-url https://${HOST}/simple\nnumpy\n"
    )
    found = converted("requirements", "", {"requirements.txt": text})
    assert "secret" not in str(found.document)
    assert "HOST" not in str(found.document)
    advices = " ".join(each.advice for each in found.listed)
    assert "POLYLOCK_INDEX_A_EXAMPLE_COM_USERNAME" in advices
    assert len(listed(found)) == 3
