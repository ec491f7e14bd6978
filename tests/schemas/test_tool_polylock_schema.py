"""The JSON Schema of ``[tool.polylock]`` says what the parser says."""

from __future__ import annotations

import json
import tomllib
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import jsonschema  # type: ignore[import-untyped]  # ships no py.typed
import pytest

from fakes.projects import load_text
from polylock.errors import ProjectError
from polylock.model import inputs
from polylock.project.presets import preset_names
from polylock.project.targets import TARGET_KEYS
from polylock.project.tool_table import KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "schemas" / "tool-polylock.schema.json").read_text(
        encoding="utf-8"
    )
)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

LINUX = 'platform = "linux-x86_64"\n'
BOX = f'[tool.polylock.targets.box]\npython = "3.12"\n{LINUX}'
INDEX = '[[tool.polylock.index]]\nname = "a"\nurl = "https://a.example.com/simple"\n'
SOURCE = f"{INDEX}[tool.polylock.sources]\n"

VALID = {
    "nothing-but-a-target": BOX,
    "every-key": """
[tool.polylock]
python = ["3.12", "3.12.7", "3.13t", "pypy3.11"]
exclude-newer = 2026-11-01T00:00:00Z
constraint-dependencies = ["grpcio<1.70; os_name == 'nt'"]
override-dependencies = ["numpy[fast]>=2"]
resolution = "lowest"
prerelease = "disallow"
align = "independent"
default-target = "h100"
exclude-variants = ["a", "a::b", "a :: b :: 1.0", "torch@cu130"]
prefer-variants = ["blas_lapack :: provider :: openblas"]
require-variants = { torch = "nvidia", Jax = ["amd", "jax@cuda"] }
enable-providers = ["tpu"]
build = "all"
build-package = ["docopt"]
no-build-package = ["a"]
no-binary-package = ["b"]
ignored-settings = ["tool.uv.index[0]", "tool.poetry"]
[[tool.polylock.index]]
name = "wheels"
url = "https://user@wheels.example.com:8080/simple/"
explicit = false
[[tool.polylock.index]]
name = "local"
url = "file:///srv/simple"
format = "simple"
[[tool.polylock.index]]
name = "vendored"
url = "../wheels"
format = "flat"
[tool.polylock.sources]
torch = [
  { index = "local", properties = ["nvidia :: sm_arch :: 90_real"] },
  { index = "wheels", targets = ["h100"] },
]
[tool.polylock.targets.h100]
platform = "linux-x86_64"
libc = "glibc-2.34"
python = "3.12"
cpu = "sapphirerapids"
nvidia = { driver = "13.0", compute = ["9.0"] }
intel = { device-ip = ["20.1.0"] }
ascend = { npu = "910b", driver = "25.0", cann = "8.1" }
tpu = true
runs-on = "gpu-h100"
dependencies = ["nvidia-ml-py"]
[tool.polylock.targets.mi300x]
extends = "h100"
nvidia = false
amd = { rocm = "6.4", gfx = ["gfx942", "gfx90a", "gfx1100"] }
cpu = { level = "v3", features = ["avx512_bf16", "-vaes"] }
runs-on = ["self-hosted", "amd"]
[tool.polylock.targets.mac]
platform = "macos-arm64"
macos = "14.0"
cpu = "m3"
require-variants = { torch = [] }
exclude-variants = []
prefer-variants = ["blas_lapack"]
[tool.polylock.targets.custom]
preset = "linux-x86_64"
properties = { myns = { feature = ["v2", "v1"] } }
""",
    "exclude-newer-date": f"[tool.polylock]\nexclude-newer = 2026-11-01\n{BOX}",
    "exclude-newer-span": f'[tool.polylock]\nexclude-newer = "7 days"\n{BOX}',
    "exclude-newer-spans": f"""
[tool.polylock]
required-version = ">=0.0.1"
exclude-newer = "1d, 12 hrs ago"
exclude-newer-package = {{ a = "P1W2DT3H", b = false, c = "2026-11-01", d-e = "pt5m" }}
{BOX}venv = ".venv-box"
""",
    "exclude-newer-text": f'[tool.polylock]\nexclude-newer = "2026-11-01"\n{BOX}',
    "parts-of-a-preset": """
[tool.polylock]
python = "3.12"
[tool.polylock.targets.a]
preset = "h100"
nvidia = { compute = ["9.0", "8.0"] }
[tool.polylock.targets.b]
preset = "mi300x"
amd = { rocm = "7.2" }
[tool.polylock.targets.c]
extends = "b"
amd = { gfx = ["gfx950"] }
""",
    "musl": f'{BOX}libc = "musl-1.2"\n',
    "no-gpu": f"{BOX}nvidia = false\ntpu = false\n",
    "direct": f"""
[tool.polylock]
override-dependencies = ["b @ git+ssh://git@example.com/b.git@v1#subdirectory=x"]
[tool.polylock.sources]
a = {{ path = "../a", editable = true }}
b-c = [{{ git = "../b", branch = "main", subdirectory = "x/y", targets = ["box"] }}]
d = {{ url = "https://example.com/d-1.0.tar.gz" }}
{BOX}dependencies = [
  "e @ https://example.com/e-1.0-py3-none-any.whl ; os_name == 'posix'",
  "f[x] @ file:///srv/f",
]
""",
    "cpu-level": f'{BOX}cpu = "x86-64-v3"\n',
}

