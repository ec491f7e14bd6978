"""Requirements files, converted to ``[project]`` and ``[tool.polylock]``.

``requirements.in`` and ``requirements.txt`` become the dependencies, others with a name
in theirs, as ``requirements-dev.txt``, a dependency group. In the output of pip-compile
and uv only what the project itself requires counts; the rest are pins for
``lock --pins-from``.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name

from polylock.errors import LockFileInvalid
from polylock.foreign.conversion import as_list, as_table, requirement_name
from polylock.foreign.requirements_file import (
    RequirementsLine,
    read_requirement_lines,
)
from polylock.foreign.target_choice import TargetChoice
from polylock.model.filenames import InvalidFilename, SdistFilename, WheelFilename
from polylock.project.torch_backends import is_torch_index, torch_projects
from polylock.toml_tables import InvalidToml, parse_toml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from polylock.foreign.conversion import Conversion, ConversionDefaults, Files

__all__ = ["convert_requirements", "requirement_files"]

_PATTERNS = (
    "requirements*.in",
    "requirements*.txt",
    "*-requirements.in",
    "*-requirements.txt",
    "*_requirements.txt",
    "requirements/*.in",
    "requirements/*.txt",
)
_MAIN = {"", "base", "main", "prod", "production", "requirements", "core", "common"}
_CONSTRAINTS = re.compile(r"(?:^|[/._-])constraints?\b")
_STEM = re.compile(r"\.(?:in|txt)$|requirements|[/._-]+")
_VIA_SELF = re.compile(r"#.*(?:\s-r\s|\(pyproject\.toml\)|\(setup\.(?:py|cfg)\))")
_VIA = re.compile(r"(?m)^\s+#\s+via\b|\S\s+#\s+via\b")
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9._-]+)(?:\[([^\]]*)\])?")
_ABOUT_PIP: dict[str, tuple[str, str]] = {
    "--trusted-host": ("certificates are always verified", "set SSL_CERT_FILE"),
    "--require-hashes": ("every file of a lock file has a hash", ""),
    "--prefer-binary": ("a wheel always comes before a source distribution", ""),
    "--use-feature": ("it is about pip itself", ""),
    "--no-index": ("there is no key for it", "declare only the indexes to use"),
    "--config-settings": ("a requirement has no options", ""),
    "--global-option": ("a requirement has no options", ""),
}


def requirement_files(files: Files) -> list[str]:
    """Return the requirements files of a project, inputs before their outputs.

    A file that was made from an input beside it is left out.
    """
    found = dict.fromkeys(
        path for pattern in _PATTERNS for path in files.matching(pattern)
    )
    inputs = {path.removesuffix(".in") for path in found if path.endswith(".in")}
    return [
        path
        for path in found
        if not (path.endswith(".txt") and path.removesuffix(".txt") in inputs)
    ]


def convert_requirements(
    conversion: Conversion, files: Files, defaults: ConversionDefaults
) -> None:
    """Convert requirements files; raises ProjectError and LockFileInvalid."""
    _Requirements(conversion, files, defaults).convert()


class _Requirements:
    def __init__(
        self, conversion: Conversion, files: Files, defaults: ConversionDefaults
    ) -> None:
        self.conversion = conversion
        self.files = files
        self.defaults = defaults
        self.first: list[tuple[str, str, bool]] = []
        self.main: list[tuple[str, str]] = []
        self.included: set[str] = set()
        self.paths = {path for pattern in _PATTERNS for path in files.matching(pattern)}

    def convert(self) -> None:
        conversion = self.conversion
        paths = requirement_files(self.files)
        if not paths:
            raise LockFileInvalid(
                conversion.path, "", "has no requirements file beside it"
            )
        self._project()
        had = bool(conversion.project.get("dependencies"))
        contents = {path: self._read(path, ()) for path in paths}
        for path, texts in contents.items():
            if path in self.included or _CONSTRAINTS.search(path):
                continue
            group = canonicalize_name(_STEM.sub(" ", path).strip().replace(" ", "-"))
            if group not in _MAIN:
                conversion.add_requirements(("dependency-groups", group), texts, path)
            elif had:
                self._not_taken(path, texts)
            else:
                conversion.add_requirements(("project", "dependencies"), texts, path)
        self._indexes()
        choice = TargetChoice(conversion, self.defaults)
        choice.write()
        choice.targets()

    def _project(self) -> None:
        """Write ``[project]``, or make the dynamic dependencies of one static."""
        conversion = self.conversion
        if "project" not in conversion.document:
            project = conversion.place("project")
            project["name"] = self.defaults.directory_name
            project["version"] = "0.1.0"
            conversion.note("the directory's name", "project.name")
        project = conversion.project
        dynamic = project.get("dynamic")
        if isinstance(dynamic, list) and "dependencies" in dynamic:
            dynamic.remove("dependencies")
            if not dynamic:
                del project["dynamic"]
            conversion.note("project.dynamic", "project.dependencies")
        project.setdefault("dependencies", [])

    def _not_taken(self, path: str, texts: list[str]) -> None:
        known = {
            requirement_name(text)
            for text in as_list(self.conversion.project.get("dependencies"))
        }
        more = [text for text in texts if requirement_name(text) not in known]
        if more:
            self.conversion.leave(
                path,
                "[project] has dependencies already, and not "
                + ", ".join(str(requirement_name(text) or text) for text in more[:5]),
                f"`polylock add -r {path}` adds them",
            )

    def _read(self, path: str, parents: tuple[str, ...]) -> list[str]:
        """Return the requirements of a file; options are converted on the way."""
        text = self.files.read(path)
        if text is None:
            raise LockFileInvalid(path, "", "does not exist")
        direct = _direct_names(text)
        found: list[str] = []
        for line in read_requirement_lines(text.encode(), path):
            origin = f"{path} line {line.number}"
            if line.option in {"-r", "--requirement"}:
                other = _inside(path, line.value)
                if other in {*parents, path}:
                    place = f"line {line.number}"
                    raise LockFileInvalid(path, place, "includes itself")
                self.included.add(other)
                found += self._read(other, (*parents, path))
            elif line.option is not None:
                self._option(line, path, origin, found)
            elif line.is_place:
                found += self._place(line.value, path, origin, is_editable=False)
            else:
                name = requirement_name(line.value)
                if direct is None:
                    found += self._named(line.value, origin)
                elif name in direct:
                    found += self._named(_without_pin(line.value), origin)
        if direct is not None:
            self.conversion.leave(
                path,
                "a compiler wrote it, which does not say what its input allows",
                "limit the versions of the project where that matters",
            )
        return found

    def _named(self, text: str, origin: str) -> Iterator[str]:
        head, at, url = text.partition("@")
        if at and url.strip().startswith((".", "/", "file:")):
            yield from self._at(head.strip(), url.strip(), origin, is_editable=False)
            return
        if _has_variable(text):
            self.conversion.leave(
                origin, "it has a variable of the environment", "write it in full"
            )
            return
        yield text

    def _constraints(self, path: str, origin: str) -> None:
        text = self.files.read(path)
        if text is None:
            self.conversion.leave(origin, f"{path} does not exist")
            return
        if path in self.paths and not _CONSTRAINTS.search(path):
            return  # the pins of another group: all groups are locked together
        self.included.add(path)
        found = [
            line.value
            for line in read_requirement_lines(text.encode(), path)
            if line.option is None and not line.is_place
        ]
        self.conversion.option("constraint-dependencies", found, origin)

    def _option(
        self, line: RequirementsLine, path: str, origin: str, found: list[str]
    ) -> None:
        option, value = str(line.option), line.value
        if option in {"-c", "--constraint"}:
            self._constraints(_inside(path, value), origin)
        elif option in {"-e", "--editable"}:
            found += self._place(value, path, origin, is_editable=True)
        elif option in {"-i", "--index-url"}:
            self.main.append((value, origin))
        elif option == "--extra-index-url":
            self.first.append((value, origin, False))
        elif option in {"-f", "--find-links"}:
            self.first.append((_inside(path, value, as_path=True), origin, True))
        elif option == "--no-binary":
            self._packages("no-binary-package", value, origin)
        elif option == "--only-binary":
            self._packages("no-build-package", value, origin)
        elif option == "--pre":
            self.conversion.option("prerelease", "allow", origin)
        else:
            reason, advice = _ABOUT_PIP.get(option, ("it is not known", ""))
            self.conversion.leave(f"{origin} {option}", reason, advice)

    def _packages(self, key: str, value: str, origin: str) -> None:
        names = [canonicalize_name(name) for name in re.split(r"[,\s]+", value) if name]
        if ":all:" in names:
            self.conversion.leave(
                origin,
                "there is no key for all projects",
                "nothing is built while locking anyway"
                if key == "no-build-package"
                else "name them: no-binary-package",
            )
        elif ":none:" not in names:
            self.conversion.option(key, names, origin)

    def _place(
        self, text: str, path: str, origin: str, *, is_editable: bool
    ) -> Iterator[str]:
        """Yield a requirement for a path or a URL; its project must be known."""
        place, _, marker = text.partition(" ; ")
        egg = _EGG.search(place)
        bare, _, extras = (
            place.partition("[") if "://" not in place else (place, "", "")
        )
        bare = bare.partition("#")[0] if "://" not in bare else bare
        if "://" in bare:
            name = egg[1] if egg else _name_of_archive(unquote(urlsplit(bare).path))
        else:
            bare = _inside(path, bare.strip())
            if bare == ".":
                return  # the project itself
            name = _name_of_archive(bare) or self._name_of_directory(bare)
        if name is None:
            self.conversion.leave(
                origin,
                f"{text!r} does not name its project",
                "write [tool.polylock.sources] NAME = { path, git or url }",
            )
            return
        listed = egg[2] if egg and egg[2] else extras.rstrip("]")
        written = f"{name}[{listed}]" if listed else name
        ending = f" ; {marker}" if marker else ""
        for found in self._at(written, bare, origin, is_editable=is_editable):
            yield f"{found}{ending}"

    def _at(
        self, name: str, place: str, origin: str, *, is_editable: bool
    ) -> Iterator[str]:
        """Yield a requirement on a project that is at a path or a URL."""
        if _has_variable(place.rpartition("@")[2]):
            self.conversion.leave(
                origin, "its URL has a variable of the environment", "write it in full"
            )
            return
        if "://" in place:
            fragment = re.sub(r"egg=[^&]*&?", "", place.partition("#")[2]).strip("&")
            url = place.partition("#")[0] + (f"#{fragment}" if fragment else "")
            yield f"{name} @ {url}"
            return
        path = place.removeprefix("file:")
        source: dict[str, Any] = {"path": path if path[:1] in "./" else f"./{path}"}
        if is_editable:
            source["editable"] = True
        self.conversion.add_source(name.partition("[")[0], [source], origin)
        yield name

    def _name_of_directory(self, path: str) -> str | None:
        text = self.files.read(f"{path}/pyproject.toml")
        try:
            document = {} if text is None else parse_toml(text)
        except InvalidToml:
            return None
        tool = as_table(document.get("tool"))
        for table in (document.get("project"), tool.get("poetry")):
            name = as_table(table).get("name")
            if isinstance(name, str):
                return name
        return None

    def _indexes(self) -> None:
        """Write the indexes: pip mixes them, polylock asks one after the other."""
        conversion = self.conversion
        written = 0
        for url, origin, is_flat in self.first:
            if is_torch_index(url):
                index = conversion.add_index(url, origin, explicit=True)
                required = {
                    requirement_name(text) for text in conversion.requirements()
                }
                for name in sorted(torch_projects() & (required | {"torch"})):
                    if index is not None:
                        conversion.add_source(name, [{"index": index}], origin)
                continue
            kind = "flat" if is_flat else None
            label = "find-links" if is_flat else None
            written += (
                conversion.add_index(url, origin, name=label, format=kind) is not None
            )
        for url, origin in self.main[-1:]:
            conversion.add_index(url, origin)
        if written and not self.main:
            conversion.add_index(
                self.defaults.index_url, "the default index", name="pypi"
            )
        if written:
            conversion.leave(
                "--extra-index-url and --find-links",
                "pip takes the best version of all indexes; polylock takes a project "
                "from the first that has it",
                "order the indexes, or name one in [tool.polylock.sources]",
            )


def _direct_names(text: str) -> set[str] | None:
    """Return the projects that the output of pip-compile or uv says are direct.

    None for a file without such comments: then every line counts.
    """
    if not _VIA.search(text):
        return None
    found: set[str] = set()
    name = None
    for line in text.splitlines():
        if line[:1] not in {"", " ", "\t", "#", "-"}:
            written = re.split(r"[\s;\\]", line, maxsplit=1)[0]
            name = requirement_name(written)
        if name is not None and _VIA_SELF.search(line):
            found.add(name)
    return found


def _without_pin(text: str) -> str:
    """Return a pinned requirement for any version."""
    head, semicolon, marker = text.partition(";")
    name = re.split(r"[=<>!~\s]", head, maxsplit=1)[0]
    return f"{name} ;{marker}" if semicolon else name


def _has_variable(text: str) -> bool:
    return re.search(r"\$\{[A-Za-z_]", text) is not None


def _inside(path: str, named: str, *, as_path: bool = False) -> str:
    """Return a path that a file names relative to itself, relative to the project."""
    if "://" in named or named.startswith("/"):
        return named
    parts: list[str] = []
    for part in (*PurePosixPath(path).parent.parts, *PurePosixPath(named).parts):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    found = "/".join(parts) or "."
    return f"./{found}" if as_path and not found.startswith(".") else found


def _name_of_archive(path: str) -> str | None:
    """Return the project of a wheel or a source distribution, by its file name."""
    filename = path.rpartition("/")[2]
    for kind in (WheelFilename, SdistFilename):
        try:
            return kind.parse(filename).name
        except InvalidFilename:
            continue
    return None
