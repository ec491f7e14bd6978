"""The lock of a target as CycloneDX, judged by the library's strict validator."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import jsonschema  # type: ignore[import-untyped]  # ships no py.typed
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from fakes.lock_texts import lock_text, package_text, settings_for
from polylock.errors import UsageError
from polylock.operations.exchange.export import export
from polylock.project.settings import default_index_url

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.workspace import Project

DIGEST = "a" * 64
HASHES = f'hashes = {{ sha256 = "{DIGEST}" }}'
WHEEL = "a-1.0-py3-none-any.whl"
PROJECT = """\
[project]
name = "Demo_App"
version = "4.2"
dependencies = ["a"]

[tool.polylock.targets.box]
platform = "linux-x86_64"
python = "3.12"
"""


def bill(text: str) -> dict[str, Any]:
    """Return a document that the schema of its version allows."""
    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    assert problem is None, problem
    document: dict[str, Any] = json.loads(text)
    return document


def bill_of(tmp_path: Path, *packages: str, **settings: object) -> dict[str, Any]:
    """Return the bill of a lock file with these entries."""
    chosen = settings_for(tmp_path, lock_text(*packages), target="box", **settings)
    return bill(export(chosen, "cyclonedx").text)


def one(tmp_path: Path, entry: str) -> dict[str, Any]:
    """Return the component of a lock file's one entry."""
    (component,) = bill_of(tmp_path, entry)["components"]
    found: dict[str, Any] = component
    return found


def entry(source: str, *, version: str = "1.0", index: str = "") -> str:
    """Return the entry of ``a`` with TOML that says what it is installed from."""
    said = f'index = "{index}"\n' if index else ""
    known = f'version = "{version}"\n' if version else ""
    return f'[[packages]]\nname = "a"\n{known}{said}{source}\n'


def wheel(url: str = f"https://files.example.com/{WHEEL}") -> str:
    """Return a wheel of ``a``."""
    return f'wheels = [{{ url = "{url}", size = 7, {HASHES} }}]'


def properties(holder: dict[str, Any]) -> dict[str, list[str]]:
    """Return the properties of something by name."""
    found: dict[str, list[str]] = {}
    for item in holder.get("properties", ()):
        found.setdefault(item["name"], []).append(item["value"])
    return found


def edges(document: dict[str, Any]) -> dict[str, list[str]]:
    """Return what depends on what."""
    return {
        item["ref"]: sorted(item.get("dependsOn", ()))
        for item in document["dependencies"]
    }


@pytest.fixture(scope="module")
def demo_bill(shared_demo: Project) -> dict[str, Any]:
    """Return the bill of one of the machines of the demo project, and its tests."""
    settings = shared_demo.with_settings(target="h100", groups=("test",))
    return bill(export(settings, "cyclonedx").text)


def test_every_locked_package_is_a_component(
    demo_bill: dict[str, Any], shared_demo: Project
) -> None:
    """With the file, its hash and its size as they are locked."""
    settings = shared_demo.with_settings(target="h100", groups=("test",))
    pins = export(settings, "requirements").text
    components = demo_bill["components"]
    assert len(components) == 13
    for component in components:
        (value,) = component["hashes"]
        assert value["alg"] == "SHA-256"
        assert f"--hash=sha256:{value['content']}" in pins
        assert int(properties(component)["polylock:size"][0]) > 0
        name = PackageURL.from_string(component["purl"]).qualifiers["file_name"]
        (reference,) = component["externalReferences"]
        assert reference["type"] == "distribution"
        assert reference["url"].endswith(f"/{name}")


def test_variant_is_told_with_what_decided(demo_bill: dict[str, Any]) -> None:
    """A variant wheel has its label, and is named in the package URL."""
    (found,) = (c for c in demo_bill["components"] if c["name"] == "tensordemo")
    assert properties(found)["polylock:variant-label"] == ["cuda13.0"]
    decided = properties(found)["polylock:variant-property"]
    assert "nvidia :: cuda_version_lower_bound :: 13.0" in decided
    address = PackageURL.from_string(found["purl"])
    assert (address.type, address.name, address.version) == (
        "pypi",
        "tensordemo",
        "3.1.0",
    )
    assert address.qualifiers["file_name"].endswith("-cuda13.0.whl")


