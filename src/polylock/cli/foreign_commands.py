"""Commands and options of other tools, and what polylock has in their place."""

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
    "show": "`polylock why NAME` tells of one project, `polylock tree` of all.",
    "venv": "`polylock sync` makes the environment.",
    "shell": "`polylock run -- COMMAND` runs a command in the environment.",
    "exec": "`polylock run -- COMMAND` runs a command in the environment.",
    "new": "`polylock init` writes a project file into the directory it runs in.",
    "tool": "polylock installs projects, not tools.",
    "python": "polylock installs no Python: --python PATH names one that is there.",
}

_DEV = "Say --group dev."
_GROUPS = "Name each group with --group; none is installed unasked."
_EXTRAS = "Name each extra with --extra."
_LOCKED = (
    "A lock file that is out of date is refused unless you say --frozen: leave it out."
)
_PATHS = "For a path or URL add NAME @ URL; for an editable one, write a source."
_EDITS = {
    "--dev": _DEV,
    "-D": _DEV,
    "-d": _DEV,
    "--optional": "Say --extra NAME.",
    "-G": "Say --group NAME.",
    "-E": "Say --extra NAME.",
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
    "--with": "Say --group NAME.",
    "-G": "Say --group NAME.",
    "-E": "Say --extra NAME.",
    "--locked": _LOCKED,
    "--no-root": "Say --no-install-project.",
    "--upgrade": f"{_UPGRADE}; sync installs them then.",
    "-U": f"{_UPGRADE}; sync installs them then.",
}
OPTIONS: dict[str, dict[str, str]] = {
    "add": _EDITS,
    "remove": _EDITS,
    "sync": _INSTALLS,
    "run": _INSTALLS,
    "lock": {
        "--check": "Run `polylock check`.",
        "--locked": "Run `polylock check`.",
        "-U": "Say --upgrade.",
        "-P": "Say --upgrade-package NAME.",
        "--update": "Say --upgrade.",
        "--python": "Targets name their Python: python in [tool.polylock].",
    },
}


def command_meant(word: str) -> str | None:
    """Return what does here what a command of another tool does; None: unknown."""
    return COMMANDS.get(word)


def option_meant(command: str, option: str) -> str | None:
    """Return what to say in place of another tool's option; None: unknown."""
    return OPTIONS.get(command, {}).get(option)
