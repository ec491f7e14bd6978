"""Modules that others import and that hardly any command uses, imported on first use.

click and packaging import ``inspect``, ``subprocess`` and more for functions that a
lock, a check or a sync never calls: together they are a tenth of its time. ``put_off``
leaves something in their place that imports the module when it is asked for anything.

Only for modules of the standard library that are imported whole, ``import inspect``,
and where nothing is taken from at once: ``from inspect import signature`` imports at
once, as ever. The standard library's own ``importlib.util.LazyLoader`` would look for
each of them on disk, and takes two threads at once amiss before Python 3.12.
"""

from __future__ import annotations

import sys
from _thread import allocate_lock
from contextlib import suppress
from importlib import import_module
from types import FunctionType, ModuleType
from typing import Any, cast

__all__ = ["PUT_OFF", "put_off"]

PUT_OFF = (
    "inspect",
    "ipaddress",
    "platform",
    "selectors",
    "signal",
    "subprocess",
    "sysconfig",
    "textwrap",
    "tokenize",
)
"""What is put off. One that nobody imports with this Python costs nothing."""

_COROUTINE = 0x80  # inspect.CO_COROUTINE

_lock = allocate_lock()


class _Later(ModuleType):
    """Stands for a module until something of it is asked for, and passes on to it."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - a module has anything
        with _lock:
            if sys.modules.get(self.__name__) is self:
                del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)


class _Inspect(_Later):
    """``inspect``, but for what it is asked each time, answered where that is easy."""

    def cleandoc(self, text: str) -> str:
        """Return a line as it is: click cleans the help of each option."""
        if "\n" not in text and "\t" not in text and text == text.lstrip():
            return text
        cleaned: str = self.__getattr__("cleandoc")(text)
        return cleaned

    def iscoroutinefunction(self, function: object) -> bool:
        """Look at a plain function: from Python 3.13 on ``warnings.deprecated`` asks.

        packaging marks methods by that while it is imported.
        """
        if type(function) is FunctionType and not function.__dict__:
            return bool(function.__code__.co_flags & _COROUTINE)
        answer: bool = self.__getattr__("iscoroutinefunction")(function)
        return answer


def put_off() -> None:
    """Put off the import of those modules that nobody has imported yet."""
    for name in PUT_OFF:
        if name not in sys.modules:
            sys.modules[name] = (_Inspect if name == "inspect" else _Later)(name)
    _import_msgspec()


def _import_msgspec() -> None:
    """Import msgspec without typing_extensions, which would ask ``inspect`` at once.

    Where there is none msgspec takes the same three names from ``typing``, which has
    them since Python 3.11.
    """
    if "msgspec" in sys.modules or "typing_extensions" in sys.modules:
        return
    # None makes an import fail (the language reference, "The module cache").
    modules = cast("dict[str, ModuleType | None]", sys.modules)
    modules["typing_extensions"] = None
    try:
        with suppress(ImportError):  # else it is imported as ever where it is needed
            import_module("msgspec")
    finally:
        del modules["typing_extensions"]