TOOL_FAULTS = {
    "python": ['"2.7"', '"3"', "3.12", "[]", "[3.12]", '"3.12t"', '"jython3.12"'],
    "exclude-newer": [
        '"7 fortnights"',
        '"1 month"',
        '"P1M"',
        '"P"',
        '"2026-11-01T00:00:00"',
        "1",
        "false",
        "10:00:00",
    ],
    "exclude-newer-package": ['"7 days"', "{ a = true }", '{ a = "soon" }', "[1]"],
    "required-version": ["1"],
    "constraint-dependencies": [
        '"a"',
        "[1]",
        '["a @ https://example.com/a.zip"]',
        '["?"]',
    ],
    "override-dependencies": ["{}", '[""]', '["./a"]', '["a @ hg+https://x"]'],
    "resolution": ['"newest"', "1"],
    "prerelease": ['"never"', "true"],
    "align": ['"strict"'],
    "default-target": ["1", "[]"],
    "exclude-variants": ['"nvidia"', '["A"]', '["a :: b :: c :: d"]', '["torch@"]'],
    "prefer-variants": ['["a::"]', '["@x"]', '["torch@CU"]', "[1]"],
    "require-variants": ['["a"]', "{ torch = 1 }", '{ torch = "A" }', '{ "-" = "a" }'],
    "enable-providers": ['["a-b"]', '"tpu"'],
    "build": ['"some"', "false"],
    "build-package": ['["-a"]', '"a"', "[1]"],
    "no-build-package": ['["a b"]'],
    "no-binary-package": ['[""]'],
    "index": ["[1]", "{}", "[{}]", '[{ name = "a" }]', '[{ url = "https://x" }]'],
    "sources": ["[]", "{ a = {} }", "{ a = [] }", "{ a = [{}] }", "{ a = 1 }"],
    "algin": ['"prefer"'],
}
INDEX_FAULTS = [
    'name = "a b"\nurl = "https://a.example.com"\n',
    'name = "default"\nurl = "https://a.example.com"\n',
    'name = "a"\nurl = "ftp://a.example.com"\n',
    'name = "a"\nurl = "a.example.com"\n',
    'name = "a"\nurl = "https:///simple"\n',
    'name = "a"\nurl = "wheels"\n',
    'name = "a"\nurl = "./wheels"\nformat = "find-links"\n',
    'name = "a"\nurl = "https://a.example.com/?x=1"\n',
    'name = "a"\nurl = "https://a.example.com"\nexplicit = "yes"\n',
    'name = "a"\nurl = "https://a.example.com"\ndefault = true\n',
]
SOURCE_FAULTS = [
    'a = { index = "a", path = "../a" }',
    'a = { path = "../a", tag = "v1" }',
    'a = { git = "../a", tag = "v1", branch = "main" }',
    'a = { url = "https://example.com/a" }',
    'a = { url = "https://example.com/a.zip", editable = true }',
    'a = { path = "" }',
    'a = { path = "../a", editable = "yes" }',
    "a = [1]",
    "a = [{ index = 1 }]",
    'a = [{ index = "a", targets = "box" }]',
    'a = [{ index = "a", targets = [] }]',
    'a = [{ index = "a", properties = ["a :: b"] }]',
    'a = [{ index = "a", properties = [] }]',
    'a = [{ index = "a", marker = "x" }]',
    '"a b" = [{ index = "a" }]',
]
TARGET_FAULTS = [
    'platform = "linux"',
    'platform = "plan9-x86_64"',
    'platform = "linux-riscv64"',
    f'{LINUX}libc = "uclibc-1.0"',
    f'{LINUX}libc = "glibc-2"',
    'platform = "macos-arm64"\nmacos = 14',
    f'{LINUX}python = "3"',
    f"{LINUX}python = []",
    f"{LINUX}cpu = 3",
    f"{LINUX}cpu = {{ levels = 'v3' }}",
    f"{LINUX}cpu = {{ level = 'v3', features = 'avx2' }}",
    f"{LINUX}cpu = {{ level = 'v3', microarchitecture = 'haswell' }}",
    f"{LINUX}nvidia = true",
    f"{LINUX}nvidia = {{}}",
    f"{LINUX}nvidia = {{ driver = 13.0 }}",
    f"{LINUX}nvidia = {{ driver = '13.0', compute = ['sm_90'] }}",
    f"{LINUX}nvidia = {{ driver = '13.0', arch = ['9.0'] }}",
    f"{LINUX}amd = {{ rocm = '6.4' }}",
    f"{LINUX}amd = {{ rocm = '6.4', gfx = ['942'] }}",
    f"{LINUX}amd = {{ rocm = '6.4', gfx = [] }}",
    f"{LINUX}intel = {{ device-ip = ['20.1'] }}",
    f"{LINUX}ascend = {{ driver = '25.0' }}",
    f"{LINUX}tpu = 'v5'",
    f"{LINUX}runs-on = [1]",
    f"{LINUX}dependencies = 'a'",
    f"{LINUX}dependencies = ['a @ https://example.com/a']",
    f"{LINUX}gpu = 'h100'",
    'preset = "no-such-machine"',
    'preset = "linux-x86_64"\nextends = "box"',
    f"{LINUX}properties = {{ A = {{ b = ['c'] }} }}",
    f"{LINUX}properties = {{ a = {{ B = ['c'] }} }}",
    f"{LINUX}properties = {{ a = {{ b = [] }} }}",
    f"{LINUX}properties = {{ a = {{ b = ['C'] }} }}",
    f"{LINUX}properties = {{ a = ['b'] }}",
    f"{LINUX}properties = {{ abi_dependency = {{ torch = ['2.9'] }} }}",
    'runs-on = "x"',
]


