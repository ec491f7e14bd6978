"""A plugin is run apart, within limits, and its answer is trusted in nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fakes.pythons import sites_of, this_python
from polylock.environment.venv import create
from polylock.errors import ProviderFailed
from polylock.providers.plugin import (
    PluginAnswer,
    PluginRequest,
    ask_plugin,
    endpoints,
    plugin_variables,
    spellings,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PLUGIN = """
class Config:
    def __init__(self, name, values):
        self.name, self.values, self.multi_value = name, values, False
"""
GOOD = f"""{PLUGIN}
namespace = "fruit"
def get_supported_configs():
    return [Config("kind", ["pear", "apple"]), Config("none", [])]
"""


class Box:
    """An environment that holds one plugin, without an installer."""

    def __init__(self, python: Path, home: Path) -> None:
        self.python = python
        self.site = sites_of(python.parents[1])[0]
        self.home = home
        self.home.mkdir()

    def install(
        self, code: str, *, module: str = "fruit_provider", entry_point: str = ""
    ) -> None:
        """Put the plugin's code there, with the metadata of its distribution."""
        (self.site / f"{module}.py").write_text(code, encoding="utf-8")
        info = self.site / "fruit_provider-1.0.dist-info"
        info.mkdir(exist_ok=True)
        metadata = "Metadata-Version: 2.1\nName: fruit-provider\nVersion: 1.0\n"
        (info / "METADATA").write_text(metadata, encoding="utf-8")
        if entry_point:
            text = f"[variant_plugins]\nanything = {entry_point}\n"
            (info / "entry_points.txt").write_text(text, encoding="utf-8")

    def ask(self, **changed: Any) -> PluginAnswer:  # noqa: ANN401  # of any field
        """Ask the plugin; keywords are fields of the request."""
        variables: Mapping[str, str] = changed.pop("variables", {})
        return ask_plugin(
            PluginRequest(
                package=changed.pop("package", "fruit-provider"),
                python=self.python,
                directory=self.home,
                variables=variables,
                **changed,
            )
        )


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of an environment for all tests: to make one takes long."""
    directory = tmp_path_factory.mktemp("plugins") / "environment"
    return create(directory, this_python())


@pytest.fixture
def box(python: Path, tmp_path: Path) -> Iterator[Box]:
    """Return an environment without a plugin."""
    box = Box(python, tmp_path / "home")
    yield box
    for path in (*box.site.glob("*.py"), *box.site.glob("*.dist-info/*")):
        path.unlink()


def test_answer_keeps_the_order(box: Box) -> None:
    """Features and values come as the plugin orders them; empty ones are told apart."""
    box.install(GOOD)
    answer = box.ask()
    assert answer == PluginAnswer(
        namespace="fruit",
        features={"kind": ("pear", "apple")},
        endpoint="fruit_provider",
        ignored=("none",),
    )


CLASSES = {
    "class method with context": """
class Plugin:
    namespace = "fruit"
    @classmethod
    def get_supported_configs(cls, context=None): return CONFIGS
""",
    "method": """
class Plugin:
    namespace = "fruit"
    def get_supported_configs(self): return CONFIGS
""",
    "older method": """
class Plugin:
    namespace = "fruit"
    def get_supported_configs(self, context): return iter(CONFIGS)
""",
    "static method": """
class Plugin:
    namespace = "fruit"
    def __init__(self, needed): pass
    @staticmethod
    def get_supported_configs(): return tuple(CONFIGS)
""",
}


@pytest.mark.parametrize("code", CLASSES.values(), ids=CLASSES)
def test_interfaces_of_published_plugins_are_called(box: Box, code: str) -> None:
    """Classes of each published form answer, found by their entry point."""
    code = f"{PLUGIN}\nCONFIGS = [Config('kind', ('pear',))]\n{code}\n"
    box.install(code, module="other", entry_point="other:Plugin")
    answer = box.ask()
    assert answer.features == {"kind": ("pear",)}
    assert answer.endpoint == "other:Plugin"


def test_endpoint_that_is_given_is_the_only_one(box: Box) -> None:
    """A ``plugin-api`` of metadata is taken as it is, and nothing in its place."""
    box.install(GOOD)
    assert box.ask(endpoint="fruit_provider").namespace == "fruit"
    with pytest.raises(ProviderFailed, match="No module named 'absent'"):
        box.ask(endpoint="absent:Plugin")


ONE = f"{PLUGIN}\ndef get_supported_configs(): return [Config('a', VALUES)]\n"
TWICE = f"{PLUGIN}\ndef get_supported_configs(): return [Config('a', ['b'])] * 2\n"
ENDLESS_FEATURES = f"""{PLUGIN}
import itertools
def get_supported_configs():
    return (Config(f"f{{i}}", ["b"]) for i in itertools.count())
