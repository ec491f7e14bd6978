"""Variant properties, features and labels (PEP 825, "Variant properties")."""

from __future__ import annotations

import re

from polylock.values import Value

__all__ = [
    "NULL_LABEL",
    "InvalidProperty",
    "VariantProperty",
    "is_feature_name",
    "is_feature_value",
    "is_label",
    "is_namespace",
]

NULL_LABEL = "null"
"""The label of the variant without properties, which fits every machine."""

_NAME = re.compile(r"[a-z0-9_]+")
_VALUE = re.compile(r"[a-z0-9_.]+")


class InvalidProperty(ValueError):
    """Text that is not ``namespace :: feature :: value``."""


class VariantProperty(Value, frozen=True, order=True):
    """``namespace :: feature :: value``."""

    namespace: str
    feature: str
    value: str

    @classmethod
    def parse(cls, text: str) -> VariantProperty:
        """Parse text, ignoring white space around ``::``; raises InvalidProperty."""
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
    """Say whether the text may be a namespace."""
    return _NAME.fullmatch(text) is not None


def is_feature_name(text: str) -> bool:
    """Say whether the text may be the name of a feature."""
    return _NAME.fullmatch(text) is not None


def is_feature_value(text: str) -> bool:
    """Say whether the text may be the value of a feature."""
    return _VALUE.fullmatch(text) is not None


def is_label(text: str) -> bool:
    """Say whether the text may be a variant label."""
    return _VALUE.fullmatch(text) is not None
