"""Compare this machine with the targets of a lock file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.environment.discovery import PythonRequest
from polylock.errors import NoTargetFits
from polylock.lockfile.record import locked_target
from polylock.model.target import PythonRelease, Target
from polylock.model.target_properties import (
    has_built_in_provider,
    supported_properties,
)
from polylock.providers.derive import build_target
from polylock.providers.detect import DetectedMachine, detect_machine
from polylock.providers.machine import this_host
from polylock.providers.satisfaction import (
    missing_hardware,
    missing_system,
    offer,
    one_of,
)
from polylock.values import Value, replace
from polylock.variants.ordering import unmet_features
from polylock.variants.properties import SupportedProperties
from polylock.variants.variant_schema import ABI_DEPENDENCY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from polylock.environment.interpreter import Interpreter
    from polylock.lockfile.locked_needs import LockedLabel, PropertySource
    from polylock.lockfile.pylock import Pylock
    from polylock.operations.chosen import Chosen

__all__ = [
    "AUTO",
    "Fit",
    "bare_machine",
    "fits",
    "none_fits",
    "python_release",
    "target_of_this_machine",
    "this_machine",
]

AUTO = "auto"
"""The value of ``--target`` for the first target that this machine satisfies."""

_DETECTED = frozenset({"aarch64", "amd", "ascend", "intel", "nvidia", "tpu", "x86_64"})
_SWITCHED_ON = ("on",)


class Fit(Value, frozen=True, kw_only=True):
    """A target of the lock file, compared with this machine; one clause a difference.

    ``refused`` is what this machine lacks for what is locked: the system, the Python,
    and the properties of the locked labels and of the chosen sources. ``beyond`` is
    what the target describes and this machine lacks, without need of it.
    """

    target: Target
    refused: tuple[str, ...] = ()
    beyond: tuple[str, ...] = ()


def this_machine() -> DetectedMachine:
    """Detect this machine; raises UsageError if no target can describe it."""
    return detect_machine(this_host())


def bare_machine() -> DetectedMachine:
    """Return this machine with only the baseline of its architecture.

    A target that this satisfies is also satisfied by the real hardware.
    """
    return detect_machine(this_host(), hardware=False)


def python_release(interpreter: Interpreter) -> PythonRelease:
    """Return the Python of an environment as a release of a target."""
    request = PythonRequest.parse(interpreter.version.partition("+")[0])
    major, minor = interpreter.release
    patch = request.patch if request is not None else None
    return PythonRelease(
        implementation=interpreter.implementation,
        major=major,
        minor=minor,
        patch=patch,
        free_threaded=interpreter.free_threaded,
    )


def fits(
    pylock: Pylock,
    machine: DetectedMachine,
    python: PythonRelease | None,
    *,
    chosen: Chosen,
    only: str | None = None,
) -> list[Fit]:
    """Compare a machine with every target of a lock file in order, or with one.

    ``python`` None assumes each target's own Python, for an environment that does not
    exist yet. ``chosen`` is what would be installed.
    """
    found = []
    for record in pylock.polylock.targets if pylock.polylock else ():
        if only is not None and record.name != only:
            continue
        target = locked_target(record)
        assumed = python or target.description.python
        here = build_target(machine.describe(assumed))
        found.append(_fit(pylock, target, here, chosen))
    return found


def _fit(pylock: Pylock, target: Target, here: Target, chosen: Chosen) -> Fit:
    system = missing_system(target, here)
    if target.description.architecture is not here.description.architecture:
        return Fit(target=target, refused=system)
    # 6 ms that commands without `auto` do not pay.
    from polylock.lockfile.locked_needs import (  # noqa: PLC0415 - see above
        locked_labels,
        property_sources,
    )

    labels = tuple(locked_labels(pylock, target, **chosen.options))
    sources = property_sources(pylock, target, **chosen.options)
    enabled = pylock.enabled_providers
    refused = (
        *system,
        *(line for label in labels for line in _unmet(label, target, here, enabled)),
        *(line for source in sources for line in _unsupported(source, here)),
        *_unfit_backends(pylock, target, here, chosen),
    )
    used = {
        (namespace, feature)
        for found in labels
        for namespace, features in found.metadata.variants[found.label].items()
        for feature in features
    }
    described = replace(
        target,
        stated=_detectable(target.stated),
        derived=_relevant(target.derived, used),
    )
    return Fit(target=target, refused=refused, beyond=missing_hardware(described, here))


def _unmet(
    found: LockedLabel, target: Target, here: Target, enabled: Sequence[str]
) -> Iterator[str]:
    """Yield a clause for each feature of a locked label that this machine lacks.

    PEP 825, "Variant properties": "For the wheel to be considered compatible with a
    system, at least one value for every feature listed in its properties MUST be
    compatible with the system."
    """
    # The user's lists of what polylock cannot detect are the only source.
    stated = SupportedProperties(
        {
            namespace: features
            for namespace, features in target.stated.namespaces.items()
            if not has_built_in_provider(found.metadata, namespace, target)
        }
    )
    machine = replace(target, stated=stated, derived=here.derived)
    supported = supported_properties(found.metadata, machine, enabled)
    for unmet in unmet_features(
        found.metadata, supported, found.label, deferred_namespaces=(ABI_DEPENDENCY,)
    ):
        yield (
            f"{found.name} {found.version} label {found.label}: "
            f"{unmet.namespace} :: {unmet.feature} :: {one_of(unmet.values)}: "
            f"{offer(unmet.offered)}"
        )


def _unsupported(source: PropertySource, here: Target) -> Iterator[str]:
    """Yield a clause for each property of a chosen source that this machine lacks."""
    for wanted in source.properties:
        if wanted.namespace not in _DETECTED:
            continue  # known from the user's lists alone
        offered = here.derived.features(wanted.namespace).get(wanted.feature, ())
        if wanted.value not in offered:
            yield f"{source.name} from {source.source}: {wanted}: {offer(offered)}"


def _unfit_backends(
    pylock: Pylock, target: Target, here: Target, chosen: Chosen
) -> Iterator[str]:
    """Yield a clause for each backend of torch that this machine cannot run.

    The user named a backend that the target itself cannot run, and ``lock`` noted it.
    """
    from polylock.lockfile.locked_needs import (  # noqa: PLC0415 - see _fit
        has_torch_backend,
        locked_backends,
    )

    if not has_torch_backend(pylock, target):
        return
    # These read the data of all backends.
    from polylock.explain.words import obstacle_clause  # noqa: PLC0415 - see above
    from polylock.project.torch_backends import (  # noqa: PLC0415 - see above
        backend_fit,
        torch_projects,
    )

    # A lock file has the lists that follow from the hardware, and not the hardware.
    lists = {**target.derived.namespaces, **target.stated.namespaces}
    described = replace(target.description, properties=lists)
    reported = set()
    for build in locked_backends(
        pylock,
        target,
        projects=torch_projects(),
        **chosen.options,
    ):
        fit = backend_fit(build.backend, here.description)
        wanted = backend_fit(build.backend, described)
        if fit is None or wanted is None or build.backend in reported:
            continue
        if not fit.runs(build.version) and wanted.runs(build.version):
            reported.add(build.backend)
            assert fit.obstacle is not None  # it is why not all versions run
            clause = obstacle_clause(build.backend, fit.obstacle)
            yield f"{build.name} {build.version}: {clause}"


def target_of_this_machine(pylock: Pylock, chosen: Chosen) -> str:
    """Return the first target for this machine; raises NoTargetFits.

    A target that this machine satisfies wholly comes before one of which it can only
    install what is locked.
    """
    found = fits(pylock, this_machine(), None, chosen=chosen)
    able = [fit for fit in found if not fit.refused]
    if not able:
        raise none_fits(found)
    return next((fit for fit in able if not fit.beyond), able[0]).target.name


def none_fits(found: list[Fit]) -> NoTargetFits:
    """Return the error of a machine that satisfies none of the targets."""
    reasons = [f"{fit.target.name}: {'; '.join(fit.refused[:3])}" for fit in found]
    return NoTargetFits(AUTO, reasons or ["the lock file names no targets"])


def _detectable(stated: SupportedProperties) -> SupportedProperties:
    """Remove namespaces that no built-in provider can detect.

    The user's list is then the only source, for the target and for this machine.
    """
    return SupportedProperties(
        {
            namespace: features
            for namespace, features in stated.namespaces.items()
            if namespace in _DETECTED
        }
    )


def _relevant(
    derived: SupportedProperties, used: set[tuple[str, str]]
) -> SupportedProperties:
    """Remove CPU features that no locked variant requires.

    Virtual machines often hide a few CPU features. The level is sufficient unless a
    wheel requires a feature.
    """

    def kept(
        namespace: str, features: Mapping[str, tuple[str, ...]]
    ) -> dict[str, tuple[str, ...]]:
        return {
            feature: values
            for feature, values in features.items()
            if values != _SWITCHED_ON or (namespace, feature) in used
        }

    return SupportedProperties(
        {
            namespace: kept(namespace, features)
            for namespace, features in derived.namespaces.items()
        }
    )
