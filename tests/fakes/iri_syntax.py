"""Lets jsonschema load the grammars of IRIs when an IRI is checked.

It checks the formats ``iri`` and ``iri-reference`` by ``rfc3987_syntax``, which builds
38 parsers when it is imported. That takes 2.5 s in each process of the tests, most of
which check no IRI.
"""

from __future__ import annotations

import functools
import importlib
import sys
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["load_late"]

_MODULE = "rfc3987_syntax"


def load_late() -> None:
    """Put a module in its place that loads it when it is first used."""
    if _MODULE in sys.modules or find_spec(_MODULE) is None:
        return
    module = ModuleType(_MODULE)
    module.is_valid_syntax = _is_valid_syntax  # type: ignore[attr-defined]
    sys.modules[_MODULE] = module


def _is_valid_syntax(term: str, value: str) -> bool:
    return _loaded()(term, value)


@functools.cache
def _loaded() -> Callable[[str, str], bool]:
    sys.modules.pop(_MODULE, None)
    found: Callable[[str, str], bool] = importlib.import_module(_MODULE).is_valid_syntax
    return found