def test_target_is_described(demo_bill: dict[str, Any]) -> None:
    """What the bill holds for stands in its metadata."""
    found = properties(demo_bill["metadata"])
    assert found["polylock:target:name"] == ["h100"]
    assert found["polylock:target:platform"] == ["linux-x86_64"]
    assert found["polylock:target:python"] == ["3.12"]
    assert found["polylock:target:libc"] == ["glibc-2.34"]
    assert found["polylock:group"] == ["test"]
    assert found["cdx:reproducible"] == ["true"]
    supported = found["polylock:target:supports"]
    assert any(line.startswith("nvidia :: sm_arch :: 90") for line in supported)
    (switches,) = (line for line in supported if line.startswith("x86_64, on: "))
    assert "avx512_bf16" in switches


def test_graph_is_that_of_the_lock_file(demo_bill: dict[str, Any]) -> None:
    """It begins at the project and leads to every component."""
    found = edges(demo_bill)
    assert "tensordemo==3.1.0" in found["project:demo"]
    assert found["plainlib==1.1.0"] == [
        "plainlib-colors==1.0.1",
        "plainlib-posix==1.1.0",
    ]
    reached = border = {"project:demo"}
    while border:
        border = {below for ref in border for below in found[ref]} - reached
        reached = reached | border
    assert reached == {"project:demo", *(c["bom-ref"] for c in demo_bill["components"])}


def test_scope_tells_what_the_project_needs_itself(demo_bill: dict[str, Any]) -> None:
    """What a group alone brings in is optional; the group is named."""
    scopes = {c["name"]: c["scope"] for c in demo_bill["components"]}
    optional = {name for name, scope in scopes.items() if scope == "optional"}
    assert optional == {"plainlib-testing"}
    (testing,) = (c for c in demo_bill["components"] if c["name"] == "plainlib-testing")
    assert properties(testing)["polylock:required-by"] == ["group test"]


def test_project_is_what_the_bill_is_of(tmp_path: Path) -> None:
    """Its name and version come from the project file beside the lock file."""
    (tmp_path / "pyproject.toml").write_text(PROJECT, "utf-8")
    found = bill_of(tmp_path, package_text("a"), project=tmp_path)
    assert found["metadata"]["component"] == {
        "bom-ref": "project:demo-app",
        "name": "demo-app",
        "type": "application",
        "version": "4.2",
    }


