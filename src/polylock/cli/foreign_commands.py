"""Commands and options of other tools, and the equivalents of polylock."""

from __future__ import annotations

__all__ = ["COMMANDS", "OPTIONS", "command_meant", "option_meant"]

_SYNC = "`polylock sync` installs what is locked"
_ADD = "`polylock add NAME` adds a requirement, `polylock lock` locks it"
_UPGRADE = "`polylock lock --upgrade` takes newer versions"
COMMANDS = {
    "install": f"{_SYNC}; {_ADD}.",
    "i": f"{_SYNC}; {_ADD}.",
    "ci": f"{_SYNC}.",
    "update": f"{_UPGRADE}, --upgrade-package NAME of one project.",
    "upgrade": f"{_UPGRADE}, --upgrade-package NAME of one project.",
    "uninstall": "`polylock remove NAME` removes a requirement, then lock and sync.",
    "pip": f"{_SYNC}; `polylock export` writes a requirements file for pip.",
    "compile": "`polylock lock` resolves, `polylock export` writes requirements.",
    "resolve": "`polylock lock` resolves.",
    "freeze": "`polylock export --format requirements` prints what is locked.",
    "list": "`polylock tree` lists what is locked.",
    "show": "`polylock why NAME` shows one project, `polylock tree` all.",
    "venv": "`polylock sync` creates the environment.",
    "shell": "`polylock run -- COMMAND` runs a command in the environment.",
    "exec": "`polylock run -- COMMAND` runs a command in the environment.",
    "new": "`polylock init` writes a project file into the directory it runs in.",
    "tool": "polylock installs projects, not tools.",
    "python": "polylock installs no Python: --python PATH names an installed one.",
}

_DEV = "Use --group dev."
_GROUPS = "Name each group with --group; none is installed by default."
_EXTRAS = "Name each extra with --extra."
_LOCKED = (
    "Leave it out: an outdated lock file is always refused, unless you add --frozen."
)
_PATHS = "For a path or URL add NAME @ URL; for an editable one add a source."
_EDITS = {
    "--dev": _DEV,
    "-D": _DEV,
    "-d": _DEV,
    "--optional": "Use --extra NAME.",
    "-G": "Use --group NAME.",
    "-E": "Use --extra NAME.",
    "-r": "Give each requirement as an argument.",
    "--requirements": "Give each requirement as an argument.",
    "-e": _PATHS,
    "--editable": _PATHS,
    "--path": _PATHS,
    "--git": "Add NAME @ git+URL@REVISION.",
}
_INSTALLS = {
    "--dev": _DEV,
    "--no-dev": _GROUPS,
    "--only-dev": _DEV,
    "--all-groups": _GROUPS,
    "--all-extras": _EXTRAS,
    "--with": "Use --group NAME.",
    "-G": "Use --group NAME.",
    "-E": "Use --extra NAME.",
    "--locked": _LOCKED,
    "--no-root": "Use --no-install-project.",
    "--upgrade": f"{_UPGRADE}; then sync installs them.",
    "-U": f"{_UPGRADE}; then sync installs them.",
}
OPTIONS: dict[str, dict[str, str]] = {
    "add": _EDITS,
    "remove": _EDITS,
    "sync": _INSTALLS,
    "run": _INSTALLS,
    "lock": {
        "--check": "Run `polylock check`.",
        "--locked": "Run `polylock check`.",
        "-U": "Use --upgrade.",
        "-P": "Use --upgrade-package NAME.",
        "--update": "Use --upgrade.",
        "--python": "Set the Python of targets with python in [tool.polylock].",
    },
}


def command_meant(word: str) -> str | None:
    """Return advice for a command of another tool, or None if it is unknown."""
    return COMMANDS.get(word)


def option_meant(command: str, option: str) -> str | None:
    """Return advice for an option of another tool, or None if it is unknown."""
    return OPTIONS.get(command, {}).get(option)
