"""What an error is that polylock raises on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, dataclass_transform

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PolylockError"]


@dataclass_transform(eq_default=False)
class PolylockError(Exception):
    """Base of all errors that are told to the user without a traceback.

    A subclass says its fields as a dataclass does. It is none because every command
    would wait 3 ms for twenty methods to be written that hardly one of them calls.
    """

    exit_code: ClassVar[int] = 1
    """1 could not, 2 usage or project file, 3 out of date, 4 not this machine."""

    usual_hint: ClassVar[str] = ""
    """The next step for the user where the error brings no ``advice`` of its own."""

    listed: ClassVar[str] = ""
    """Name of the field whose items are shown under the message, a line each."""

    @classmethod
    def _fields(cls) -> tuple[str, ...]:
        """Return the names of the fields, those of the base first.

        Worked out where an error is made: hardly one is, and there are many classes.
        """
        names = (
            name
            for base in reversed(cls.__mro__)
            if issubclass(base, PolylockError)
            for name, kind in base.__annotations__.items()
            if not str(kind).startswith("ClassVar")
        )
        return tuple(dict.fromkeys(names))

    def __init__(self, *values: object, **named: object) -> None:
        """Take the fields in their order, or by name; a default may be left out."""
        fields = self._fields()
        if len(values) > len(fields):
            raise TypeError(f"{type(self).__name__} has {len(fields)} fields")
        for name, value in zip(fields, values, strict=False):
            if name in named:
                raise TypeError(f"{type(self).__name__}: {name} is given twice")
            setattr(self, name, value)
        for name, value in named.items():
            if name not in fields:
                raise TypeError(f"{type(self).__name__} has no field {name}")
            setattr(self, name, value)
        missing = [name for name in fields if not hasattr(self, name)]
        if missing:
            raise TypeError(f"{type(self).__name__}: {', '.join(missing)} is missing")

    def __repr__(self) -> str:
        fields = (f"{name}={getattr(self, name)!r}" for name in self._fields())
        return f"{type(self).__name__}({', '.join(fields)})"

    def hint(self) -> str | None:
        """Return the next step for the user, or None where there is none."""
        return getattr(self, "advice", None) or self.usual_hint or None

    def details(self) -> Sequence[str]:
        """Return further lines, one fact each, shown under the message."""
        return getattr(self, self.listed) if self.listed else ()
