"""Variant properties, features and labels (PEP 825, "Variant properties")."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from polylock.values import Value, field

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "NULL_LABEL",
    "InvalidProperty",
    "SupportedProperties",
    "VariantProperty",
    "is_feature_name",
    "is_feature_value",
    "is_label",
    "is_namespace",
]


class SupportedProperties(Value, frozen=True):
    """Ordered lists of compatible features and values (PEP 825, "Variant ordering").

    Maps namespace to feature to values. Features and values are ordered, the most
    preferred first; namespaces are not: the metadata of each release orders them.
    """

    namespaces: Mapping[str, Mapping[str, tuple[str, ...]]] = field(
        default_factory=dict
    )

    def features(self, namespace: str) -> Mapping[str, tuple[str, ...]]:
        """Return the features of a namespace, empty if it is not supported."""
        return self.namespaces.get(namespace, {})

    def supports(self, namespace: str, feature: str, value: str) -> bool:
        """Return True if a property is supported."""
        return value in self.features(namespace).get(feature, ())


NULL_LABEL = "null"
"""The label of the variant without properties, compatible with every machine."""

_NAME = re.compile(r"[a-z0-9_]+")
_VALUE = re.compile(r"[a-z0-9_.]+")


class InvalidProperty(ValueError):
    """Text that is not ``namespace :: feature :: value``."""


class VariantProperty(Value, frozen=True, order=True):
    """A property, ``namespace :: feature :: value``."""

    namespace: str
    feature: str
    value: str

    @classmethod
    def parse(cls, text: str) -> VariantProperty:
        """Parse text; white space around ``::`` is ignored. Raises InvalidProperty."""
        parts = [part.strip() for part in text.split("::")]
        if len(parts) != 3:
            raise InvalidProperty(f"{text!r} is not 'namespace :: feature :: value'")
        namespace, feature, value = parts
        if not (is_namespace(namespace) and is_feature_name(feature)):
            raise InvalidProperty(f"{text!r} has an invalid namespace or feature")
        if not is_feature_value(value):
            raise InvalidProperty(f"{text!r} has an invalid value")
        return cls(namespace, feature, value)

    def __str__(self) -> str:
        return f"{self.namespace} :: {self.feature} :: {self.value}"


def is_namespace(text: str) -> bool:
    """Return True if the text is a valid namespace."""
    return _NAME.fullmatch(text) is not None


def is_feature_name(text: str) -> bool:
    """Return True if the text is a valid name of a feature."""
    return _NAME.fullmatch(text) is not None


def is_feature_value(text: str) -> bool:
    """Return True if the text is a valid value of a feature."""
    return _VALUE.fullmatch(text) is not None


def is_label(text: str) -> bool:
    """Return True if the text is a valid variant label."""
    return _VALUE.fullmatch(text) is not None
