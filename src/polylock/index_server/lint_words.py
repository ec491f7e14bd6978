"""The words of the findings of ``polylock index lint``, and how serious each is.

One table has them all: level, cause, next step, and the paragraph that says so.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

from polylock.index_server.lint import Finding, FindingKind
from polylock.model.impossible_tags import TagFault
from polylock.model.visible_text import visible
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RULES", "Level", "Rule", "cause", "document", "level", "next_step"]


class Level(enum.StrEnum):
    """How serious a finding is; a note does not change the exit code."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Rule(Value, frozen=True):
    """The words of a kind; ``{name}`` in them is a detail of the finding.

    ``source`` is the paragraph that requires it, empty where no standard does.
    """

    level: Level
    cause: str
    next_step: str
    source: str = ""


_ERROR, _WARNING, _NOTE = Level.ERROR, Level.WARNING, Level.NOTE
_REBUILD = (
    "build the wheel again with the right properties, under a new version or build "
    "number"
)
_NAMES = 'PEP 825, "Variant label"'
_INDEX = 'PEP 825, "Index-level metadata"'
_CONSISTENT = 'PEP 825, "Metadata consistency"'
_VARIANTS = 'PEP 825, "Variants"'
_PRIORITIES = 'PEP 825, "Default priorities"'
_PROVIDERS = 'PEP 850, "Providers"'
_INFORMATION = 'PEP 850, "Provider information"'
_ABI = 'PEP 850, "ABI Dependency Variant Provider"'

RULES: Mapping[FindingKind, Rule] = {
    FindingKind.FILE_NAME: Rule(
        _ERROR,
        "it is not the file name of a wheel of this project: {problem}",
        "rename the file by the binary distribution format",
        _NAMES,
    ),
    FindingKind.FILE_UNREADABLE: Rule(
        _ERROR,
        "the index lists it, but it cannot be read: {problem}",
        "upload the file again, or remove it from the page",
        _INDEX,
    ),
    FindingKind.INDEX_FILE_MISSING: Rule(
        _ERROR,
        "the release has variant wheels, but the page lists no {expected}",
        "make it with `polylock index build --append URL`",
        _INDEX,
    ),
    FindingKind.INDEX_FILE_NAME: Rule(
        _ERROR,
        "it is not the name of the index-level file: {problem}",
        "rename the file, and correct the page",
        _INDEX,
    ),
    FindingKind.INDEX_FILE_TWICE: Rule(
        _ERROR,
        "one release has several index-level files; installers read one of them",
        "remove all but one",
        _INDEX,
    ),
    FindingKind.INDEX_FILE_HASH: Rule(
        _ERROR,
        "its hash is {actual}, and the page says {wanted}; installers refuse it",
        "write the hash of the file that is there into the page",
        "Simple repository API",
    ),
    FindingKind.INDEX_FILE_UNUSED: Rule(
        _WARNING,
        "the release has no variant wheel",
        "remove the file, or upload the variant wheels",
        _INDEX,
    ),
    FindingKind.METADATA_INVALID: Rule(
        _ERROR,
        "{problem}; installers leave out all variants that it describes",
        "correct the file",
        'PEP 825, "Variant metadata"',
    ),
    FindingKind.WHEEL_METADATA_MISSING: Rule(
        _ERROR,
        "it has the label {label} in its name, but no variant.json in it",
        _REBUILD,
        'PEP 825, "Variant wheel"',
    ),
    FindingKind.WHEEL_DIFFERS: Rule(
        _ERROR,
        "it gives the label {label} other properties than {first}",
        "give the new properties a label of their own",
        _CONSISTENT,
    ),
    FindingKind.PRIORITIES_DIFFER: Rule(
        _ERROR,
        "its namespaces are in another order than in {first}",
        "use one order for all wheels of the release; the longer list must start "
        "with the shorter",
        _CONSISTENT,
    ),
    FindingKind.PROVIDERS_DIFFER: Rule(
        _ERROR,
        "it has another provider for the namespace than {first}",
        "use one provider for all wheels of the release",
        'PEP 850, "High level design"',
    ),
    FindingKind.LABEL_MISSING: Rule(
        _ERROR,
        "{index_file} does not list its label {label}, so no installer takes it",
        "add the label with `polylock index build --append URL`",
        _INDEX,
    ),
    FindingKind.LABEL_UNUSED: Rule(
        _WARNING,
        "no wheel on the index has the label {label}",
        "upload its wheels, or remove the label",
        _INDEX,
    ),
    FindingKind.LABEL_EMPTY: Rule(
        _WARNING,
        "the label {label} has no properties; the label of that variant is null",
        "use the label null for the variant without properties",
        _NAMES,
    ),
    FindingKind.LABELS_ALIKE: Rule(
        _ERROR,
        "the label {label} has the same properties as {first}: its name alone decides",
        "use one label, or give each a property of its own",
        _NAMES,
    ),
    FindingKind.NAMESPACE_UNLISTED: Rule(
        _ERROR,
        "the list lacks {namespace}, which labels use, so no machine supports them",
        "add it to the list, in the wheels as well",
        _PRIORITIES,
    ),
    FindingKind.NAMESPACE_RESERVED: Rule(
        _ERROR,
        "abi_dependency is reserved, and must not be listed",
        "remove it",
        _ABI,
    ),
    FindingKind.PROVIDERS_INCOMPLETE: Rule(
        _ERROR,
        "the namespaces of providers and of default-priorities must be the same, and "
        "{namespace} is in {where} alone",
        "add it to the other, or remove it",
        _INFORMATION,
    ),
    FindingKind.FEATURE_UNKNOWN: Rule(
        _ERROR,
        "no provider of {namespace} reports the feature {feature}, so no machine "
        "installs the label",
        _REBUILD,
        'PEP 825, "Variant properties"',
    ),
    FindingKind.VALUES_IMPOSSIBLE: Rule(
        _ERROR,
        "no machine supports {values}, and the feature has no other value, so no "
        "machine installs the label",
        _REBUILD,
        'PEP 825, "Variant properties"',
    ),
    FindingKind.VALUES_UNKNOWN: Rule(
        _WARNING,
        "no machine supports {values}; the other values of the feature decide",
        "leave these values out of the next release",
        _PROVIDERS,
    ),
    FindingKind.VALUES_SEVERAL: Rule(
        _ERROR,
        "{feature} may have one value in a wheel, and has {values}",
        _REBUILD,
        'PEP 850, "Variant feature config class"',
    ),
    FindingKind.VALUES_UNSORTED: Rule(
        _WARNING,
        "the values are not sorted lexically; sorted, they begin with {sorted}",
        "sort them as text; `polylock index build` does so",
        _VARIANTS,
    ),
    FindingKind.ABI_VALUE: Rule(
        _ERROR,
        "{values} is not a release of up to three numbers",
        _REBUILD,
        _ABI,
    ),
    FindingKind.KEY_UNKNOWN: Rule(
        _WARNING,
        "the format version of the file has no such key",
        "remove the key, or name the version that has it in $schema",
        'PEP 825, "Appendices"',
    ),
    FindingKind.SCHEMA_URL: Rule(
        _ERROR,
        "{schema} is not a schema on packaging.python.org",
        "write the URL of the published schema",
        'PEP 825, "Schema"',
    ),
    FindingKind.LOCAL_VERSION: Rule(
        _WARNING,
        "the local version +{local} names a kind of machine, which installers do not "
        "know: who asks for the version gets the one that sorts last",
        "publish one version, with {local} as the label of a variant",
        _NAMES,
    ),
    FindingKind.TAG_IMPOSSIBLE: Rule(
        _WARNING,
        "no machine installs a wheel for {tag}: {why}",
        "build the wheel again with the right tag",
        "Platform compatibility tags",
    ),
    FindingKind.CUDA_MAJOR: Rule(
        _WARNING,
        "the label {label} is for CUDA {major}, and the wheel requires {requires}",
        "require the libraries of CUDA {major}, or correct the label's lower bound",
    ),
    FindingKind.SCHEMA_DRAFT: Rule(
        _NOTE,
        "{schema} is a draft of the format, which is not for production",
        "write the final version when PEP 825 is accepted",
        'PEP 825, "Variant metadata"',
    ),
    FindingKind.VALUES_UNLISTED: Rule(
        _NOTE,
        "the published provider of {namespace} does not list {values}; it reports "
        "them on some machines alone",
        "ask for the values in a release of the provider",
        _PROVIDERS,
    ),
    FindingKind.ABI_SPELLING: Rule(
        _NOTE,
        "PEP 850 writes {feature} with hyphens, which PEP 825 does not allow",
        "write {spelled}, which `polylock index build` does",
        'PEP 825, "Variant properties"',
    ),
    FindingKind.TOO_MANY: Rule(
        _ERROR,
        "the release has {further} further findings, which are not listed",
        "correct those above, and lint again",
    ),
    FindingKind.WHEEL_NOT_OPENED: Rule(
        _NOTE,
        "its variant.json was not compared: {reason}",
        "lint a folder with the wheels, or serve them with range requests",
        _CONSISTENT,
    ),
}