"""
ENDLESS_VALUES = f"import itertools\nVALUES = map(str, itertools.count())\n{ONE}"
NOTHING = "def get_supported_configs(): return []"
HOSTILE = {
    "raises": ("def get_supported_configs(): raise RuntimeError('no GPU')", "no GPU"),
    "raises at import": ("raise ValueError('x')", "it raised ValueError: x"),
    "exits": ("import sys; sys.exit(3)", "it raised SystemExit: 3"),
    "exits hard": ("import os; os._exit(7)", "it ended with status 7 and no answer"),
    "no interface": ("x = 1", "has no attribute 'get_supported_configs'"),
    "no list": ("def get_supported_configs(): return 3", "it raised TypeError"),
    "values no list": (f"VALUES = None\n{ONE}", "it raised TypeError"),
    "name of a tree": (
        "VALUES = ['b']\n" + ONE.replace("'a'", "'../a'"),
        "'../a' is not a valid feature name",
    ),
    "upper case": (f"VALUES = ['B']\n{ONE}", "a has the invalid value 'B'"),
    "number": (f"VALUES = [1]\n{ONE}", "a has the invalid value 1"),
    "control characters": (f"VALUES = ['\\x1b[3m']\n{ONE}", "has the invalid value"),
    "long value": (f"VALUES = ['b' * 999]\n{ONE}", "has the invalid value"),
    "same feature twice": (TWICE, "it names a feature twice"),
    "endless features": (ENDLESS_FEATURES, "it has more than 200 features"),
    "endless values": (ENDLESS_VALUES, "a has more than 2000 values"),
    "huge output": ("while True: print('x' * 100_000)", "it printed more than"),
    "reserved": (f"namespace = 'abi_dependency'\n{NOTHING}", "is reserved"),
    "no namespace": (NOTHING, "it does not name its namespace"),
    "not a namespace": (
        f"namespace = 'A B'\n{NOTHING}",
        "'A B' is not a valid namespace",
    ),
    "namespace of another": (
        f"namespace = 'nvidia'\n{NOTHING}",
        "it answers for nvidia, whose providers are nvidia-variant-provider",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_plugin_is_an_error_in_words(box: Box, case: str) -> None:
    """Whatever a plugin does, it costs its answer and no more."""
    code, message = HOSTILE[case]
    box.install(code)
    with pytest.raises(ProviderFailed) as caught:
        box.ask()
    assert message in str(caught.value)
    assert caught.value.hint()


def test_plugin_that_hangs_is_stopped(box: Box) -> None:
    """Its time is limited."""
    box.install("import time\ndef get_supported_configs(): time.sleep(600)")
    with pytest.raises(ProviderFailed, match=r"did not answer within 1 seconds"):
        box.ask(seconds=1.0)


def test_what_a_plugin_prints_is_not_its_answer(box: Box) -> None:
    """Garbage on both streams does no harm, and is shown where the plugin fails."""
    noise = (
        "import sys\nprint('{\"features\": []}', flush=True)\n"
        "sys.stderr.write('\\x1b[31mno')\n"
    )
    box.install(noise + GOOD)
    assert box.ask().features == {"kind": ("pear", "apple")}
    box.install(f"{noise}\nraise ValueError")
    with pytest.raises(ProviderFailed) as caught:
        box.ask()
    assert caught.value.details() == ('{"features": []}', "?[31mno")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "its answer is not JSON"),
        ("[]", "its answer is not a table"),
        ("{}", "its answer has no list of features"),
        ('{"features": [3]}', "a feature is not a table"),
        ('{"features": [{"name": "a", "values": 3}]}', "a has no list of values"),
        ("[" * 100_000, "its answer is not JSON"),
        ('{"x": "' + "y" * 2_000_000 + '"}', "its answer has more than"),
    ],
    ids=["empty", "list", "no features", "number", "no values", "deep", "huge"],
)
def test_forged_answer_is_judged_like_any_other(
    box: Box, content: str, message: str
) -> None:
    """A plugin that writes the answer itself gains nothing by it."""
    (box.site / "forged.json").write_text(content, encoding="utf-8")
    box.install(
        "import os, pathlib, sys\n"
        "forged = pathlib.Path(__file__).with_name('forged.json')\n"
        "pathlib.Path(sys.argv[1]).write_bytes(forged.read_bytes())\n"
        "os._exit(0)\n"
    )
    with pytest.raises(ProviderFailed, match=message):
        box.ask()


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_answer_that_is_a_link_is_none(box: Box) -> None:
    """A plugin cannot have another file read in its answer's place."""
    box.install("import os, sys\nos.symlink(__file__, sys.argv[1])\nos._exit(0)")
    with pytest.raises(ProviderFailed, match="no answer"):
        box.ask()


