"""The keys of a target's table that say what system it is, as values.

Each function takes the whole table and raises ProjectError with the key path.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn

from packaging.utils import InvalidName, canonicalize_name

from polylock.model.platforms import DEFAULT_LIBC, DEFAULT_MACOS
from polylock.model.requirements import InvalidRequirement, Requirement
from polylock.model.target import (
    Architecture,
    OperatingSystem,
    PythonRelease,
    usual_platform,
)
from polylock.toml_tables import toml_type
from polylock.variants.properties import (
    is_feature_name,
    is_feature_value,
    is_label,
    is_namespace,
)
from polylock.variants.variant_schema import ABI_DEPENDENCY

if TYPE_CHECKING:
    from collections.abc import Collection

    from polylock.toml_tables import Table

__all__ = [
    "MAJOR_MINOR",
    "PYTHON_ADVICE",
    "check_keys",
    "close_names",
    "parse_python",
    "preset_advice",
    "read_dependencies",
    "read_libc",
    "read_macos",
    "read_platform",
    "read_properties",
    "read_python",
    "read_runs_on",
    "read_variants",
    "refuse",
]

MAJOR_MINOR = re.compile(r"([0-9]{1,3})\.([0-9]{1,3})")
"""A version of two numbers."""

PYTHON_ADVICE = 'write python = "3.12", "3.12.7", "3.13t" or "pypy3.11", or a list'

_PYTHON = re.compile(
    r"(?P<implementation>cpython|pypy)?3\.(?P<minor>[0-9]{1,2})"
    r"(?:\.(?P<patch>[0-9]{1,3}))?(?P<threads>t)?"
)
_LABEL_ADVICE = 'write a label such as "cu130", or "" for the wheel without one'
_FIRST_FREE_THREADED = 13
_NEWEST_MINOR = 20  # one a year: 3.15 is of 2026
_LIBC = re.compile(r"(glibc|musl)-([0-9]{1,3})\.([0-9]{1,3})")
_PLATFORM_ADVICE = (
    "write linux, macos or windows, a hyphen, and x86_64 or aarch64: linux-x86_64"
)
_ARCHITECTURES = {
    "x86_64": Architecture.X86_64,
    "amd64": Architecture.X86_64,
    "aarch64": Architecture.AARCH64,
    "arm64": Architecture.AARCH64,
}
_FIRST_MACOS = {Architecture.X86_64: 10, Architecture.AARCH64: 11}


def refuse(
    table: Table, problem: str, *inside: str | int, advice: str | None = None
) -> NoReturn:
    """Raise ProjectError for a key path inside a table."""
    raise table.error(problem, *inside, advice=advice)


def check_keys(table: Table, allowed: Collection[str]) -> None:
    """Refuse a key that is not allowed; the advice has the close one and all."""
    for key in table.values:
        if key not in allowed:
            advice = f"allowed keys: {', '.join(allowed)}"
            import difflib  # noqa: PLC0415 - for a misspelling only

            close = difflib.get_close_matches(key, list(allowed), n=1)
            if close:
                advice = f"did you mean {close[0]}? {advice}"
            refuse(table, "is not a known key", key, advice=advice)


def close_names(name: str, known: Collection[str]) -> str:
    """Return advice for a name that does not exist: the close ones, else all."""
    import difflib  # noqa: PLC0415 - for a misspelling only

    close = difflib.get_close_matches(name, list(known), n=3)
    if close:
        return f"did you mean {' or '.join(close)}?"
    return f"there are: {', '.join(known)}" if known else "there are none"


def preset_advice(name: str, known: Collection[str]) -> str:
    """Return advice for a preset that there is not: the close ones, else the list.

    All names would fill a page.
    """
    from polylock.project.presets import find_name  # noqa: PLC0415 - for a wrong name

    if (meant := find_name(name)) is not None:
        return f"did you mean {meant}?"
    if known and not (advice := close_names(name, known)).startswith("there"):
        return advice
    return (
        f"`polylock targets presets` lists all {len(known)}, "
        "`polylock targets presets WORD` those with a word"
    )


def read_platform(table: Table) -> tuple[OperatingSystem, Architecture]:
    """Return ``platform``, which every target has, itself or inherited."""
    text = table.string("platform")
    if text is None:
        advice = f"{_PLATFORM_ADVICE}; or name a preset, or another target to extend"
        refuse(table, "is missing", "platform", advice=advice)
    system, _, architecture = text.partition("-")
    if system not in set(OperatingSystem) or (
        architecture.lower() not in _ARCHITECTURES
    ):
        problem = f"{text!r} is not a platform"
        refuse(table, problem, "platform", advice=_PLATFORM_ADVICE)
    return OperatingSystem(system), _ARCHITECTURES[architecture.lower()]


def read_libc(table: Table, system: OperatingSystem) -> str | None:
    """Return ``libc``, glibc-2.28 where none is given; None outside Linux."""
    text = table.string("libc")
    if system is not OperatingSystem.LINUX:
        if text is not None:
            problem = f"does not fit a {system} target"
            refuse(table, problem, "libc", advice="libc is for Linux targets")
        return None
    text = text or DEFAULT_LIBC
    found = _LIBC.fullmatch(text)
    if found is None:
        advice = "write glibc-2.34 or musl-1.2: the oldest version to support"
        problem = f"{text!r} is not a C library with its version"
        refuse(table, problem, "libc", advice=advice)
    return f"{found[1]}-{int(found[2])}.{int(found[3])}"


def read_macos(
    table: Table, system: OperatingSystem, architecture: Architecture
) -> str | None:
    """Return ``macos``, 14.0 where none is given; None outside macOS."""
    text = table.string("macos")
    if system is not OperatingSystem.MACOS:
        if text is not None:
            problem = f"does not fit a {system} target"
            refuse(table, problem, "macos", advice="macos is for macOS targets")
        return None
    text = text or DEFAULT_MACOS
    found = MAJOR_MINOR.fullmatch(text)
    if found is None:
        advice = 'write the oldest version to support, as in macos = "14.0"'
        refuse(table, f"{text!r} is not a macOS version", "macos", advice=advice)
    if int(found[1]) < _FIRST_MACOS[architecture]:
        advice = f"macOS {_FIRST_MACOS[architecture]} was the first"
        platform = usual_platform(f"{system}-{architecture}")
        problem = f"macOS {text} does not run on {platform.partition('-')[2]}"
        refuse(table, problem, "macos", advice=advice)
    return f"{int(found[1])}.{int(found[2])}"


def read_python(value: object, table: Table, *inside: str | int) -> PythonRelease:
    """Return the Python that a value of the project file means."""
    if not isinstance(value, str):
        # 3.1 has been 3.10: as a number they are the same.
        text = "3.10" if value == 3.1 else value
        advice = f'write "{text}"' if isinstance(value, float) else PYTHON_ADVICE
        problem = f"must be a string, not {toml_type(value)}"
        refuse(table, problem, *inside, advice=advice)
    python = parse_python(value)
    if python is None:
        problem = f"{value!r} is not a Python that a target can name"
        refuse(table, problem, *inside, advice=PYTHON_ADVICE)
    return python


def parse_python(text: str) -> PythonRelease | None:
    """Parse ``3.12``, ``3.12.7``, ``3.13t``, ``pypy3.11``; None where it is none.

    So is what will not be released for years, which is a slip: no package has files
    for it, and each version that allows it would be locked.
    """
    found = _PYTHON.fullmatch(text)
    if found is None:
        return None
    implementation = found["implementation"] or "cpython"
    minor = int(found["minor"])
    if minor > _NEWEST_MINOR:
        return None
    free_threaded = found["threads"] is not None
    if free_threaded and (implementation != "cpython" or minor < _FIRST_FREE_THREADED):
        return None
    return PythonRelease(
        implementation=implementation,
        major=3,
        minor=minor,
        patch=None if found["patch"] is None else int(found["patch"]),
        free_threaded=free_threaded,
    )


def read_properties(table: Table) -> dict[str, dict[str, tuple[str, ...]]]:
    """Return ``properties``: namespace to feature to values, the best first."""
    root = table.table("properties")
    lists: dict[str, dict[str, tuple[str, ...]]] = {}
    for namespace in root.values:
        if not is_namespace(namespace) or namespace == ABI_DEPENDENCY:
            advice = "a namespace is of a-z, 0-9 and _, and not abi_dependency"
            problem = "is not a namespace that a target can state"
            refuse(root, problem, namespace, advice=advice)
        features = root.table(namespace)
        lists[namespace] = {}
        for feature in features.values:
            if not is_feature_name(feature):
                advice = "the name of a feature is of a-z, 0-9 and _"
                refuse(features, "is not a feature name", feature, advice=advice)
            values = features.strings(feature)
            if not values or not all(is_feature_value(value) for value in values):
                advice = 'write a list such as ["v2", "v1"], of a-z, 0-9, _ and .'
                problem = "must list feature values, the best first"
                refuse(features, problem, feature, advice=advice)
            lists[namespace][feature] = tuple(dict.fromkeys(values))
    return lists


def read_runs_on(table: Table) -> tuple[str, ...]:
    """Return ``runs-on``, one label or several."""
    value = table.values.get("runs-on", [])
    if isinstance(value, (str, list)):
        return (value,) if isinstance(value, str) else table.strings("runs-on")
    raise table.wrong_type("a string or an array of strings", "runs-on", found=value)


def read_dependencies(table: Table) -> tuple[str, ...]:
    """Return ``dependencies``, each a valid requirement."""
    texts = table.strings("dependencies")
    for position, text in enumerate(texts):
        try:
            Requirement.parse(text)
        except InvalidRequirement as error:
            problem = f"{text!r} is not a requirement"
            refuse(table, problem, "dependencies", position, advice=str(error))
    return texts


def read_variants(table: Table) -> dict[str, str]:
    """Return ``variants``: normalized project name to its label, sorted by name."""
    wanted = table.table("variants")
    found: dict[str, str] = {}
    for name, label in sorted(wanted.values.items()):
        if not isinstance(label, str):
            raise wanted.wrong_type("a label", name, found=label)
        if label and not is_label(label):
            problem = f"{label!r} is not a variant label"
            refuse(wanted, problem, name, advice=_LABEL_ADVICE)
        try:
            project = canonicalize_name(name, validate=True)
        except InvalidName:
            refuse(wanted, "is not the name of a project", name)
        if found.setdefault(project, label) != label:
            refuse(wanted, f"names {project} twice", name)
    return found
