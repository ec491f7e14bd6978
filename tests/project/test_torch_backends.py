"""The backends of torch: their data, and which of them fit a target."""

from __future__ import annotations

import json
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema  # type: ignore[import-untyped]  # ships no py.typed
import pytest

import polylock
from polylock.project.targets import parse_targets
from polylock.project.torch_backends import backend_names, torch_backends

if TYPE_CHECKING:
    from polylock.model.torch_backends import TorchChoice

SCHEMAS = Path(__file__).parents[2] / "schemas"
ADDRESS = "download.pytorch.org"


def data() -> dict[str, Any]:
    """Return the data file as JSON would hold it: dates are text."""
    text = files("polylock.project").joinpath("torch_backends.toml").read_text("utf-8")
    found: dict[str, Any] = json.loads(json.dumps(tomllib.loads(text), default=str))
    return found


def choice(value: str = "auto", **table: object) -> TorchChoice | None:
    """Return the backends of a target with these keys."""
    descriptions = parse_targets(
        {"box": {"platform": "linux-x86_64", **table}},
        path="pyproject.toml",
        default_python="3.13",
        reserved=(),
        requires_python="",
    )
    found = torch_backends(value, descriptions, index_url=None)
    assert found is not None
    return found.by_target.get("box")


def taken(value: str = "auto", **table: object) -> list[str]:
    """Return the backends to take torch from, with the versions if not all."""
    found = choice(value, **table)
    assert found is not None
    return [
        " ".join([fit.backend, *(each for each in fit.versions if each)])
        for fit in found.taken
    ]


def gpu(driver: str, *compute: str) -> dict[str, object]:
    """Return the table of an NVIDIA GPU."""
    return {"driver": driver, "compute": list(compute)}


