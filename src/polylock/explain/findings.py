"""The kinds of notes, as data.

A kind of note has a class here, a function that finds it (``polylock.explain.notes``
has the table of them) and a sentence in ``polylock.explain.words``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from polylock.explain.reasons import Reason
    from polylock.model.torch_backends import Obstacle

__all__ = [
    "AcceleratorMissed",
    "Behind",
    "BetterLabelLost",
    "BetterLabelYanked",
    "DriverTooOld",
    "EntryUnmatched",
    "ExtraMissing",
    "Finding",
    "LabelPinUnused",
    "LibrariesForNothing",
    "NamespaceUnknown",
    "Note",
    "PatchNeeded",
    "PatternUnmatched",
    "RequiredUnused",
    "RequiresProject",
    "SeveralMajors",
    "TorchBackendOlder",
    "TorchBackendUnfit",
    "TorchBackendUnset",
    "TorchBackendsMixed",
    "UploadTimesMissing",
    "VariantMarkerUnmet",
    "VariantSetting",
    "VariantsLost",
    "YankedPin",
    "shared",
]


class UploadTimesMissing(Value, frozen=True):
    """``exclude-newer`` has no effect: the index gives no upload times."""

    index: str


class VariantsLost(Value, frozen=True):
    """The variants of a release are left out, since their metadata is unusable."""

    because: Reason


class NamespaceUnknown(Value, frozen=True):
    """Labels need a namespace of which no supported property is known."""

    namespace: str


VariantSetting = Literal[
    "enable-providers", "exclude-variants", "prefer-variants", "require-variants"
]


class PatternUnmatched(Value, frozen=True):
    """A setting names a label that the release does not have; ``there`` are its own.

    ``is_installed`` is false where no target installs the project.
    """

    setting: VariantSetting
    label: str
    there: tuple[str, ...]
    is_installed: bool = True


class LabelPinUnused(Value, frozen=True):
    """A target pins a label of a project that is not installed there."""


class RequiredUnused(Value, frozen=True):
    """``require-variants`` names a project that no target of the setting installs."""


class ExtraMissing(Value, frozen=True):
    """A requirement names an extra that the release does not have.

    ``by`` is the project that has the requirement, empty for this one.
    """

    extra: str
    by: str = ""


class Behind(Value, frozen=True, kw_only=True):
    """An older version than the ``newest`` was taken, for a reason that may change.

    ``held_by`` is the target that has the reason, if others share its version, else
    empty; ``aligned`` are the others, which could have the newest on their own.
    ``advice`` is the change that helps, empty if none is known.
    """

    newest: str
    because: Reason
    held_by: str = ""
    aligned: tuple[str, ...] = ()
    advice: str = ""


class PatchNeeded(Value, frozen=True):
    """The target names no patch release, and the file needs ``python`` at least.

    ``requires_python`` is that of the file.
    """

    python: str
    requires_python: str


class YankedPin(Value, frozen=True):
    """The locked file is yanked (PEP 592), for ``why`` if the index has a reason."""

    why: str


class BetterLabelLost(Value, frozen=True):
    """A label fits the target better than the ``taken`` one, and was not taken.

    ``taken`` is empty for the wheel without a label; ``because`` is the requirement of
    the label that the target does not meet.
    """

    label: str
    taken: str
    because: Reason


class BetterLabelYanked(Value, frozen=True):
    """A label fits the target better than the ``taken`` one, and its wheel is yanked.

    ``taken`` is empty for the wheel without a label.
    """

    label: str
    taken: str


class AcceleratorMissed(Value, frozen=True, kw_only=True):
    """A target with an ``accelerator`` got a build that does not use it.

    ``labels`` are those of the release that are for any accelerator, empty for a CPU
    build by local version, as ``+cpu``. ``nearest`` is the last of them that is for
    this accelerator, empty for none. ``because`` is the reason against it, None if it
    fits and no reason is known. ``sources`` means that the project has sources for
    it, of which none fits; ``torch`` that ``torch-backend`` could choose its build.
    """

    accelerator: str
    labels: tuple[str, ...] = ()
    nearest: str = ""
    because: Reason | None = None
    sources: bool = False
    torch: bool = False


class SeveralMajors(Value, frozen=True):
    """Pins of one target are built for several majors of one accelerator platform.

    ``pins`` are the majors, each with a few of them, as text.
    """

    platform: str
    pins: tuple[tuple[str, tuple[str, ...]], ...]


class DriverTooOld(Value, frozen=True):
    """Pins need a newer major of CUDA or ROCm than the target's driver ``offers``.

    ``torch`` means that ``torch-backend`` could choose another build of torch.
    """

    platform: str
    needed: str
    offers: str
    pins: tuple[str, ...]
    torch: bool = False


class LibrariesForNothing(Value, frozen=True):
    """Accelerator libraries of ``size`` bytes on a target without an accelerator.

    ``extra`` is set if the project requires them only with that extra.
    ``torch`` means that ``torch-backend`` could choose another build.
    """

    size: int
    count: int
    extra: str = ""
    torch: bool = False


class TorchBackendOlder(Value, frozen=True):
    """A build of torch is not of the newest backend, or is the CPU build.

    ``other`` is the next newer backend that has it, for other machines; ``is_last``
    means that there is none after it. ``obstacle`` is why the target cannot run it.
    """

    backend: str
    other: str
    obstacle: Obstacle
    is_last: bool


class TorchBackendUnfit(Value, frozen=True):
    """The user names a backend that the target cannot run."""

    backend: str
    obstacle: Obstacle


class TorchBackendUnset(Value, frozen=True):
    """A target with an accelerator has a build of torch that was not made for it."""

    accelerator: str


class TorchBackendsMixed(Value, frozen=True):
    """torch and a project built against it are of several backends.

    ``pins`` are project and version, as text.
    """

    pins: tuple[str, ...]


class EntryUnmatched(Value, frozen=True):
    """An ``entry`` of a setting names nothing that a locked release has.

    ``there`` are the namespaces that locked releases have.
    """

    setting: VariantSetting
    entry: str
    there: tuple[str, ...]


class VariantMarkerUnmet(Value, frozen=True):
    """A requirement of the project has a variant marker, which is never true.

    Variant markers refer to the wheel whose metadata has them (PEP 825).
    """

    requirement: str
    origin: str


class RequiresProject(Value, frozen=True):
    """The project requires itself, which installs nothing."""

    origin: str


Finding = (
    AcceleratorMissed
    | Behind
    | BetterLabelLost
    | BetterLabelYanked
    | DriverTooOld
    | EntryUnmatched
    | ExtraMissing
    | LabelPinUnused
    | LibrariesForNothing
    | NamespaceUnknown
    | PatchNeeded
    | PatternUnmatched
    | RequiredUnused
    | RequiresProject
    | SeveralMajors
    | TorchBackendOlder
    | TorchBackendUnfit
    | TorchBackendUnset
    | TorchBackendsMixed
    | UploadTimesMissing
    | VariantMarkerUnmet
    | VariantsLost
    | YankedPin
)
"""All kinds of findings."""


class Note(Value, frozen=True, kw_only=True):
    """One note, about one project.

    ``versions`` and ``targets`` are those that it concerns, in order; ``versions`` is
    empty if it concerns none in particular. ``key`` is the setting that changes it, as
    a dotted path, empty for none.
    """

    project: str
    finding: Finding
    versions: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    key: str = ""


def shared(notes: Iterable[Note], *, same_key: bool = False) -> Iterator[Note]:
    """Yield notes that differ only in their targets as one.

    Notes that differ in their key too are one, with the first key, unless they must
    have the ``same_key``.
    """
    found: dict[tuple[object, ...], Note] = {}
    for note in notes:
        same = note.project, note.versions, note.finding, same_key and note.key
        first = found.get(same, note)
        targets = dict.fromkeys((*first.targets, *note.targets))
        found[same] = replace(first, targets=tuple(targets))
    yield from found.values()
