"""``reference/settings.md``: flags, variables and keys, from their table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pages_from_source.command_line import commands, has_setting
from pages_from_source.markdown import anchor, code, code_list, link, page, table
from polylock.project.settings import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from polylock.project.setting_values import SettingDefinition

__all__ = ["setting_heading", "settings_page"]

_HEAD = """\
# Settings

polylock takes a setting from the first of these that sets it:

1. the flag on the command line,
2. the environment variable (an empty one counts as not set),
3. the key in the user's configuration file, `polylock/config.toml` in the
   configuration directory of the user on this system,
4. the default.

Settings control how polylock works on this machine. Only the [project
file](project-file.md) decides what is locked, so that every machine locks the same.
polylock does not read pip's configuration.

A path in the configuration file is relative to that file; other paths are relative to
the current directory. `~` is the home directory. A boolean variable is one of `1`,
`true`, `yes`, `on`, or `0`, `false`, `no`, `off`."""

_CREDENTIALS = """\
## Credentials of an index

`POLYLOCK_INDEX_<NAME>_USERNAME` and `POLYLOCK_INDEX_<NAME>_PASSWORD` hold the
credentials of the index with that name. Write the name in capitals, with an
underscore for every character that is neither a letter nor a digit. polylock sends
credentials only to the origin of that index (scheme, host and port), and writes them
to no message, log or file. Without these variables it reads the user's netrc file:
the one that `NETRC` names, otherwise `.netrc` in the home directory. An entry
`machine example.com` is for https on its default port; for another origin write
`machine http://example.com:3141`.

If the URL or the variable has a user name without a password and the index answers
401, polylock runs `keyring get URL USER` once for each index, if that command exists.
`URL` is that of the index, and then, for https, its host. The command cannot prompt
and may take 20 seconds.

## Proxies and certificates

polylock reads the same variables as other tools, in upper or lower case:

- `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY` set the proxy for requests of one scheme,
  or of all: `http://`, `https://`, `socks5://` or `socks5h://`; the last two need
  `polylock[socks]`. If none is set, Windows and macOS use the system's settings.
- `NO_PROXY` lists hosts to connect to directly: `*`, domains with their subdomains,
  addresses, and address ranges (`10.0.0.0/8`, `fd00::/8`), each also with a port.
- `SSL_CERT_FILE` and `SSL_CERT_DIR` set the trusted certificates, in PEM format,
  instead of the system's.
- `SSL_CLIENT_CERT` names a file with a client certificate and its key, without a
  password, for an index that asks for one.

An invalid variable is an error with exit code 2 when a request would use it. polylock
does not read pip's configuration.
"""

_NOTES = {
    "target": "Without it `sync` and `run` use the target of the environment's last "
    "sync, and `auto` the first time; `export` and `bundle` require it; the other "
    "commands use every target.",
    "groups": "It adds to the groups that are taken by default: `default-groups` of "
    "the project, else `dev` if there is that group, as with uv. Without an option for "
    "groups `sync` takes those of the environment's last sync, and `tree`, `outdated`, "
    "`why` and `report` show every group and extra. `run` adds what it is given to "
    "what the last sync installed, and takes nothing away.",
    "only_groups": "What the group requires is installed, and neither the project "
    "itself nor what it requires, nor an extra.",
    "extras": "Without an option for extras `sync` and `run` take those of the "
    "environment's last sync, and others none.",
    "refresh": "`lock` asks no index if the lock file is up to date, also with this "
    "flag: `lock --upgrade` looks for newer versions, `verify` compares with the "
    "index.",
    "python": "A `.python-version` beside the lock file chooses among the Pythons that "
    "the target allows; a note says if it cannot be met. `polylock init` takes the "
    "Python of new targets from it.",
    "venv": "A file in that place names the environment instead: one line with a path, "
    "absolute, relative to the file, or with a leading `~/`. Missing directories are "
    "created.",
}
"""Additions to the sentence of a setting, by its name."""


def setting_heading(definition: SettingDefinition) -> str:
    """Return the heading of a setting: its flags as code."""
    return code_list(definition.flag.split(", "))


def settings_page() -> str:
    """Return the reference of all settings."""
    rows = [
        (
            link(setting_heading(each), "", setting_heading(each)),
            _variables(each),
            code(each.key) if each.key else "",
        )
        for each in SETTINGS
    ]
    overview = table(("flag", "variable", "key in the user's file"), rows)
    sections = (part for each in SETTINGS for part in _section(each))
    return page([_HEAD, "## All of them", overview, *sections, _CREDENTIALS])


def _section(definition: SettingDefinition) -> Iterator[str]:
    yield f"### {setting_heading(definition)}"
    yield " ".join(filter(None, (definition.help, _NOTES.get(definition.name))))
    rows = [
        ("value", _value(definition)),
        ("default", definition.default),
        ("variable", _variables(definition)),
        ("key", code(definition.key) if definition.key else ""),
        ("commands", _commands(definition)),
    ]
    yield "\n".join(f"- {word}: {text}" for word, text in rows if text)


def _variables(definition: SettingDefinition) -> str:
    names = (definition.environment, definition.presence)
    return code_list(name for name in names if name)


def _value(definition: SettingDefinition) -> str:
    if definition.choices:
        return code_list(definition.choices)
    kind = definition.kind.value.removeprefix("a ")
    if definition.minimum is None or definition.maximum is None:
        return kind
    return f"{kind}, {definition.minimum:g} to {definition.maximum:g}"


def _commands(definition: SettingDefinition) -> str:
    found = [each for each in commands() if has_setting(each, definition)]
    if len(found) == len(commands()):
        return "all"
    return ", ".join(
        f"[{code(each.name)}](commands.md#{anchor(each.heading)})" for each in found
    )