def test_the_data_keeps_its_schema_and_names_its_sources() -> None:
    """Each fact names a document, and each document is named."""
    document = data()
    schema = json.loads((SCHEMAS / "torch-backends.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(document)
    used = set(document["sources"])
    for backend in document["backends"].values():
        used |= set(backend["sources"])
    assert used == set(document["documents"])
    assert not set(document["projects"]) & set(document["optional"])


def test_the_schema_of_the_project_file_has_all_backends() -> None:
    """Editors offer what polylock knows, for the project and for a target."""
    schema = json.loads((SCHEMAS / "tool-polylock.schema.json").read_text("utf-8"))
    wanted = ["auto", *backend_names(), "none"]
    assert schema["properties"]["torch-backend"]["enum"] == wanted
    target = schema["$defs"]["target"]["properties"]
    assert target["torch-backend"]["enum"] == wanted


def test_one_file_has_the_address_of_the_public_index() -> None:
    """No other file of the package, so that it can be replaced in one place."""
    package = Path(polylock.__file__).parent
    holding = {
        path.name
        for path in package.rglob("*")
        if path.suffix in {".py", ".toml"}
        and f"https://{ADDRESS}" in path.read_text("utf-8")
    }
    assert holding == {"torch_backends.toml"}
    assert data()["index"] == f"https://{ADDRESS}/whl"


@pytest.mark.parametrize(
    ("driver", "compute", "newest", "oldest"),
    [
        ("13.0", "9.0", "cu132", "cu118"),
        ("12.8", "9.0", "cu129", "cu118"),
        ("12.0", "9.0", "cu129", "cu118"),
        ("11.4", "8.6", "cu118", "cu118"),
        ("13.0", "12.0", "cu132", "cu128"),
        ("13.0", "12.1", "cu132", "cu128"),
        ("13.0", "10.3", "cu132", "cu128"),
        ("13.0", "6.1", "cu126", "cu118"),
        ("13.0", "8.9", "cu132", "cu118"),
    ],
)
def test_driver_and_compute_capability_decide(
    driver: str, compute: str, newest: str, oldest: str
) -> None:
    """A driver runs all minor versions of its CUDA; code runs on later minors."""
    found = taken(nvidia=gpu(driver, compute))
    assert [found[0], found[-1]] == [newest, oldest]


def test_code_for_volta_depends_on_the_version_of_torch() -> None:
    """cu128 gained it with 2.8, and 2.11 dropped it from cu128 and cu129."""
    assert taken(nvidia=gpu("13.0", "7.0")) == [
        "cu129 <2.11",
        "cu128 >=2.8,<2.11",
        "cu126",
        "cu124",
        "cu121",
        "cu118",
    ]


def test_boards_with_arm_processors_have_lists_of_their_own() -> None:
    """Only CUDA 13 has code for a Jetson Thor; a GB10 runs that for 12.0."""
    arm = "linux-aarch64"
    assert taken(platform=arm, nvidia=gpu("13.0", "11.0")) == ["cu132", "cu130"]
    assert taken(platform=arm, nvidia=gpu("13.0", "12.1")) == [
        "cu132",
        "cu130",
        "cu129",
        "cu128 >=2.8,<2.11 >=2.11",
    ]
    assert taken(platform=arm, nvidia=gpu("13.0", "7.5")) == ["cpu"]


def test_a_board_runs_only_code_for_itself() -> None:
    """Code for 8.0 does not run on a Jetson Orin (PyTorch, DEVICE_REQUIREMENT)."""
    arm = "linux-aarch64"
    assert taken(platform=arm, nvidia=gpu("12.6", "8.7")) == ["cpu"]
    assert taken(platform=arm, nvidia=gpu("12.6", "8.9")) != ["cpu"]


def test_none_takes_no_backend() -> None:
    """Of a target, or of the project and all that say nothing else."""
    descriptions = parse_targets(
        {
            "off": {"platform": "linux-x86_64", "torch-backend": "none"},
            "on": {"platform": "linux-x86_64"},
        },
        path="pyproject.toml",
        default_python="3.13",
        reserved=(),
        requires_python="",
    )
    found = torch_backends("auto", descriptions, index_url=None)
    assert found is not None
    assert list(found.by_target) == ["on"]
    found = torch_backends("none", descriptions, index_url=None)
    assert found is not None
    assert (found.by_target, found.indexes) == ({}, ())


def test_the_best_of_several_gpus_counts() -> None:
    """As for the variants of torch."""
    assert taken(nvidia=gpu("13.0", "7.0", "9.0"))[0] == "cu132"


def test_a_driver_without_a_gpu_decides_alone() -> None:
    """A build machine has no GPU to have code for."""
    assert taken(nvidia={"driver": "12.4"})[0] == "cu129"


@pytest.mark.parametrize(
    ("rocm", "gfx", "wanted"),
    [
        ("6.4", "gfx942", ["rocm6.4", "rocm6.3"]),
        ("7.1", "gfx942", ["rocm7.1", "rocm7.0", "rocm6.4", "rocm6.3"]),
        ("7.1", "gfx950", ["rocm7.1", "rocm7.0"]),
        ("7.2", "gfx1103", ["rocm7.2 >=2.13", "rocm7.1 >=2.13"]),
        ("6.4", "gfx950", ["cpu"]),
        ("6.2", "gfx942", ["cpu"]),
    ],
)
def test_rocm_and_gfx_decide(rocm: str, gfx: str, wanted: list[str]) -> None:
    """The wheels bring ROCm's libraries, and need a driver that is not older."""
    assert taken(amd={"rocm": rocm, "gfx": [gfx]}) == wanted


def test_intel_gpus_get_xpu() -> None:
    """2.10 added devices; on Windows as well."""
    assert taken(intel={"device-ip": ["20.1.0"]}) == ["xpu"]
    assert taken(intel={"device-ip": ["30.0.4"]}) == ["xpu >=2.10"]
    assert taken(intel={"device-ip": ["9.0.0"]}) == ["cpu"]
    windows = "windows-x86_64"
    assert taken(platform=windows, intel={"device-ip": ["20.1.0"]}) == ["xpu"]


def test_nvidia_comes_before_amd_and_intel() -> None:
    """The next is used if no backend has code for the first."""
    amd = {"rocm": "6.4", "gfx": ["gfx942"]}
    intel = {"device-ip": ["20.1.0"]}
    assert taken(nvidia=gpu("13.0", "9.0"), amd=amd, intel=intel)[0] == "cu132"
    assert taken(nvidia=gpu("13.0", "3.5"), amd=amd, intel=intel)[0] == "rocm6.4"
    assert taken(nvidia=gpu("13.0", "3.5"), intel=intel) == ["xpu"]


@pytest.mark.parametrize(
    "platform", ["linux-x86_64", "linux-aarch64", "windows-x86_64", "windows-arm64"]
)
def test_without_an_accelerator_it_is_the_build_for_processors(platform: str) -> None:
    """On each platform that has one."""
    assert taken(platform=platform) == ["cpu"]


@pytest.mark.parametrize("value", ["auto", "cpu", "cu130"])
def test_macs_have_no_backend(value: str) -> None:
    """They take torch from the default index."""
    assert choice(value, platform="macos-arm64") is None


def test_stated_properties_replace_the_hardware() -> None:
    """As for variants; an empty table says that there is nothing."""
    stated = {
        "nvidia": {
            "cuda_version_lower_bound": ["x", "12.4", "12.3"],
            "sm_arch": ["90_real", "90_virtual", "oops"],
        }
    }
    assert taken(properties=stated)[0] == "cu129"
    assert taken(properties={"nvidia": {}}, nvidia=gpu("13.0", "9.0")) == ["cpu"]
    amd = {"amd": {"rocm_version": ["6.4"], "gfx_arch": ["gfx942"]}}
    assert taken(properties=amd) == ["rocm6.4", "rocm6.3"]


def test_the_value_of_a_target_replaces_that_of_the_project() -> None:
    """An index is derived for each backend in use, the newest first."""
    descriptions = parse_targets(
        {
            "a": {"platform": "linux-x86_64", "torch-backend": "cu128"},
            "b": {"extends": "a"},
            "c": {"platform": "linux-x86_64"},
        },
        path="pyproject.toml",
        default_python="3.13",
        reserved=(),
        requires_python="",
    )
    found = torch_backends("cpu", descriptions, index_url="http://127.0.0.1/whl/")
    assert found is not None
    assert {name: each.value for name, each in found.by_target.items()} == {
        "a": "cu128",
        "b": "cu128",
        "c": "cpu",
    }
    assert [(each.name, each.url, each.absent) for each in found.indexes] == [
        ("torch-cu128", "http://127.0.0.1/whl/cu128", (403,)),
        ("torch-cpu", "http://127.0.0.1/whl/cpu", (403,)),
    ]
    assert all(each.explicit for each in found.indexes)
    only_target = torch_backends(None, descriptions, index_url=None)
    assert only_target is not None
    assert set(only_target.by_target) == {"a", "b"}
    assert torch_backends(None, descriptions[2:], index_url=None) is None
