"""The labels that a machine can use, in order of preference (PEP 825).

PEP 825, "Variant ordering", compares sorted lists of (namespace, feature, value)
positions. Here the rank of a label is one number instead, with a digit for each
feature, the most significant first: the position of the best supported value, or the
highest digit if the label lacks the feature. Both give the same order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from packaging.utils import canonicalize_name

from polylock.values import Value, field
from polylock.variants.properties import (
    InvalidProperty,
    SupportedProperties,
    VariantProperty,
    is_feature_name,
    is_feature_value,
    is_label,
    is_namespace,
)
from polylock.variants.variant_schema import ABI_DEPENDENCY

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from polylock.variants.variant_json import VariantMetadata

__all__ = [
    "NO_PREFERENCES",
    "DeferredFeature",
    "LabelExcluded",
    "LabelLost",
    "LabelOrder",
    "LabelRefusal",
    "LabelUndescribed",
    "PropertyUnmet",
    "RankedLabel",
    "RejectedLabel",
    "VariantPattern",
    "VariantPreferences",
    "VariantRequired",
    "order_labels",
    "preferred_by",
    "unmet_features",
    "why_before",
]


class DeferredFeature(Value, frozen=True):
    """A feature that is not judged here; the solver decides it."""

    namespace: str
    feature: str
    values: tuple[str, ...]


class RankedLabel(Value, frozen=True, kw_only=True):
    """A label that the machine can use.

    ``rank`` orders the labels of one release, the lowest first. ``decided_by`` has the
    best supported value of each feature, the most significant first; ``properties`` all
    supported properties of the label, as (namespace, feature, value), for variant
    markers. The label fits only if its ``deferred`` features do.
    """

    label: str
    rank: int
    decided_by: tuple[VariantProperty, ...]
    properties: frozenset[tuple[str, str, str]]
    deferred: tuple[DeferredFeature, ...] = ()


class LabelUndescribed(Value, frozen=True):
    """The variant metadata of the release does not describe the label."""


class LabelExcluded(Value, frozen=True):
    """The user excludes the label, by a pattern of ``exclude-variants``."""

    pattern: str


class PropertyUnmet(Value, frozen=True):
    """The target supports no value of a feature that the label needs.

    It is the most significant such feature. ``offered`` are its values that the target
    supports. ``gap`` is the kind of what is missing: a ``value`` of the feature, every
    property of the ``namespace``, the namespace in the ``priorities`` of the metadata,
    or, for an ``abi`` dependency, the version that will be installed.
    """

    namespace: str
    feature: str
    values: tuple[str, ...]
    offered: tuple[str, ...] = ()
    gap: Literal["value", "namespace", "priorities", "abi"] = "value"


class VariantRequired(Value, frozen=True):
    """The label matches none of the ``patterns`` of ``require-variants``.

    ``there`` are the namespaces of the label, empty for a file without a label.
    """

    patterns: tuple[str, ...]
    there: tuple[str, ...] = ()


LabelRefusal = LabelExcluded | LabelUndescribed | PropertyUnmet | VariantRequired


class RejectedLabel(Value, frozen=True, kw_only=True):
    """A label that the machine cannot use, or that the user excluded."""

    label: str
    reason: LabelRefusal


class LabelOrder(Value, frozen=True, kw_only=True):
    """The labels of a release: the compatible ones, best first, and the others."""

    compatible: tuple[RankedLabel, ...]
    rejected: tuple[RejectedLabel, ...]


class LabelLost(Value, frozen=True, kw_only=True):
    """The label fits, but another one is preferred.

    The first of these that is set decides: the ``pattern`` of ``prefer-variants`` that
    only the winner matches; ``is_plain``, if the loser has no label; the most
    significant property that differs, ``winning`` against ``losing`` (None if the
    loser has none). Otherwise the name decides. ``shares`` is true if both have more
    significant properties in common.
    """

    winner: str
    pattern: str = ""
    is_plain: bool = False
    winning: VariantProperty | None = None
    losing: VariantProperty | None = None
    shares: bool = False


class VariantPattern(Value, frozen=True, kw_only=True):
    """A pattern to exclude or prefer: a namespace, feature, property or label.

    ``project`` is normalized and set only together with ``label``; an empty
    ``feature`` or ``value`` matches any.
    """

    text: str
    namespace: str = ""
    feature: str = ""
    value: str = ""
    project: str = ""
    label: str = ""

    @classmethod
    def parse(cls, text: str) -> VariantPattern:
        """Parse ``ns``, ``ns :: feature``, ``ns :: feature :: value``, ``name@label``.

        Raises InvalidProperty.
        """
        project, at, label = text.partition("@")
        if at:
            if not (project.strip() and is_label(label.strip())):
                raise InvalidProperty(f"{text!r} is not 'project@label'")
            name = canonicalize_name(project.strip())
            return cls(text=text, project=name, label=label.strip())
        parts = [part.strip() for part in text.split("::")]
        checks = (is_namespace, is_feature_name, is_feature_value)
        if len(parts) > 3 or not all(
            check(part) for check, part in zip(checks, parts, strict=False)
        ):
            raise InvalidProperty(
                f"{text!r} is not 'namespace', 'namespace :: feature', "
                "'namespace :: feature :: value' or 'project@label'"
            )
        namespace, feature, value = (*parts, "", "")[:3]
        return cls(text=text, namespace=namespace, feature=feature, value=value)

    def matches(
        self, label: str, properties: Mapping[str, Mapping[str, Collection[str]]]
    ) -> bool:
        """Return True if the pattern matches a label with these properties."""
        if self.label:
            return self.label == label
        features = properties.get(self.namespace, {})
        if not self.feature:
            return bool(features)
        values = features.get(self.feature, ())
        return self.value in values if self.value else bool(values)


class VariantPreferences(Value, frozen=True, kw_only=True):
    """The labels that the user excludes and prefers (PEP 825, "Variant ordering").

    They filter and reorder the compatible labels, and never make a label compatible.
    """

    exclude: tuple[VariantPattern, ...] = ()
    prefer: tuple[VariantPattern, ...] = ()
    require: Mapping[str, tuple[VariantPattern, ...]] = field(default_factory=dict)

    @classmethod
    def parse(
        cls,
        exclude: Iterable[str],
        prefer: Iterable[str],
        require: Mapping[str, Iterable[str]] | None = None,
    ) -> VariantPreferences:
        """Parse the patterns of the settings; raises InvalidProperty."""
        return cls(
            exclude=tuple(VariantPattern.parse(text) for text in exclude),
            prefer=tuple(VariantPattern.parse(text) for text in prefer),
            require={
                name: tuple(VariantPattern.parse(text) for text in texts)
                for name, texts in (require or {}).items()
            },
        )

    def for_project(self, name: str) -> VariantPreferences:
        """Return the patterns without those for labels of other projects."""
        return VariantPreferences(
            exclude=tuple(p for p in self.exclude if p.project in {"", name}),
            prefer=tuple(p for p in self.prefer if p.project in {"", name}),
            require={n: p for n, p in self.require.items() if n == name},
        )

    def unrequired(self, name: str) -> VariantRequired | None:
        """Return the reason against files without a label, None for none."""
        required = self.require.get(name)
        if not required:
            return None
        return VariantRequired(tuple(pattern.text for pattern in required))


NO_PREFERENCES = VariantPreferences()


def order_labels(
    metadata: VariantMetadata,
    supported: SupportedProperties,
    labels: Collection[str],
    *,
    preferences: VariantPreferences = NO_PREFERENCES,
    deferred_namespaces: Collection[str] = (),
) -> LabelOrder:
    """Order the labels of a release's wheels for a machine, ties by label.

    ``supported`` comes from ``polylock.variants.authority``; ``preferences`` are those
    for this project (``VariantPreferences.for_project``). A feature in one of the
    ``deferred_namespaces`` is only returned: it decides neither fit nor order.

    Cost: linear in the properties of the metadata; the long lists of supported values
    are searched only for the features that the metadata uses.
    """
    ranking = _Ranking(metadata, supported, preferences, frozenset(deferred_namespaces))
    judged = [ranking.judge(label) for label in sorted(set(labels))]
    compatible = [found for found in judged if isinstance(found, RankedLabel)]
    compatible.sort(key=lambda found: (found.rank, found.label))
    return LabelOrder(
        compatible=tuple(compatible),
        rejected=tuple(found for found in judged if isinstance(found, RejectedLabel)),
    )


def unmet_features(
    metadata: VariantMetadata,
    supported: SupportedProperties,
    label: str,
    *,
    deferred_namespaces: Collection[str] = (),
) -> tuple[PropertyUnmet, ...]:
    """Return each feature of a label of which a machine supports no value.

    The most significant is first. Empty for a label that the metadata lacks.
    """
    deferred = frozenset(deferred_namespaces)
    ranking = _Ranking(metadata, supported, NO_PREFERENCES, deferred)
    return tuple(ranking.unmet(metadata.variants.get(label, {})))


class _Ranking:
    """Ranks the labels of one release on one machine."""

    def __init__(
        self,
        metadata: VariantMetadata,
        supported: SupportedProperties,
        preferences: VariantPreferences,
        deferred: frozenset[str],
    ) -> None:
        self._metadata = metadata
        self._supported = supported
        self._preferences = preferences
        self._deferred = deferred
        self._namespaces = set(metadata.namespace_priorities)
        self._digits = tuple(self._lay_out())

    def _lay_out(self) -> Iterator[tuple[str, str, dict[str, int]]]:
        """Yield namespace, feature and value positions, the most significant first."""
        used: dict[str, set[str]] = {}
        for properties in self._metadata.variants.values():
            for namespace, features in properties.items():
                used.setdefault(namespace, set()).update(features)
        for namespace in self._metadata.namespace_priorities:
            if namespace in self._deferred or namespace not in used:
                continue
            for feature, values in self._supported.features(namespace).items():
                if feature in used[namespace]:
                    # Reversed, so that the first of equal values counts.
                    positions = {
                        value: place
                        for place, value in reversed(tuple(enumerate(values)))
                    }
                    yield namespace, feature, positions

    def judge(self, label: str) -> RankedLabel | RejectedLabel:
        properties = self._metadata.variants.get(label)
        if properties is None:
            return RejectedLabel(label=label, reason=LabelUndescribed())
        unmet = next(self.unmet(properties), None)
        if unmet is not None:
            return RejectedLabel(label=label, reason=unmet)
        for pattern in self._preferences.exclude:
            if pattern.matches(label, properties):
                return RejectedLabel(label=label, reason=LabelExcluded(pattern.text))
        for required in self._preferences.require.values():
            if not any(pattern.matches(label, properties) for pattern in required):
                reason = VariantRequired(
                    tuple(pattern.text for pattern in required),
                    tuple(sorted(properties)),
                )
                return RejectedLabel(label=label, reason=reason)
        return self._rank(label, properties)

    def unmet(
        self, properties: Mapping[str, Mapping[str, tuple[str, ...]]]
    ) -> Iterator[PropertyUnmet]:
        """Yield the features without a supported value, the most significant first.

        PEP 825, "Variant properties": "at least one value for every feature listed
        in its properties MUST be compatible with the system".
        """
        order = (*self._metadata.namespace_priorities, *sorted(properties))
        for namespace in dict.fromkeys(order):
            features = properties.get(namespace)
            if not features or namespace in self._deferred:
                continue
            listed = namespace in self._namespaces
            supported = self._supported.features(namespace) if listed else {}
            failed = {
                feature
                for feature, values in features.items()
                if set(values).isdisjoint(supported.get(feature, ()))
            }
            weighed = (name for name in supported if name in failed)
            for feature in dict.fromkeys((*weighed, *sorted(failed))):
                yield PropertyUnmet(
                    namespace,
                    feature,
                    features[feature],
                    offered=supported.get(feature, ()),
                    gap=self._gap(namespace),
                )

    def _gap(
        self, namespace: str
    ) -> Literal["value", "namespace", "priorities", "abi"]:
        if namespace == ABI_DEPENDENCY:
            return "abi"
        if namespace not in self._namespaces:
            return "priorities"
        return "value" if self._supported.features(namespace) else "namespace"

    def _rank(
        self, label: str, properties: Mapping[str, Mapping[str, tuple[str, ...]]]
    ) -> RankedLabel:
        rank = 0
        for pattern in self._preferences.prefer:
            rank = rank * 2 + (not pattern.matches(label, properties))
        decided_by = []
        triples: set[tuple[str, str, str]] = set()
        for namespace, feature, positions in self._digits:
            values = properties.get(namespace, {}).get(feature, ())
            worst = len(positions)
            fitting = [value for value in values if value in positions]
            best = min(fitting, key=positions.__getitem__, default=None)
            rank = rank * (worst + 1) + (worst if best is None else positions[best])
            if best is not None:
                decided_by.append(VariantProperty(namespace, feature, best))
                triples.update((namespace, feature, value) for value in fitting)
        return RankedLabel(
            label=label,
            rank=rank,
            decided_by=tuple(decided_by),
            properties=frozenset(triples),
            deferred=tuple(
                DeferredFeature(namespace, feature, values)
                for namespace in sorted(self._deferred)
                for feature, values in properties.get(namespace, {}).items()
            ),
        )


def why_before(
    winner: str,
    winning: Sequence[VariantProperty],
    losing: Sequence[VariantProperty],
) -> LabelLost:
    """Return the reason why a label loses to another by PEP 825's comparison.

    ``winning`` and ``losing`` are the best supported properties of both, the most
    significant first (``RankedLabel.decided_by``).
    """
    for one, other in zip(winning, losing, strict=False):
        if one != other:
            return LabelLost(winner=winner, winning=one, losing=other)
    if len(winning) > len(losing):
        more = winning[len(losing)]
        return LabelLost(winner=winner, winning=more, shares=bool(losing))
    return LabelLost(winner=winner)


def preferred_by(
    patterns: Sequence[VariantPattern],
    winner: tuple[str, Mapping[str, Mapping[str, Sequence[str]]]],
    loser: tuple[str, Mapping[str, Mapping[str, Sequence[str]]]],
) -> VariantPattern | None:
    """Return the first preferred pattern that distinguishes two labels.

    A label comes with its properties. None if no pattern puts the winner first.
    """
    for pattern in patterns:
        wins, loses = pattern.matches(*winner), pattern.matches(*loser)
        if wins != loses:
            return pattern if wins else None
    return None
