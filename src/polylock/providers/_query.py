"""Query a provider plugin (PEP 850, "Plugin interface"); standard library only.

Runs in the isolated environment of the plugin: ``python -I _query.py FILE DISTRIBUTION
ENDPOINTS``. The endpoints that the distribution declares in the entry point group
``variant_plugins`` are tried first, then ENDPOINTS, separated by commas. An endpoint
that begins with ``=`` is the only one tried. The answer is written to FILE as JSON, as
a plugin may print anything; polylock validates all of it.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import itertools
import json
import sys
from typing import Any

_GROUP = "variant_plugins"
_MOST_FEATURES = 1000
_MOST_VALUES = 10_000


def main(arguments: list[str]) -> None:
    """Write the answer, or the error, to FILE."""
    path, distribution, endpoints = arguments
    answer: dict[str, Any]
    try:
        answer = _answer(distribution, endpoints)
    except BaseException as error:  # noqa: BLE001 - a plugin may raise anything
        answer = {"error": f"{type(error).__name__}: {error}"[:1000]}
    with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123 - no more imports
        json.dump(answer, file)


def _answer(distribution: str, endpoints: str) -> dict[str, Any]:
    endpoint, plugin = _load(distribution, endpoints)
    configs = _call(plugin)
    features = [
        {
            "name": config.name,
            "values": list(itertools.islice(iter(config.values), _MOST_VALUES + 1)),
            "multi-value": bool(getattr(config, "multi_value", False)),
        }
        for config in itertools.islice(iter(configs), _MOST_FEATURES + 1)
    ]
    return {
        "endpoint": endpoint,
        "namespace": getattr(plugin, "namespace", None),
        "features": features,
    }


def _load(distribution: str, endpoints: str) -> tuple[str, Any]:
    if endpoints.startswith("="):
        return endpoints[1:], _import(endpoints[1:])
    tried = [*_declared(distribution), *endpoints.split(",")]
    missing = []
    for endpoint in dict.fromkeys(tried):
        try:
            return endpoint, _import(endpoint)
        except (ImportError, AttributeError) as error:
            missing.append(f"{endpoint} ({error})")
    raise ImportError("no plugin: " + "; ".join(missing))


def _declared(distribution: str) -> list[str]:
    found = importlib.metadata.distribution(distribution).entry_points
    return [entry.value for entry in found if entry.group == _GROUP]


def _import(endpoint: str) -> Any:  # noqa: ANN401 - any object
    """Import the object at ``import.path:object.path``; instantiate a class."""
    module, _, names = endpoint.replace(" ", "").partition(":")
    found: Any = importlib.import_module(module)
    for name in filter(None, names.split(".")):
        found = getattr(found, name)
    if inspect.isclass(found):
        try:
            return found()
        except TypeError:  # the interface may consist of class methods
            return found
    return found


def _call(plugin: Any) -> Any:  # noqa: ANN401 - any result
    """Call the plugin; older versions of the interface take a context."""
    function = plugin.get_supported_configs
    try:
        inspect.signature(function).bind()
    except TypeError:
        return function(None)
    return function()


if __name__ == "__main__":
    main(sys.argv[1:])