def test_lock_file_alone_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a project file nothing says whose packages they are."""
    monkeypatch.chdir(tmp_path)
    found = bill_of(tmp_path, package_text("a", "b"), package_text("b"))
    assert "component" not in found["metadata"]
    assert edges(found) == {"a==1.0": ["b==1.0"], "b==1.0": []}
    assert {c["scope"] for c in found["components"]} == {"required"}


def test_same_lock_file_gives_the_same_bytes(tmp_path: Path) -> None:
    """No time and no chance is in it, and the serial number follows the contents."""
    texts = []
    for version in ("1.0", "1.0", "1.1"):
        text = lock_text(package_text("a", version=version))
        settings = settings_for(tmp_path, text, target="box")
        texts.append(export(settings, "cyclonedx").text)
    same, again, other = texts
    assert same == again
    assert bill(same)["serialNumber"] != bill(other)["serialNumber"]
    assert "timestamp" not in bill(same)["metadata"]


def test_default_index_is_not_named(tmp_path: Path) -> None:
    """A package URL of this type means it; any other index is a qualifier."""
    usual = one(tmp_path, entry(wheel(), index=default_index_url()))
    assert usual["purl"] == f"pkg:pypi/a@1.0?file_name={WHEEL}"
    other = one(tmp_path, entry(wheel(), index="https://wheels.example.com/simple"))
    address = PackageURL.from_string(other["purl"])
    assert address.qualifiers["repository_url"] == "https://wheels.example.com/simple"


def test_direct_reference_is_named_by_its_url(tmp_path: Path) -> None:
    """It comes from no index."""
    url = "https://files.example.com/a-1.zip"
    found = one(tmp_path, entry(f'archive = {{ url = "{url}", {HASHES} }}'))
    address = PackageURL.from_string(found["purl"])
    assert address.qualifiers == {"download_url": url}
    assert found["externalReferences"] == [{"type": "distribution", "url": url}]


def test_commit_is_named_by_its_repository(tmp_path: Path) -> None:
    """The package URL has the commit; there is no file and no hash of one."""
    source = (
        'vcs = { type = "git", url = "ssh://git@git.example.com/a", '
        'commit-id = "0123", subdirectory = "lib" }'
    )
    found = one(tmp_path, entry(source, version=""))
    assert "version" not in found
    assert "hashes" not in found
    address = PackageURL.from_string(found["purl"])
    assert address.qualifiers == {"vcs_url": "git+ssh://git@git.example.com/a@0123#lib"}
    assert found["externalReferences"] == [
        {"type": "vcs", "url": "ssh://git@git.example.com/a"}
    ]


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ('directory = { path = "../lib", editable = true }', "../lib"),
        (f'archive = {{ path = "a-1.zip", {HASHES} }}', "a-1.zip"),
        (f'wheels = [{{ path = "files/{WHEEL}", {HASHES} }}]', f"files/{WHEEL}"),
    ],
)
def test_what_lies_on_disk_has_no_package_url(
    tmp_path: Path, source: str, path: str
) -> None:
    """It would name a project of the same name on the default index."""
    found = one(tmp_path, entry(source))
    assert "purl" not in found
    assert "externalReferences" not in found
    assert properties(found)["polylock:path"] == [path]


def test_no_url_has_credentials(tmp_path: Path) -> None:
    """Whatever another hand wrote into the lock file."""
    secret = "https://user:hunter2@files.example.com"
    for text in (
        entry(wheel(f"{secret}/{WHEEL}"), index=f"{secret}/simple"),
        entry(f'archive = {{ url = "{secret}/a-1.zip", {HASHES} }}'),
        entry(f'vcs = {{ type = "git", url = "{secret}/a", commit-id = "01" }}'),
    ):
        assert "hunter2" not in json.dumps(one(tmp_path, text))


def test_condition_that_the_target_leaves_open_is_told(tmp_path: Path) -> None:
    """The patch release decides where the bill is used."""
    condition = "python_full_version < '3.12.4'"
    more = f"marker = \"{condition} and sys_platform == 'linux'\"\n"
    found = one(tmp_path, package_text("a", more=more))
    assert properties(found)["polylock:marker"] == [condition]


def test_hash_of_an_unknown_kind_is_left_out(tmp_path: Path) -> None:
    """The format has a closed list; the secure hash that is always there is in it."""
    more = entry(wheel().replace("hashes = {", 'hashes = { shake_128 = "aa",'))
    (value,) = one(tmp_path, more)["hashes"]
    assert value == {"alg": "SHA-256", "content": DIGEST}


def test_large_lock_files_are_written_in_time(tmp_path: Path) -> None:
    """The library's own way to add an edge would look through all those before it.

    The validator, which takes 30 seconds for this one, says nothing new of it.
    """
    names = [f"p{number}" for number in range(400)]
    texts = [package_text(n, *names[i + 1 : i + 11]) for i, n in enumerate(names)]
    settings = settings_for(tmp_path, lock_text(*texts), target="box")
    found = json.loads(export(settings, "cyclonedx").text)
    assert sum(map(len, edges(found).values())) == 400 * 10 - 55


def test_missing_library_is_told_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library is an extra, and the other formats do without it."""
    monkeypatch.setitem(sys.modules, "cyclonedx", None)
    settings = settings_for(tmp_path, lock_text(package_text("a")), target="box")
    with pytest.raises(UsageError, match="cyclonedx-python-lib") as caught:
        export(settings, "cyclonedx")
    assert caught.value.hint() == "python -m pip install 'polylock[cyclonedx]'"
    assert export(settings, "requirements").packages == 1


@pytest.mark.slow
def test_the_validator_checks_addresses() -> None:
    """Its parsers are loaded late (``fakes.iri_syntax``), which takes three seconds."""
    checker = jsonschema.Draft7Validator.FORMAT_CHECKER
    assert checker.conforms("https://example.com/\u00e4", "iri-reference")
    assert not checker.conforms("https://example.com/a b", "iri-reference")
