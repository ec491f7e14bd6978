"""A project file under edit: its data, and the same with its layout.

Each change is made twice, on the document that keeps comments and order and on the
plain data, and handed out only if the new text parses to the new data.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from packaging.utils import canonicalize_name, is_normalized_name

from polylock.errors import ProjectError, UsageError
from polylock.toml_tables import (
    InvalidToml,
    key_path,
    parse_toml,
    suggestion,
    toml_type,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, MutableMapping

    from tomlkit import TOMLDocument

__all__ = ["Edit"]

_TARGETS = ("tool", "polylock", "targets")

_MARK = "\ufeff"
"""The byte order mark, which means nothing and is kept as it is."""

Keys = tuple[str, ...]


class Edit:
    """One edit: ``data`` is the plain data, ``document`` the same with its layout."""

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
        """Return the key path of a list of requirements, existing names as written."""
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
                "is missing, so the project has no dependencies of its own",
                "name a dependency group with --group, or write [project]",
            )
        if extra is None:
            return ("project", "dependencies")
        keys = ("project", "optional-dependencies")
        return (*keys, self._written(*keys, name=extra))

    def _written(self, *keys: str, name: str) -> str:
        """Return the key that has this name, the normalized name where none has."""
        wanted = canonicalize_name(name)
        if not is_normalized_name(wanted):
            raise UsageError(f"{name!r} is not a valid name")
        for key in self._table_at(keys):
            if canonicalize_name(key) == wanted:
                return key
        return wanted

    def look_up(self, keys: Keys) -> object:
        """Return the plain value at a key path, None where there is none.

        Raises ProjectError where the path leads through something else than tables.
        """
        return self._table_at(keys[:-1]).get(keys[-1])

    def _table_at(self, keys: Keys) -> dict[str, Any]:
        """Return the plain table at a key path, an empty one where it is missing."""
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
        """Change the array at a key path, made where it is missing."""
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
        """Add a table that does not exist yet, with a header of its own if it can.

        ``comments`` stand behind the keys that they are for.
        """
        with self._refusing():
            self._add_to_document(keys, values, comments or {})
        self._data_table(keys[:-1])[keys[-1]] = dict(values)
        self._has_new_table = True

    def add_target(
        self, name: str, table: Mapping[str, Any], comments: Mapping[str, str]
    ) -> None:
        """Add a target, the last in priority, with comments behind some of its keys."""
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
            # The targets are scattered over the file, and the new one stands among
            # them. At the end of the file it is the last for certain.
            import tomlkit  # see Edit.__init__

            with self._refusing():
                self.document = tomlkit.document()
                self._add_to_document(keys, table, comments)
                self.document = tomlkit.parse(f"{before}\n{self._text()}")

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
        """Say whether the document is the data, the targets in the same order."""
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
        table.add(tomlkit.nl())  # before the header that follows, if one does
        parent[keys[-1]] = table

    def _document_table(self, keys: Keys) -> MutableMapping[str, Any]:
        """Return a table of the document; missing ones get no header of their own."""
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
        """Turn what tomlkit cannot do into an error that says so."""
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
            "its tables are laid out in a way that cannot be edited safely",
            "make this change by hand, or give each table its own [header] once",
        )


def _with_line_endings(text: str, before: str) -> str:
    """Return a text whose lines end as they did before, new ones as most did."""
    from difflib import SequenceMatcher  # noqa: PLC0415 - for files of Windows alone

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


def _laid_out(value: object) -> object:
    """Return a value as it is to be written: a table inside a target on one line."""
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
