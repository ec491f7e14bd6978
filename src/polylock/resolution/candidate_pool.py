"""The candidates of a version: the files that a target could install, best first.

Variant wheels come first, in the order of PEP 825, then the best non-variant wheel; if
there is no wheel, the source distribution. A version is expanded when the solver
reaches it, so versions that it never reaches cost nothing.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from polylock.model.distributions import (
    Release,
    Releases,
    RemoteFile,
    Unusable,
    labelled_wheels,
)
from polylock.model.filenames import InvalidFilename, WheelFilename
from polylock.model.folding import SelectedVariant
from polylock.model.reasons import (
    InvalidMetadata,
    LabelNotPinned,
    NeedsBuild,
    NoUploadTime,
    PinnedLabelMissing,
    PythonUnmet,
    Refusal,
    Rejection,
    Unfit,
    UploadedLater,
    WheelsForbidden,
    Yanked,
)
from polylock.model.requirements import is_specifier
from polylock.model.target_properties import supported_properties
from polylock.model.variant_preferences import preferences_of
from polylock.resolution.candidates import (
    Candidate,
    Expansion,
    ExtraCandidate,
)
from polylock.resolution.memory import Memory
from polylock.resolution.versions import satisfies
from polylock.values import Mutable, field
from polylock.variants.abi import InvalidAbiDependency, alternatives
from polylock.variants.ordering import order_labels
from polylock.variants.variant_schema import ABI_DEPENDENCY

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

    from polylock.model.inputs import Inputs
    from polylock.model.target import Target, WheelOrder
    from polylock.ports import PackageSource
    from polylock.resolution.memory import TargetMemory
    from polylock.variants.ordering import VariantPreferences

    # Label to the best wheel, with its order.
    _Best = dict[str | None, tuple[WheelOrder, RemoteFile]]

__all__ = ["CandidatePool", "labels_of"]


class CandidatePool(Mutable, kw_only=True, eq=False, dict=True):
    """The candidates of one target, each made once.

    ``visited`` are the versions that a solve has opened, a measure of its effort;
    versions opened to guess what to fetch are not among them.
    """

    target: Target
    inputs: Inputs
    source: PackageSource
    memories: Memory = field(default_factory=Memory)
    visited: set[tuple[NormalizedName, int]] = field(default_factory=set)
    _expansions: dict[tuple[NormalizedName, int, bool], Expansion] = field(
        default_factory=dict
    )
    _extras: dict[tuple[int, str], ExtraCandidate] = field(default_factory=dict)

    @cached_property
    def preferences(self) -> VariantPreferences:
        """Return the user's preferences for variants on this target."""
        return preferences_of(self.inputs, self.target.description)

    def expand(self, releases: Releases, position: int, *, yanked: bool) -> Expansion:
        """Return the candidates of a version; ``yanked`` admits yanked files."""
        key = (releases.name, position, yanked)
        expansion = self._expansions.get(key)
        if expansion is None:
            if not yanked:
                expansion = self._remembered(releases, position)
            else:
                # PEP 592: a yanked file only if no other file of the version fits.
                expansion = self.expand(releases, position, yanked=False)
                if not expansion.candidates:
                    expansion = self._expand(releases, position, yanked=True)
            self._expansions[key] = expansion
        return expansion

    def with_yanked(self, releases: Releases, position: int) -> Expansion:
        """Return the candidates of a version, with yanked files like any other."""
        return self._expand(releases, position, yanked=True)

    @cached_property
    def memory(self) -> TargetMemory:
        """Return the results of earlier runs for this target."""
        return self.memories.of_target(
            self.target, self.python_version, self.inputs.exclude_newer
        )

    def _remembered(self, releases: Releases, position: int) -> Expansion:
        """Return the candidates of a version, from memory if it has no labels."""
        release = releases.release(position)
        if (
            not release.fingerprint
            or releases.name in self.inputs.no_binary_packages
            or releases.name in self.target.description.variants
            or releases.name in self.preferences.require
        ):
            return self._expand(releases, position, yanked=False)
        # If any file of the project has an upload time, those without count as too new.
        key = release.fingerprint
        if releases.has_upload_times:
            if releases.name in self.inputs.exclude_newer_package:
                key += f" until {self.inputs.cutoff_of(releases.name)}"
            elif self.inputs.exclude_newer is not None:
                key += " timed"
        known = self.memory.wheels.get(key)
        if known is not None:
            wheel = release.wheels[known]
            candidate = Candidate(
                releases=releases, position=position, release=release, file=wheel
            )
            return Expansion((candidate,), ())
        expansion = self._expand(releases, position, yanked=False)
        if expansion.candidates and not labels_of(release):
            only = expansion.candidates[0].file
            if only is not release.sdist:
                self.memory.wheels[key] = release.wheels.index(only)
                self.memory.learned()
        return expansion

    def extended(self, base: Candidate, extra: str) -> Candidate | ExtraCandidate:
        """Return the candidate for an extra, the same object each time.

        An empty extra means the candidate itself.
        """
        if not extra:
            return base
        key = (id(base), extra)
        candidate = self._extras.get(key)
        if candidate is None:
            candidate = self._extras[key] = ExtraCandidate(base=base, extra=extra)
        return candidate

    @property
    def python_version(self) -> str:
        """Return the Python that ``requires-python`` must admit: the newest patch."""
        return self.target.description.python.newest

    def python_unmet(self, requires_python: str | None) -> PythonUnmet | None:
        """Return the reason if ``requires-python`` excludes the target's Python."""
        if not requires_python or self._accepts_python(requires_python):
            return None
        return PythonUnmet(requires_python)

    def _accepts_python(self, requires_python: str) -> bool:
        known = self.memory.pythons.get(requires_python)
        if known is None:
            known = satisfies(requires_python, self.python_version)
            if not known and not is_specifier(requires_python):
                from polylock.model.specifier_repairs import repaired_specifier  # noqa: PLC0415 - rare

                # As in pip, one that cannot be repaired excludes nothing.
                repaired = repaired_specifier(requires_python)
                known = repaired is None or satisfies(repaired, self.python_version)
            self.memory.pythons[requires_python] = known
            self.memory.learned()
        return known

    def _expand(self, releases: Releases, position: int, *, yanked: bool) -> Expansion:
        release = releases.release(position)
        rejections: list[Rejection] = []
        best: _Best = {}
        if releases.name in self.inputs.no_binary_packages:
            rejections.append(Rejection(WheelsForbidden()))
        else:
            best = self._best_wheels(releases, position, rejections, yanked=yanked)
        best = self._pinned(release, best, rejections)
        unlabelled = self.preferences.unrequired(releases.name)
        if unlabelled is not None:
            plain_wheel = best.pop(None, None)
            if plain_wheel is not None:
                file = plain_wheel[1].filename
                rejections.append(Rejection(unlabelled, file=file))
        candidates = self._variants(releases, position, best, rejections)
        plain = best[None][1] if None in best else None
        pinned = self.target.description.variants.get(releases.name)
        if not (plain or candidates or pinned) and release.sdist is not None:
            # Only if there is no wheel: its metadata would say the same, and reading
            # it costs a download.
            reason = unlabelled or self._unfit_sdist(
                releases, release.sdist, yanked=yanked
            )
            if reason is None:
                plain = release.sdist
            else:
                rejections.append(Rejection(reason, file=release.sdist.filename))
        if plain is not None:
            candidates.append(
                Candidate(
                    releases=releases, position=position, release=release, file=plain
                )
            )
        return Expansion(tuple(candidates), tuple(rejections))

    def _pinned(
        self, release: Release, best: _Best, rejections: list[Rejection]
    ) -> _Best:
        """Return the wheels of the label that the target pins; reject the others.

        A pin narrows what fits and makes no label fit (PEP 825, "Variant ordering").
        """
        target = self.target
        pin = target.description.variants.get(release.name)
        if pin is None:
            return best
        wanted = pin or None
        if pin and pin not in labels_of(release):
            there = tuple(sorted(labels_of(release)))
            reason = PinnedLabelMissing(target.name, pin, there)
            rejections.append(Rejection(reason))
            return {}
        rejections.extend(
            Rejection(LabelNotPinned(target.name, pin), label or "", file.filename)
            for label, (_, file) in best.items()
            if label != wanted
        )
        return {label: found for label, found in best.items() if label == wanted}

    def _best_wheels(
        self,
        releases: Releases,
        position: int,
        rejections: list[Rejection],
        *,
        yanked: bool,
    ) -> _Best:
        """Return the best wheel of each label that the target could install."""
        best: _Best = {}
        for file in releases.release(position).wheels:
            try:
                filename = WheelFilename.parse(file.filename)
            except InvalidFilename as error:
                reason = InvalidMetadata(str(error))
                rejections.append(Rejection(reason, file=file.filename))
                continue
            label = filename.variant_label
            order = self.target.wheel_order(filename)
            if order is None:
                unfit: Refusal | None = Unfit()
            else:
                unfit = self._unfit(releases, file, yanked=yanked)
            if unfit is not None:
                rejections.append(Rejection(unfit, label or "", file.filename))
            elif order and (label not in best or order > best[label][0]):
                best[label] = (order, file)
        return best

    def _unfit_sdist(
        self, releases: Releases, file: RemoteFile, *, yanked: bool
    ) -> Refusal | None:
        """Return the reason against a source distribution, None for none.

        Whether its metadata can be read without a build is for the source to decide.
        """
        key = self.inputs.forbidding_build(releases.name)
        if key is not None:
            return NeedsBuild(key, is_static=True)
        return self._unfit(releases, file, yanked=yanked)

    def _unfit(
        self, releases: Releases, file: RemoteFile, *, yanked: bool
    ) -> Refusal | None:
        """Return the reason against a file apart from its tags, None for none."""
        unmet = self.python_unmet(file.requires_python)
        if unmet is not None:
            return unmet
        if file.yanked is not None and not yanked:
            return Yanked(file.yanked)
        cutoff = self.inputs.cutoff_of(releases.name)
        if cutoff is None or not releases.has_upload_times:
            return None
        if file.upload_time is None:
            return NoUploadTime()
        if file.upload_time > cutoff:
            return UploadedLater()
        return None

    def _variants(
        self,
        releases: Releases,
        position: int,
        best: _Best,
        rejections: list[Rejection],
    ) -> list[Candidate]:
        labels = sorted(label for label in best if label is not None)
        if not labels:
            return []
        release = releases.release(position)
        metadata = self.source.variant_metadata(release, self.target)
        if isinstance(metadata, Unusable):
            # PEP 825: invalid metadata rules out the variant wheels, not the others.
            rejections.extend(Rejection(metadata.reason, label) for label in labels)
            return []
        supported = supported_properties(
            metadata, self.target, self.inputs.enable_providers
        )
        order = order_labels(
            metadata,
            supported,
            labels,
            preferences=self.preferences.for_project(releases.name),
            deferred_namespaces=(ABI_DEPENDENCY,),
        )
        rejections.extend(Rejection(r.reason, r.label) for r in order.rejected)
        found = []
        for ranked in order.compatible:
            try:
                ways = alternatives(ranked.deferred)
            except InvalidAbiDependency as error:
                reason = InvalidMetadata(str(error))
                rejections.append(Rejection(reason, ranked.label))
                continue
            for abi in ways:
                needed = tuple(need.property for need in abi)
                triples = {(p.namespace, p.feature, p.value) for p in needed}
                found.append(
                    Candidate(
                        releases=releases,
                        position=position,
                        release=release,
                        file=best[ranked.label][1],
                        variant=SelectedVariant(
                            ranked.label, ranked.properties | triples
                        ),
                        decided_by=(*ranked.decided_by, *needed),
                        variant_metadata=metadata,
                        rank=ranked.rank,
                        abi=abi,
                    )
                )
        return found


def labels_of(release: Release) -> set[str]:
    """Return the variant labels of all wheels of a release, for any machine."""
    labels = {name.variant_label for name in labelled_wheels(release)}
    return {label for label in labels if label is not None}
