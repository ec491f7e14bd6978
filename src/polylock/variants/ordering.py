"""Which labels a machine can use, and in what order (PEP 825, "Variant ordering").

PEP 825 compares sorted lists of (namespace, feature, value) positions. Here a label
is one number instead: a digit for each feature, the weightiest first, whose value is
the position of the best supported value, or the worst digit where the label does not
have the feature. Both give the same order; one number is easy to keep and compare.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from packaging.utils import canonicalize_name

from polylock.values import Value, field
from polylock.variants.properties import (
    InvalidProperty,
    VariantProperty,
    is_feature_name,
    is_feature_value,
    is_label,
    is_namespace,
)
from polylock.variants.variant_schema import ABI_DEPENDENCY

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from polylock.variants.properties import SupportedProperties
    from polylock.variants.variant_json import VariantMetadata

__all__ = [
    "NO_WISHES",
    "DeferredFeature",
    "LabelExcluded",
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
]


class DeferredFeature(Value, frozen=True):
    """A feature that something else must decide, such as the solver."""

    namespace: str
    feature: str
    values: tuple[str, ...]


class RankedLabel(Value, frozen=True, kw_only=True):
    """A label that the machine can use.

    ``rank`` orders the labels of one release, the lowest is the best. ``decided_by``
    holds the best supported value of each feature, in order of weight;
    ``properties`` all properties of the label that are supported, as (namespace,
    feature, value), for variant markers. ``deferred`` are the features that were not
    judged here: the label fits only if they do.
    """

    label: str
    rank: int
    decided_by: tuple[VariantProperty, ...]
    properties: frozenset[tuple[str, str, str]]
    deferred: tuple[DeferredFeature, ...] = ()


class LabelUndescribed(Value, frozen=True):
    """The variant metadata of the release says nothing of the label."""


class LabelExcluded(Value, frozen=True):
    """The user excludes the label, by a pattern of ``exclude-variants``."""

    pattern: str


class PropertyUnmet(Value, frozen=True):
    """The target supports no value of a feature that the label needs.

    It is the weightiest such feature. ``offered`` are the values that the target
    supports of it. ``gap`` says what is missing: a ``value`` of the feature, every
    property of the ``namespace``, a place for it in the ``priorities`` of the metadata,
    or, of an ``abi`` dependency, what will be installed.
    """

    namespace: str
    feature: str
    values: tuple[str, ...]
    offered: tuple[str, ...] = ()
    gap: Literal["value", "namespace", "priorities", "abi"] = "value"


class VariantRequired(Value, frozen=True):
    """``require-variants`` asks for one of these ``patterns``, and it matches none.

    ``there`` are the namespaces of the label, empty for a file without a label too.
    """

    patterns: tuple[str, ...]
    there: tuple[str, ...] = ()


LabelRefusal = LabelExcluded | LabelUndescribed | PropertyUnmet | VariantRequired


class RejectedLabel(Value, frozen=True, kw_only=True):
    """A label that the machine cannot use, or that the user excluded."""

    label: str
    reason: LabelRefusal


class LabelOrder(Value, frozen=True, kw_only=True):
    """The labels of a release: those that fit, best first, and those that do not."""

    compatible: tuple[RankedLabel, ...]
    rejected: tuple[RejectedLabel, ...]


class VariantPattern(Value, frozen=True, kw_only=True):
    """What the user excludes or prefers: a namespace, feature, property or label.

    ``project`` is normalized and set only together with ``label``; ``feature`` and
    ``value`` are empty where any is meant.
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
        """Say whether a label with these properties is meant."""
        if self.label:
            return self.label == label
        features = properties.get(self.namespace, {})
        if not self.feature:
            return bool(features)
        values = features.get(self.feature, ())
        return self.value in values if self.value else bool(values)


