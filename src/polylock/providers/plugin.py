"""Provider plugins, run in an isolated environment, and validation of their answers.

Only ``polylock detect --trust-provider`` uses this.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from polylock.errors import ProviderFailed
from polylock.providers.command import CommandHangs, run_command
from polylock.values import Value
from polylock.variants.authority import PROVIDER_PACKAGES
from polylock.variants.properties import (
    is_feature_name,
    is_feature_value,
    is_namespace,
)
from polylock.variants.variant_schema import ABI_DEPENDENCY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "PLUGIN_SECONDS",
    "PluginAnswer",
    "PluginRequest",
    "ask_plugin",
    "endpoints",
    "plugin_variables",
    "spellings",
]

PLUGIN_SECONDS = 60.0
"""Time limit of a plugin; the tools that plugins run are limited to ten seconds."""

_ENDPOINTS = {
    "nvidia-variant-provider": "nvidia_variant_provider.plugin:NvidiaVariantPlugin",
    "provider-variant-x86-64": "provider_variant_x86_64.plugin:X8664Plugin",
    "provider-variant-aarch64": "provider_variant_aarch64.plugin:AArch64Plugin",
    "amd-variant-provider": "amd_variant_provider.plugin:AMDVariantPlugin",
    "intel-variant-provider": "intel_variant_provider.plugin:IntelVariantPlugin",
    "huawei-ascend-variant-provider": (
        "huawei_ascend_variant_provider.plugin:AscendVariantPlugin"
    ),
    "ascend-variant-provider": "ascend_variant_provider.plugin:AscendVariantPlugin",
    "tpu-variant-provider": "tpu_variant_provider.plugin:TpuVariantPlugin",
}
"""Endpoints of published packages that are not the default one."""

_VARIABLES = frozenset(
    {
        "ASCEND_TOOLKIT_HOME",
        "COMSPEC",
        "LD_LIBRARY_PATH",
        "PATH",
        "PATHEXT",
        "PROGRAMFILES",
        "ROCM_PATH",
        "SYSTEMDRIVE",
        "SYSTEMROOT",
        "WINDIR",
    }
)
_FORCED = "_VARIANT_PROVIDER_FORCE_"
_OUTPUT_BYTES = 1 << 20
_ANSWER_BYTES = 1 << 20
_MOST_FEATURES = 200
_MOST_VALUES = 2000
_LONGEST_NAME = 200
_SHOWN_LINES = 10
_QUERY = Path(__file__).with_name("_query.py")


class PluginRequest(Value, frozen=True, kw_only=True):
    """A plugin to run.

    ``python`` is that of its environment, ``directory`` an empty one for its use.
    ``endpoint`` is None for the one that the package declares, ``namespace`` None for
    the one that the plugin returns.
    """

    package: str
    python: Path
    directory: Path
    variables: Mapping[str, str]
    endpoint: str | None = None
    namespace: str | None = None
    seconds: float = PLUGIN_SECONDS


class PluginAnswer(Value, frozen=True, kw_only=True):
    """The answer of a plugin: features and values, the most preferred first.

    ``ignored`` are the features without a value, which are not supported.
    """

    namespace: str
    features: Mapping[str, tuple[str, ...]]
    endpoint: str
    ignored: tuple[str, ...] = ()


def spellings(package: str) -> tuple[str, ...]:
    """Return the equivalent names of a provider package, the given one first."""
    name = canonicalize_name(package)
    for names in PROVIDER_PACKAGES.values():
        if name in names:
            return (name, *(other for other in names if other != name))
    return (name,)


def endpoints(package: str) -> tuple[str, ...]:
    """Return the endpoints to try for a package, besides those that it declares.

    The default is the package's name with underscores (PEP 850, ``plugin-api``).
    """
    default = canonicalize_name(package).replace("-", "_")
    published = _ENDPOINTS.get(canonicalize_name(package))
    return (published, default) if published else (default,)


def plugin_variables(variables: Mapping[str, str], directory: Path) -> dict[str, str]:
    """Return the environment variables of a plugin.

    It gets the paths of programs and drivers, the variables that override published
    providers, no credentials, and an empty home directory.
    """
    kept = {
        name: value
        for name, value in variables.items()
        if name.upper() in _VARIABLES or _FORCED in name
    }
    home = dict.fromkeys(("HOME", "TEMP", "TMP", "TMPDIR", "USERPROFILE"), directory)
    return kept | {name: str(path) for name, path in home.items()}


def ask_plugin(request: PluginRequest) -> PluginAnswer:
    """Run a plugin and return its answer; raises ProviderFailed."""
    file = request.directory / "answer.json"
    wanted = ",".join(endpoints(request.package))
    if request.endpoint is not None:
        wanted = f"={request.endpoint}"
    command = (str(request.python), "-I", "-B", str(_QUERY))
    try:
        ran = run_command(
            (*command, str(file), request.package, wanted),
            seconds=request.seconds,
            limit=_OUTPUT_BYTES,
            variables=plugin_variables(request.variables, request.directory),
            directory=request.directory,
        )
    except CommandHangs as error:
        step = f"it did not answer within {request.seconds:g} seconds"
        raise ProviderFailed(request.package, step) from error
    if ran is None:
        raise ProviderFailed(request.package, "its Python cannot be started")
    output = _tail(ran.text)
    if ran.cut:
        step = f"it printed more than {_OUTPUT_BYTES} bytes"
        raise ProviderFailed(request.package, step, output)
    content = _read(file)
    if content is None:
        step = f"it ended with status {ran.status} and no answer"
        raise ProviderFailed(request.package, step, output)
    return _AnswerValidator(request, output).answer(content)


class _AnswerValidator(Value, frozen=True):
    """Validates the answer of a plugin; raises ProviderFailed."""

    request: PluginRequest
    output: tuple[str, ...]

    def fail(self, step: str) -> ProviderFailed:
        return ProviderFailed(self.request.package, step, self.output)

    def answer(self, content: bytes) -> PluginAnswer:
        if len(content) > _ANSWER_BYTES:
            raise self.fail(f"its answer has more than {_ANSWER_BYTES} bytes")
        try:
            found = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise self.fail("its answer is not JSON") from error
        if not isinstance(found, dict):
            raise self.fail("its answer is not a table")
        if "error" in found:
            raise self.fail(f"it raised {_plain(str(found['error']))}")
        features = found.get("features")
        if not isinstance(features, list):
            raise self.fail("its answer has no list of features")
        if len(features) > _MOST_FEATURES:
            raise self.fail(f"it has more than {_MOST_FEATURES} features")
        lists = dict(map(self._feature, features))
        if len(lists) != len(features):
            raise self.fail("it names a feature twice")
        return PluginAnswer(
            namespace=self._namespace(found.get("namespace")),
            features={name: values for name, values in lists.items() if values},
            endpoint=_plain(str(found.get("endpoint"))),
            ignored=tuple(name for name, values in lists.items() if not values),
        )

    def _feature(self, feature: object) -> tuple[str, tuple[str, ...]]:
        if not isinstance(feature, dict):
            raise self.fail("a feature is not a table")
        name, values = feature.get("name"), feature.get("values")
        if not isinstance(name, str) or not _fits(name, is_feature_name):
            raise self.fail(f"{_shown(name)} is not a valid feature name")
        if not isinstance(values, list):
            raise self.fail(f"{name} has no list of values")
        if len(values) > _MOST_VALUES:
            raise self.fail(f"{name} has more than {_MOST_VALUES} values")
        for value in values:
            if not isinstance(value, str) or not _fits(value, is_feature_value):
                raise self.fail(f"{name} has the invalid value {_shown(value)}")
        return name, tuple(dict.fromkeys(values))

    def _namespace(self, said: object) -> str:
        """Return the namespace of the answer.

        The package or the caller decides it, if either is known: a plugin must not
        answer for a namespace other than the one requested.
        """
        request = self.request
        if said is not None and not (
            isinstance(said, str) and _fits(said, is_namespace)
        ):
            raise self.fail(f"{_shown(said)} is not a valid namespace")
        name = canonicalize_name(request.package)
        owners = {
            package: namespace
            for namespace, packages in PROVIDER_PACKAGES.items()
            for package in packages
        }
        expected = request.namespace or owners.get(name)
        if expected is None and said in PROVIDER_PACKAGES:
            packages = " and ".join(PROVIDER_PACKAGES[str(said)])
            raise self.fail(
                f"it answers for {said}, whose providers are {packages}; "
                f"allow it with --provider-namespace {said}"
            )
        if expected is not None and said is not None and said != expected:
            raise self.fail(f"it answers for {said}, not for {expected}")
        namespace = expected or said
        if namespace is None:
            raise self.fail(
                "it does not name its namespace; give it with --provider-namespace"
            )
        if namespace == ABI_DEPENDENCY:
            raise self.fail(f"{ABI_DEPENDENCY} is reserved and has no provider")
        return str(namespace)


def _fits(text: str, rule: Callable[[str], bool]) -> bool:
    return len(text) <= _LONGEST_NAME and rule(text)


def _read(file: Path) -> bytes | None:
    """Return the answer, None if there is none; a plugin may write anything there."""
    try:
        if file.is_symlink() or not file.is_file():
            return None
        with file.open("rb") as stream:
            return stream.read(_ANSWER_BYTES + 1)
    except OSError:
        return None


def _shown(value: object) -> str:
    return _plain(repr(value))


def _plain(text: str) -> str:
    """Return untrusted text, shortened and without control characters."""
    short = text if len(text) <= _LONGEST_NAME else f"{text[:_LONGEST_NAME]}…"
    return "".join(c if c.isprintable() else "?" for c in short)


def _tail(text: str) -> tuple[str, ...]:
    lines = [_plain(line.rstrip()) for line in text.splitlines()[-_SHOWN_LINES:]]
    return tuple(line for line in lines if line)