_STATIC = {
    FindingKind.FEATURE_UNKNOWN: (
        "the static properties of {namespace} lack the feature {feature}, so no "
        "machine installs the label"
    ),
    FindingKind.VALUES_IMPOSSIBLE: (
        "the static properties of {namespace} lack {values}, and the feature has no "
        "other value, so no machine installs the label"
    ),
    FindingKind.VALUES_UNKNOWN: (
        "the static properties of {namespace} lack {values}; the other values of the "
        "feature decide"
    ),
}
"""The cause where the metadata itself lists what is supported."""

_TAG_FAULTS = {
    TagFault.PLATFORM: "it is not a platform tag",
    TagFault.MACOS_VERSION: "there is no such macOS (11.0 is written 11_0)",
    TagFault.MACOS_MINOR: "from macOS 11, installers look for minor version 0 alone",
    TagFault.MACOS_ARM64: "Macs with arm64 have macOS 11 or later",
    TagFault.LIBC: "there is no such C library",
    TagFault.PROCESSOR: "the platform has another name for the processor",
    TagFault.ABI: "the ABI is not of that Python",
}


def level(found: Finding) -> Level:
    """Return the severity of a finding."""
    return RULES[found.kind].level


def cause(found: Finding) -> str:
    """Return the finding as one line without control characters."""
    template = RULES[found.kind].cause
    if found.detail.get("static"):
        template = _STATIC.get(found.kind, template)
    detail = dict(found.detail)
    if "fault" in detail:
        detail["why"] = _TAG_FAULTS[TagFault(detail["fault"])]
    text = template.format(**detail)
    if detail.get("close"):
        text += f" (did you mean {detail['close']}?)"
    return visible(text)


def next_step(found: Finding) -> str:
    """Return the advice for a finding."""
    return visible(RULES[found.kind].next_step.format(**found.detail))


def document(found: Finding) -> dict[str, Any]:
    """Return a finding of ``index lint --json`` (index-lint.schema.json)."""
    return {
        "kind": found.kind.value,
        "level": level(found).value,
        "project": found.project,
        "version": found.version or None,
        "files": list(found.files),
        "key": found.key or None,
        "detail": dict(sorted(found.detail.items())),
        "cause": cause(found),
        "next-step": next_step(found),
        "source": RULES[found.kind].source or None,
    }
