"""Edits a project file and keeps its comments, order and layout.

All functions take and return text; the caller reads and writes the file. Each change is
made twice, in a tomlkit document that keeps the layout and in plain data, and the new
text is returned only if it parses to the new data.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from packaging.utils import canonicalize_name, is_normalized_name

from polylock.errors import ProjectError, UsageError
from polylock.model.direct import InvalidDirectSource, parse_direct_url
from polylock.model.requirements import InvalidRequirement, Requirement
from polylock.project.table_text import block_text, is_header, value_text
from polylock.toml_tables import (
    InvalidToml,
    key_path,
    parse_toml,
    suggestion,
    toml_type,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence

    from tomlkit import TOMLDocument

__all__ = [
    "add_build_packages",
    "add_dependency",
    "add_index_sources",
    "add_target",
    "init",
    "remove_dependency",
    "rewrite",
]

_TARGETS = ("tool", "polylock", "targets")

_MARK = "\ufeff"
"""The byte order mark, which is ignored and kept."""

Keys = tuple[str, ...]


class Edit:
    """An edit of one file: its plain data, and its document with the layout."""

    def __init__(self, text: str, path: str) -> None:
        import tomlkit  # 40 ms, and only edits need it

        self.path = path
        self.text = text.removeprefix(_MARK)
        self.mark = text[: len(text) - len(self.text)]
        self._has_new_table = False
        try:
            self.data: dict[str, Any] = parse_toml(self.text)
        except InvalidToml as error:
            raise ProjectError(path, key_path(*error.parts), str(error)) from error
        with self._refusing():
            self.document: TOMLDocument = tomlkit.parse(self.text)

    def place(self, group: str | None, extra: str | None, target: str | None) -> Keys:
        """Return the key path of a list of requirements, with keys as written."""
        if [group, extra, target].count(None) < 2:
            raise UsageError("a group, an extra and a target exclude each other")
        if target is not None:
            known = self._table_at(_TARGETS)
            if target not in known:
                raise ProjectError(
                    self.path,
                    key_path(*_TARGETS),
                    f"there is no target {target}",
                    suggestion(target, known),
                )
            return (*_TARGETS, target, "dependencies")
        if group is not None:
            return ("dependency-groups", self._written("dependency-groups", name=group))
        if "project" not in self.data:
            raise ProjectError(
                self.path,
                "project",
                "is missing, so there is no place for dependencies",
                "name a dependency group with --group, or write [project]",
            )
        if extra is None:
            return ("project", "dependencies")
        keys = ("project", "optional-dependencies")
        return (*keys, self._written(*keys, name=extra))

    def _written(self, *keys: str, name: str) -> str:
        """Return the key with this name as written, else the normalized name."""
        wanted = canonicalize_name(name)
        if not is_normalized_name(wanted):
            raise UsageError(f"{name!r} is not a valid name")
        for key in self._table_at(keys):
            if canonicalize_name(key) == wanted:
                return key
        return wanted

    def look_up(self, keys: Keys) -> object:
        """Return the plain value at a key path, None if there is none.

        Raises ProjectError if a part of the path is not a table.
        """
        return self._table_at(keys[:-1]).get(keys[-1])

    def _table_at(self, keys: Keys) -> dict[str, Any]:
        """Return the plain table at a key path, an empty one if it is missing."""
        table = self.data
        for depth, key in enumerate(keys, start=1):
            inner = table.get(key, {})
            if not isinstance(inner, dict):
                raise ProjectError(
                    self.path,
                    key_path(*keys[:depth]),
                    f"must be a table, not {toml_type(inner)}",
                )
            table = inner
        return table

    def change_array(self, keys: Keys, change: Callable[[list[Any]], None]) -> None:
        """Change the array at a key path; add it if it is missing."""
        import tomlkit  # see Edit.__init__

        present = self.look_up(keys)
        if not isinstance(present, list | None):
            raise ProjectError(
                self.path,
                key_path(*keys),
                f"must be an array, not {toml_type(present)}",
            )
        with self._refusing():
            if self.look_up(keys[:-1]) is None:
                self._add_to_document(keys[:-1], {keys[-1]: []}, {})
                self._has_new_table = True
            table: Any = self._document_table(keys[:-1])
            if keys[-1] not in table:
                table[keys[-1]] = tomlkit.array()
            if not present:
                table[keys[-1]].multiline(multiline=True)
            change(table[keys[-1]])
        change(self._data_table(keys[:-1]).setdefault(keys[-1], []))

    def add_table(
        self,
        keys: Keys,
        values: Mapping[str, Any],
        comments: Mapping[str, str] | None = None,
    ) -> None:
        """Add a table that does not exist yet, with its own header if possible.

        ``comments`` are written after the values of their keys.
        """
        with self._refusing():
            self._add_to_document(keys, values, comments or {})
        self._data_table(keys[:-1])[keys[-1]] = dict(values)
        self._has_new_table = True

    def add_target(
        self, name: str, table: Mapping[str, Any], comments: Mapping[str, str]
    ) -> None:
        """Add a target with the lowest priority; ``comments`` as for ``add_table``."""
        keys = (*_TARGETS, name)
        if self.look_up(keys) is not None:
            raise ProjectError(
                self.path,
                key_path(*keys),
                "is declared already",
                "choose another name, or edit the target by hand",
            )
        before = self._text()
        self.add_table(keys, table, comments)
        if not self._is_faithful():
            # The targets are scattered over the file, and the new one is not the last.
            # At the end of the file it is certain to be.
            import tomlkit  # see Edit.__init__

            with self._refusing():
                self.document = tomlkit.document()
                self._add_to_document(keys, table, comments)
                self.document = tomlkit.parse(f"{before}\n{self._text()}")

    def become(self, wanted: Mapping[str, Any], *, before: str | None = None) -> None:
        """Change the file so that it has these values.

        New tables come at the end, those outside of ``[tool]`` before the first header
        that begins with ``before``, if there is one.
        """
        import tomlkit  # see Edit.__init__

        blocks: list[tuple[Keys, str]] = []
        with self._refusing():
            self._change(self.document, self.data, wanted, (), blocks)
            text = tomlkit.dumps(self.document)
            first = [block for keys, block in blocks if keys[0] != "tool"]
            last = [block for keys, block in blocks if keys[0] == "tool"]
            header = (
                re.search(rf"(?m)^\[{re.escape(before)}\b", text) if before else None
            )
            if header is None:
                first, last = [], [*first, *last]
            else:
                start = header.start()
                text = f"{text[:start]}{''.join(first)}{text[start:]}"
            if last:
                text = "\n\n".join([*filter(None, [text.rstrip()]), "".join(last)])
            self.document = tomlkit.parse(text.lstrip("\n"))
        self.data = dict(wanted)
        self._has_new_table = True

    def _change(
        self,
        document: MutableMapping[str, Any],
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        keys: Keys,
        blocks: list[tuple[Keys, str]],
    ) -> None:
        """Change a table of the document; tables to be added go to ``blocks``."""
        for key in [key for key in old if key not in new]:
            del document[key]
        scalars: dict[str, Any] = {}
        for key, value in new.items():
            place = (*keys, key)
            if key in old:
                if isinstance(old[key], dict) and isinstance(value, dict):
                    self._change(document[key], old[key], value, place, blocks)
                elif is_header(place, value) and value[: len(old[key])] == old[key]:
                    blocks.append((place, block_text(place, value[len(old[key]) :])))
                elif old[key] != value:
                    _replace(document, key, old[key], value)
            elif is_header(place, value):
                blocks.append((place, block_text(place, value)))
            elif _is_header_only(document):
                scalars[key] = value
            else:
                document[key] = _parsed(value)
        if scalars:
            blocks.insert(0, (keys, block_text(keys, scalars)))

    def finish(self) -> str:
        """Return the new text, which parses to the new data in the same order."""
        if self.data == parse_toml(self.text):
            return self.mark + self.text
        if not self._is_faithful():
            raise self._by_hand()
        text = self._text()
        if not self._has_new_table:
            text = text.removesuffix("\n") + self.text[len(self.text.rstrip("\r\n")) :]
        if "\r\n" in self.text:
            text = _with_line_endings(text, self.text)
        return self.mark + text

    def _text(self) -> str:
        import tomlkit  # see Edit.__init__

        return tomlkit.dumps(self.document).rstrip("\r\n") + "\n"

    def _is_faithful(self) -> bool:
        """Return True if the document has the same data, and order of targets."""
        try:
            found = parse_toml(self._text())
        except InvalidToml:
            return False
        return found == self.data and _target_names(found) == _target_names(self.data)

    def _add_to_document(
        self, keys: Keys, values: Mapping[str, Any], comments: Mapping[str, str]
    ) -> None:
        import tomlkit  # see Edit.__init__

        parent = self._document_table(keys[:-1])
        if isinstance(parent, tomlkit.items.InlineTable):
            parent[keys[-1]] = _laid_out(values)
            return
        table = tomlkit.table()
        for key, value in values.items():
            written = tomlkit.item(_laid_out(value))
            if key in comments:
                written.comment(comments[key])
            table.add(key, written)
        table.add(tomlkit.nl())  # before a header that follows
        parent[keys[-1]] = table

    def _document_table(self, keys: Keys) -> MutableMapping[str, Any]:
        """Return a table of the document; missing ones are added without a header."""
        import tomlkit  # see Edit.__init__

        table: Any = self.document
        for key in keys:
            if key not in table:
                table[key] = tomlkit.table(is_super_table=True)
            table = table[key]
        return cast("MutableMapping[str, Any]", table)

    def _data_table(self, keys: Keys) -> dict[str, Any]:
        table = self.data
        for key in keys:
            table = table.setdefault(key, {})
        return table

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        """Turn an error of tomlkit into the advice to edit by hand."""
        import tomlkit  # see Edit.__init__

        try:
            yield
        except (
            tomlkit.exceptions.TOMLKitError,
            ValueError,
            TypeError,
            RecursionError,
        ) as error:
            raise self._by_hand() from error

    def _by_hand(self) -> ProjectError:
        return ProjectError(
            self.path,
            "",
            "its tables have a layout that cannot be edited safely",
            "make this change by hand, or give each table its own [header] once",
        )


def _with_line_endings(text: str, before: str) -> str:
    """Return a text with the old line endings; new lines get the usual one."""
    from difflib import SequenceMatcher  # noqa: PLC0415 - only for files with CRLF

    old = before.split("\n")
    new = [line.removesuffix("\r") for line in text.split("\n")]
    usual = "\r" if 2 * before.count("\r\n") > before.count("\n") else ""
    lines = [f"{line}{usual}" for line in new[:-1]] + new[-1:]
    bare = [line.removesuffix("\r") for line in old]
    for block in SequenceMatcher(None, bare, new, autojunk=False).get_matching_blocks():
        for offset in range(block.size):
            at = block.b + offset
            if at < len(lines) - 1 and block.a + offset < len(old) - 1:
                lines[at] = old[block.a + offset]
    return "\n".join(lines)


def _is_header_only(table: object) -> bool:
    """Return True if a table has no header of its own, only those of its tables."""
    import tomlkit  # see Edit.__init__

    return isinstance(table, tomlkit.items.Table) and table.is_super_table()


def _parsed(value: object) -> Any:  # noqa: ANN401 - any item of tomlkit
    import tomlkit  # see Edit.__init__

    return tomlkit.parse(f"x = {value_text(value)}\n")["x"]


def _replace(
    document: MutableMapping[str, Any], key: str, old: object, new: object
) -> None:
    """Replace a value; an array keeps the comments of the items that stay."""
    if isinstance(old, list) and isinstance(new, list):
        items: Any = document[key]
        if new[: len(old)] == old:
            for value in new[len(old) :]:
                items.append(_parsed(value))
            return
        if [value for value in old if value in new] == new:
            for position in reversed(range(len(old))):
                if old[position] not in new:
                    del items[position]
            return
    document[key] = _parsed(new)


def _laid_out(value: object) -> object:
    """Return a value for tomlkit; a table inside a target is written on one line."""
    import tomlkit  # see Edit.__init__

    if not isinstance(value, dict):
        return value
    table = tomlkit.inline_table()
    for key, inner in value.items():
        table.append(key, _laid_out(inner))
    return table


def _target_names(data: dict[str, Any]) -> list[str]:
    for key in _TARGETS:
        data = data.get(key, {})
    return list(data)


_INITIAL_VERSION = "0.1.0"
_BARE_URL = re.compile(r"(git\+)?[a-z]{2,5}://", re.IGNORECASE)
_BARE_PATH = re.compile(r"\.{0,2}[/\\]|\.{1,2}$|~|[A-Za-z]:[/\\]")


def add_dependency(
    text: str,
    requirements: Sequence[str],
    *,
    group: str | None = None,
    extra: str | None = None,
    target: str | None = None,
    path: str = "pyproject.toml",
) -> str:
    """Return the text with requirements added to a group, an extra or a target.

    Without one of these they go to ``[project] dependencies``. A requirement on the
    same project with the same marker is replaced in its place; a bare name changes
    nothing if the project is required already. ``path`` is for errors. Raises
    ProjectError, and UsageError for text that is not a requirement.
    """
    wanted = [(item.strip(), _parse(item)) for item in requirements]
    edit = Edit(text, path)
    keys = edit.place(group, extra, target)

    def add(entries: list[Any]) -> None:
        for written, requirement in wanted:
            _add_entry(entries, written, requirement)

    edit.change_array(keys, add)
    return edit.finish()


def add_build_packages(
    text: str, names: Sequence[str], *, path: str = "pyproject.toml"
) -> str:
    """Return the text with projects added to ``build-package``; raises ProjectError."""
    edit = Edit(text, path)

    def add(entries: list[Any]) -> None:
        known = {canonicalize_name(str(each)) for each in entries}
        entries.extend(name for name in names if canonicalize_name(name) not in known)

    edit.change_array(("tool", "polylock", "build-package"), add)
    return edit.finish()


def add_index_sources(
    text: str, names: Sequence[str], index: str, *, path: str = "pyproject.toml"
) -> str:
    """Return the text with an index as the source of projects.

    Raises ProjectError if the index is not declared, or a project has another source.
    """
    edit = Edit(text, path)
    tool = edit.data.get("tool", {}).get("polylock", {})
    declared = [each.get("name") for each in tool.get("index", ())]
    if index not in declared:
        raise ProjectError(
            path,
            "tool.polylock.index",
            f"there is no index {index}",
            suggestion(index, declared),
        )
    sources = dict(tool.get("sources", {}))
    present = {canonicalize_name(name): name for name in sources}
    for name in names:
        written = present.get(canonicalize_name(name))
        if written is None:
            sources[name] = {"index": index}
        elif sources[written] not in ({"index": index}, [{"index": index}]):
            raise ProjectError(
                path,
                key_path("tool", "polylock", "sources", written),
                "is another source",
                "change it by hand",
            )
    tables = {**edit.data.get("tool", {}), "polylock": {**tool, "sources": sources}}
    return rewrite(text, {**edit.data, "tool": tables}, path=path)


def remove_dependency(
    text: str,
    names: Sequence[str],
    *,
    group: str | None = None,
    extra: str | None = None,
    target: str | None = None,
    path: str = "pyproject.toml",
) -> str:
    """Return the text without the requirements on these projects in one list.

    Raises ProjectError if one of them is not required there.
    """
    edit = Edit(text, path)
    keys = edit.place(group, extra, target)
    entries = edit.look_up(keys)
    present = [_name(entry) for entry in entries] if isinstance(entries, list) else []
    for name in names:
        if canonicalize_name(name) not in present:
            raise ProjectError(
                path,
                key_path(*keys),
                f"{name} is not required here",
                suggestion(name, sorted({found for found in present if found})),
            )
    unwanted = {canonicalize_name(name) for name in names}

    def remove(entries: list[Any]) -> None:
        for position in reversed(range(len(entries))):
            if _name(entries[position]) in unwanted:
                del entries[position]

    edit.change_array(keys, remove)
    return edit.finish()


def add_target(
    text: str,
    name: str,
    table: Mapping[str, Any],
    *,
    comments: Mapping[str, str] | None = None,
    path: str = "pyproject.toml",
) -> str:
    """Return the text with a target added after the existing ones.

    ``table`` holds the keys of ``[tool.polylock.targets.NAME]`` as plain data. If it
    has a preset, ``comments`` are written after the values of their keys. Raises
    ProjectError if the target exists.
    """
    edit = Edit(text, path)
    edit.add_target(name, table, _of_preset(table, comments))
    return edit.finish()


def init(
    text: str | None,
    *,
    name: str,
    requires_python: str,
    targets: Mapping[str, Mapping[str, Any]],
    comments: Mapping[str, str] | None = None,
    path: str = "pyproject.toml",
) -> str:
    """Return a project file with these targets.

    ``text`` is the existing file, or None. A file with neither ``[project]`` nor
    ``[dependency-groups]`` gets a ``[project]`` of this name. ``comments`` are as for
    ``add_target``. Raises ProjectError.
    """
    if not is_normalized_name(canonicalize_name(name)):
        raise UsageError(f"{name!r} is not a valid name of a project")
    edit = Edit(text or "", path)
    if not {"project", "dependency-groups"} & edit.data.keys():
        edit.add_table(
            ("project",),
            {
                "name": name,
                "version": _INITIAL_VERSION,
                "requires-python": requires_python,
                "dependencies": [],
            },
        )
    for target, table in targets.items():
        edit.add_target(target, table, _of_preset(table, comments))
    return edit.finish()


def rewrite(
    text: str,
    wanted: Mapping[str, Any],
    *,
    before: str | None = None,
    path: str = "pyproject.toml",
) -> str:
    """Return the text with these values; what does not change keeps its layout.

    ``before`` is the header before which new tables outside of ``[tool]`` are put.
    Raises ProjectError if the layout does not allow it.
    """
    edit = Edit(text, path)
    if edit.data != wanted:
        edit.become(wanted, before=before)
    return edit.finish()


def _of_preset(
    table: Mapping[str, Any], comments: Mapping[str, str] | None
) -> Mapping[str, str]:
    """Return the comments for a table: none without a preset, which has no unknowns."""
    return (comments or {}) if "preset" in table else {}


def _parse(text: str) -> Requirement:
    _refuse_unnamed(text.strip())
    try:
        requirement = Requirement.parse(text)
    except InvalidRequirement as error:
        reason = str(error).partition("\n")[0]
        raise UsageError(f"{text!r} is not a requirement: {reason}") from error
    if requirement.url is not None:
        _check_url(requirement.name, requirement.url)
    return requirement


def _refuse_unnamed(text: str) -> None:
    """Raise UsageError for a bare URL or path, which has no project name."""
    if _BARE_URL.match(text):
        # The URL is not repeated: it may hold a password.
        problem = "a URL alone is not a requirement: the project's name is missing"
        raise UsageError(problem, 'write the name before it: "NAME @ URL"')
    is_file = "@" not in text and text.endswith((".whl", ".tar.gz", ".zip"))
    if is_file or _BARE_PATH.match(text):
        path = text.replace("\\", "/")
        raise UsageError(
            f"{text!r} is a path, and a requirement begins with its project's name",
            _source_advice("NAME", path),
        )


def _check_url(name: str, url: str) -> None:
    """Raise UsageError for a URL that cannot be locked, or a file on this machine."""
    if url.removeprefix("git+").startswith("file:"):
        raise UsageError(
            f"{name} is a file on this machine, and its URL is valid only here",
            _source_advice(name, f"../{name}"),
        )
    try:
        parse_direct_url(url)
    except InvalidDirectSource as error:
        raise UsageError(f"{name} is a direct reference, and {error}") from error


def _source_advice(name: str, path: str) -> str:
    return (
        f"run `polylock add {name} --no-lock` with the project's name, and write under "
        f'[tool.polylock.sources] {name} = {{ path = "{path}" }}'
    )


def _entry(value: object) -> Requirement | None:
    """Return an entry of a list as a requirement, None if it is not one."""
    try:
        return Requirement.parse(value) if isinstance(value, str) else None
    except InvalidRequirement:
        return None


def _name(value: object) -> str | None:
    requirement = _entry(value)
    return requirement.name if requirement else None


def _add_entry(entries: list[Any], written: str, requirement: Requirement) -> None:
    bare = requirement == Requirement(name=requirement.name)
    for position, value in enumerate(entries):
        found = _entry(value)
        if found is None or found.name != requirement.name:
            continue
        if bare:
            return
        if found.marker == requirement.marker:
            entries[position] = written
            return
    entries.append(written)
