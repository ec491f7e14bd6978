"""``docs/reference/settings.md``: all settings, made from their table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.project.settings import SETTINGS

if TYPE_CHECKING:
    from polylock.project.setting_values import SettingDefinition

__all__ = ["settings_reference"]


def settings_reference() -> str:
    """Return the reference of all settings as Markdown."""
    rows = "\n".join(_reference_row(definition) for definition in SETTINGS)
    return f"{_REFERENCE_HEAD}\n{rows}\n\n{_REFERENCE_TAIL}"


_REFERENCE_HEAD = """\
# Settings

A setting is taken from the first of these that has it:

1. the flag on the command line,
2. the environment variable (an empty one counts as not set),
3. the key in the user's configuration file, `polylock/config.toml` in the
   configuration directory of the user on this system,
4. the default.

Settings say how polylock works on this machine. What is locked is said in the project
file alone, under `[tool.polylock]`, so that every machine locks the same. pip's
configuration is not read.

| flag | variable | key | value | default | meaning |
|---|---|---|---|---|---|"""

_REFERENCE_TAIL = """\
A path in the configuration file is relative to that file, any other to the current
directory; `~` is the home directory. A true or false value of a variable is one of
`1`, `true`, `yes`, `on` or `0`, `false`, `no`, `off`.

## Credentials of an index

`POLYLOCK_INDEX_<NAME>_USERNAME` and `POLYLOCK_INDEX_<NAME>_PASSWORD` hold the
credentials of the index with that name: in capitals, every character that is neither
a letter nor a digit as an underscore. They are sent to the host of that index alone,
and stand in no message, log or file. Where an index has none, the user's netrc file
is asked: the one that `NETRC` names, else `.netrc` in the home directory.

Where the URL or the variable gives a user name without a password and the index
answers 401, `keyring get URL USER` is run, once for each index, if there is such a
command; `URL` is that of the index, then its host. It cannot ask you anything and is
given 20 seconds.
"""


def _reference_row(definition: SettingDefinition) -> str:
    variables = f"`{definition.environment}`"
    if definition.presence:
        variables += f", `{definition.presence}`"
    flags = ", ".join(f"`{flag}`" for flag in definition.flag.split(", "))
    key = f"`{definition.key}`" if definition.key else ""
    if definition.choices:
        value = ", ".join(f"`{choice}`" for choice in definition.choices)
    elif definition.minimum is not None:
        value = (
            f"{definition.kind.value.removeprefix('a ')}, "
            f"{definition.minimum:g} to {definition.maximum:g}"
        )
    else:
        value = definition.kind.value.removeprefix("a ")
    cells = (flags, variables, key, value, definition.default, definition.help)
    return f"| {' | '.join(cells)} |"