class VariantPreferences(Value, frozen=True, kw_only=True):
    """The user's say in the choice of a label (PEP 825, "Variant ordering").

    They narrow and reorder what is compatible, and never make a label compatible.
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
        """Parse the texts of the settings; raises InvalidProperty."""
        return cls(
            exclude=tuple(VariantPattern.parse(text) for text in exclude),
            prefer=tuple(VariantPattern.parse(text) for text in prefer),
            require={
                name: tuple(VariantPattern.parse(text) for text in texts)
                for name, texts in (require or {}).items()
            },
        )

    def for_project(self, name: str) -> VariantPreferences:
        """Return the preferences that concern one project."""
        return VariantPreferences(
            exclude=tuple(p for p in self.exclude if p.project in {"", name}),
            prefer=tuple(p for p in self.prefer if p.project in {"", name}),
            require={n: p for n, p in self.require.items() if n == name},
        )

    def unrequired(self, name: str) -> VariantRequired | None:
        """Return why a file of a project without a label is out, None if it is not."""
        required = self.require.get(name)
        if not required:
            return None
        return VariantRequired(tuple(pattern.text for pattern in required))


NO_WISHES = VariantPreferences()


def order_labels(
    metadata: VariantMetadata,
    supported: SupportedProperties,
    labels: Collection[str],
    *,
    wishes: VariantPreferences = NO_WISHES,
    deferred_namespaces: Collection[str] = (),
) -> LabelOrder:
    """Order the labels of a release's wheels for a machine, ties by label.

    ``supported`` comes from ``polylock.variants.authority``; ``wishes`` are those for
    this project (``VariantPreferences.for_project``). A feature in one of the
    ``deferred_namespaces`` is neither judged nor weighed, only handed back.

    Cost: linear in the properties of the metadata; the long lists of supported
    values are searched only for the features that the metadata uses.
    """
    judge = _Judge(metadata, supported, wishes, frozenset(deferred_namespaces))
    judged = [judge.judge(label) for label in sorted(set(labels))]
    compatible = [found for found in judged if isinstance(found, RankedLabel)]
    compatible.sort(key=lambda found: (found.rank, found.label))
    return LabelOrder(
        compatible=tuple(compatible),
        rejected=tuple(found for found in judged if isinstance(found, RejectedLabel)),
    )


class _Judge:
    """The digits of one release on one machine, laid out once for all its labels."""

    def __init__(
        self,
        metadata: VariantMetadata,
        supported: SupportedProperties,
        wishes: VariantPreferences,
        deferred: frozenset[str],
    ) -> None:
        self._metadata = metadata
        self._supported = supported
        self._wishes = wishes
        self._deferred = deferred
        self._namespaces = set(metadata.namespace_priorities)
        self._digits = tuple(self._lay_out())

    def _lay_out(self) -> Iterator[tuple[str, str, dict[str, int]]]:
        """Yield namespace, feature and value positions, the weightiest first."""
        used: dict[str, set[str]] = {}
        for properties in self._metadata.variants.values():
            for namespace, features in properties.items():
                used.setdefault(namespace, set()).update(features)
        for namespace in self._metadata.namespace_priorities:
            if namespace in self._deferred or namespace not in used:
                continue
            for feature, values in self._supported.features(namespace).items():
                if feature in used[namespace]:
                    positions = {
                        value: place
                        for place, value in reversed(tuple(enumerate(values)))
                    }
                    yield namespace, feature, positions

    def judge(self, label: str) -> RankedLabel | RejectedLabel:
        properties = self._metadata.variants.get(label)
        if properties is None:
            return RejectedLabel(label=label, reason=LabelUndescribed())
        unmet = self._unmet(properties)
        if unmet is not None:
            return RejectedLabel(label=label, reason=unmet)
        for pattern in self._wishes.exclude:
            if pattern.matches(label, properties):
                return RejectedLabel(label=label, reason=LabelExcluded(pattern.text))
        for required in self._wishes.require.values():
            if not any(pattern.matches(label, properties) for pattern in required):
                reason = VariantRequired(
                    tuple(pattern.text for pattern in required),
                    tuple(sorted(properties)),
                )
                return RejectedLabel(label=label, reason=reason)
        return self._rank(label, properties)

    def _unmet(
        self, properties: Mapping[str, Mapping[str, tuple[str, ...]]]
    ) -> PropertyUnmet | None:
        """Return the weightiest feature without a supported value.

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
            if failed:
                weighed = (name for name in supported if name in failed)
                feature = next(weighed, min(failed))
                return PropertyUnmet(
                    namespace,
                    feature,
                    features[feature],
                    offered=supported.get(feature, ()),
                    gap=self._gap(namespace),
                )
        return None

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
        for pattern in self._wishes.prefer:
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
