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

A setting is taken from the first of these that has it:

1. the flag on the command line,
2. the environment variable (an empty one counts as not set),
3. the key in the user's configuration file, `polylock/config.toml` in the
   configuration directory of the user on this system,
4. the default.

Settings say how polylock works on this machine. What is locked is said in the
[project file](project-file.md) alone, so that every machine locks the same. pip's
configuration is not read.

A path in the configuration file is relative to that file, any other to the current
directory; `~` is the home directory. A true or false value of a variable is one of
`1`, `true`, `yes`, `on` or `0`, `false`, `no`, `off`."""

_CREDENTIALS = """\
## Credentials of an index

`POLYLOCK_INDEX_<NAME>_USERNAME` and `POLYLOCK_INDEX_<NAME>_PASSWORD` hold the
credentials of the index with that name: in capitals, every character that is neither
a letter nor a digit as an underscore. They are sent to the origin of that index alone
(scheme, host and port), and stand in no message, log or file. Where an index has none,
the user's netrc file is asked: the one that `NETRC` names, else `.netrc` in the home
directory. An entry `machine example.com` is for https on its usual port; another origin
is named in full, `machine http://example.com:3141`.

Where the URL or the variable gives a user name without a password and the index
answers 401, `keyring get URL USER` is run, once for each index, if there is such a
command; `URL` is that of the index, then its host where that is https. It cannot ask
you anything and is given 20 seconds.

## Proxies and certificates

polylock reads the variables that other tools read too, in capitals or not:

- `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY` name the proxy for requests of a scheme,
  or of any: `http://`, `https://`, `socks5://` or `socks5h://`, the last two with
  `polylock[socks]`. On Windows and macOS the system's settings count where none is set.
- `NO_PROXY` lists hosts that are asked directly: `*`, domains with all below them,
  addresses, and ranges of them (`10.0.0.0/8`, `fd00::/8`), also with a port at the end.
- `SSL_CERT_FILE` and `SSL_CERT_DIR` name the certificates to trust in place of the
  system's, in PEM format.
- `SSL_CLIENT_CERT` names a file with the certificate and key, without a password, that
  an index is shown which asks for one.

A variable that cannot be used is an error with exit code 2. pip's configuration is not
read.
"""

_NOTES = {
    "target": "Without it `sync` and `run` take the target of the environment's last "
    "sync, the first time what `auto` would; `export` and `bundle` want one; the "
    "others speak of every target.",
    "groups": "Without it `sync` and `run` take those of the environment's last sync; "
    "`tree`, `outdated`, `why` and `report` show every group and extra; the others "
    "take none.",
    "extras": "Without it the same holds as for [`--group`](#--group).",
}
"""What a setting's own sentence does not say, by its name."""


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