def invalid() -> Iterator[str]:
    """Yield texts, each with one fault that schema and parser can both see."""
    for key, values in TOOL_FAULTS.items():
        for value in values:
            yield f"[tool.polylock]\n{key} = {value}\n{BOX}"
    for table in INDEX_FAULTS:
        yield f"[[tool.polylock.index]]\n{table}{BOX}"
    for entry in SOURCE_FAULTS:
        yield f"{SOURCE}{entry}\n{BOX}"
    for table in TARGET_FAULTS:
        python = "" if "python" in table else 'python = "3.12"\n'
        yield f"{BOX}[tool.polylock.targets.bad]\n{python}{table}\n"
    for name in ("A", "a_b", '"a b"', "a--b"):
        yield f'[tool.polylock.targets.{name}]\npython = "3.12"\n{LINUX}'
    yield "[tool.polylock]\n"
    yield "[tool.polylock.targets]\n"
    yield "[tool.polylock]\ntargets = []\n"


def as_json(value: Any) -> Any:  # noqa: ANN401 - whatever TOML can hold
    """Return TOML data as JSON: dates and times become text, as editors do it."""
    match value:
        case dict():
            return {key: as_json(inner) for key, inner in value.items()}
        case list():
            return [as_json(inner) for inner in value]
        case datetime() | date() | time():
            return value.isoformat()
        case _:
            return value


def tool_table(text: str) -> object:
    """Return ``[tool.polylock]`` of a text as JSON."""
    return as_json(tomllib.loads(text)["tool"]["polylock"])


def test_the_schema_is_valid() -> None:
    """The schema is a JSON Schema of the version that it names."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("text", VALID.values(), ids=VALID)
def test_valid_for_both(tmp_path: Path, text: str) -> None:
    """What the parser reads the schema allows."""
    load_text(tmp_path, text)
    VALIDATOR.validate(tool_table(text))


@pytest.mark.parametrize("text", list(invalid()))
def test_invalid_for_both(tmp_path: Path, text: str) -> None:
    """What the parser refuses the schema refuses."""
    with pytest.raises(ProjectError):
        load_text(tmp_path, text)
    assert not VALIDATOR.is_valid(tool_table(text))


def test_same_keys() -> None:
    """Schema and parser know the same keys, and each is described."""
    assert list(SCHEMA["properties"]) == list(KEYS)
    target = SCHEMA["$defs"]["target"]["properties"]
    assert sorted(target) == sorted(TARGET_KEYS)
    for name, schema in (SCHEMA["properties"] | target).items():
        assert schema.get("description"), name


@pytest.mark.parametrize(
    ("key", "choices"),
    [
        ("resolution", inputs.ResolutionMode),
        ("prerelease", inputs.PrereleasePolicy),
        ("align", inputs.Alignment),
        ("build", inputs.BuildPolicy),
    ],
)
def test_same_choices(key: str, choices: object) -> None:
    """Choices and defaults are those of Inputs."""
    schema = SCHEMA["properties"][key]
    assert schema["enum"] == list(get_args(choices))
    assert schema["default"] == getattr(inputs.Inputs(), key)


def test_same_presets() -> None:
    """The schema lists the presets that there are."""
    assert SCHEMA["$defs"]["target"]["properties"]["preset"]["enum"] == list(
        preset_names()
    )