def test_namespace_is_the_one_that_was_asked_for(box: Box) -> None:
    """The caller decides the namespace where it says one, and no plugin another."""
    box.install(GOOD)
    with pytest.raises(ProviderFailed, match="answers for fruit, not for nuts"):
        box.ask(namespace="nuts")
    box.install(GOOD.replace('namespace = "fruit"', ""))
    assert box.ask(namespace="nuts").namespace == "nuts"
    box.install(GOOD.replace("fruit", "nvidia"))
    assert box.ask(namespace="nvidia").namespace == "nvidia"


def test_known_package_answers_for_its_own_namespace() -> None:
    """Both spellings of a CPU provider are one; others have one name."""
    assert spellings("X86_64.Variant-Provider") == (
        "x86-64-variant-provider",
        "provider-variant-x86-64",
    )
    assert spellings("Fruit_Provider") == ("fruit-provider",)


@pytest.mark.parametrize(
    ("package", "found"),
    [
        ("fruit-provider", ("fruit_provider",)),
        (
            "provider-variant-aarch64",
            (
                "provider_variant_aarch64.plugin:AArch64Plugin",
                "provider_variant_aarch64",
            ),
        ),
    ],
)
def test_endpoint_is_the_packages_name_by_default(
    package: str, found: tuple[str, ...]
) -> None:
    """Published packages that have another one are known (PEP 850, plugin-api)."""
    assert endpoints(package) == found


def test_plugin_sees_few_variables(tmp_path: Path) -> None:
    """No credentials and no home; what tells where drivers are stays."""
    variables = {
        "PATH": "/bin",
        "HOME": "/home/me",
        "POLYLOCK_INDEX_A_PASSWORD": "secret",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "ROCM_PATH": "/opt/rocm",
        "NV_VARIANT_PROVIDER_FORCE_SM_ARCH": "9.0",
        "PYTHONPATH": "/evil",
    }
    found = plugin_variables(variables, tmp_path)
    assert found == {
        "PATH": "/bin",
        "ROCM_PATH": "/opt/rocm",
        "NV_VARIANT_PROVIDER_FORCE_SM_ARCH": "9.0",
        "HOME": str(tmp_path),
        "TEMP": str(tmp_path),
        "TMP": str(tmp_path),
        "TMPDIR": str(tmp_path),
        "USERPROFILE": str(tmp_path),
    }


def test_plugin_runs_with_those_variables_alone(box: Box) -> None:
    """The process of a plugin has nothing of this one's environment."""
    box.install(
        f"{PLUGIN}\nimport os\nnamespace = 'fruit'\ndef get_supported_configs():\n"
        " names = [n.lower() for n in os.environ if n.isidentifier()]\n"
        " return [Config('variables', names), Config('home', ['empty'])]\n"
    )
    found = box.ask(variables={"PATH": "/bin", "SECRET_TOKEN": "x"}).features
    assert "path" in found["variables"]
    assert "secret_token" not in found["variables"]
    assert "pytest_current_test" not in found["variables"]
