"""Commands and options of other tools, and the equivalents of polylock.

They are those of uv 0.13, pip 26, Poetry 2, PDM 2, pixi and pip-tools. Options that
mean the same as one of ours are options of the commands themselves; here is what is
refused, with what to do instead. A likeness of letters is never advised for these: it
would lead to an option that does something else.
"""

from __future__ import annotations

__all__ = ["COMMANDS", "EVERYWHERE", "OPTIONS", "command_meant", "option_meant"]

_SYNC = "`polylock sync` installs what is locked"
_ADD = "`polylock add NAME` adds a requirement and locks it"
_UPGRADE = "`polylock lock --upgrade` takes newer versions"
_TREE = "`polylock tree` lists what is locked"
_RUN = "`polylock run -- COMMAND` runs a command in the environment."
_CONFIG = (
    "polylock has no such command: settings are flags, POLYLOCK_ variables or a file, "
    "and those of a project are in [tool.polylock]."
)
_PUBLISHES = "polylock has no such command: it builds and publishes no projects."
_ACCOUNTS = (
    "polylock has no such command: credentials come from netrc, keyring, the URL or "
    "POLYLOCK_INDEX_NAME_USERNAME and _PASSWORD."
)
COMMANDS = {
    "install": f"{_SYNC}; {_ADD}.",
    "i": f"{_SYNC}; {_ADD}.",
    "ci": f"{_SYNC}.",
    "reinstall": f"{_SYNC}; with --reinstall again.",
    "update": f"{_UPGRADE}, --upgrade-package NAME of one project.",
    "upgrade": f"{_UPGRADE}, --upgrade-package NAME of one project.",
    "up": f"{_UPGRADE}, --upgrade-package NAME of one project.",
    "uninstall": "`polylock remove NAME` removes a requirement.",
    "pip": f"{_SYNC}; `polylock export` writes a requirements file for pip.",
    "compile": "`polylock lock` resolves, `polylock export` writes requirements.",
    "pip-compile": "`polylock lock` resolves, `polylock export` writes requirements.",
    "pip-sync": f"{_SYNC}.",
    "resolve": "`polylock lock` resolves.",
    "freeze": "`polylock export --format requirements` prints what is locked.",
    "list": f"{_TREE}.",
    "ls": f"{_TREE}.",
    "show": f"`polylock why NAME` shows one project, {_TREE}.",
    "info": "`polylock why NAME` shows a project, `polylock targets list` the targets.",
    "inspect": f"{_TREE}, `polylock report` shows all targets.",
    "download": "`polylock bundle` writes the files of a target into a directory.",
    "search": "polylock has no such command: an index has no search.",
    "audit": "`polylock export --format cyclonedx` writes a bill of materials, for "
    "tools that know advisories.",
    "licenses": "`polylock export --format cyclonedx` writes a bill of materials.",
    "venv": "`polylock sync` creates the environment.",
    "env": "`polylock sync` creates the environment, --venv names another one.",
    "create": "`polylock init` writes a project file, `polylock sync` creates the "
    "environment.",
    "shell": _RUN,
    "activate": _RUN,
    "shell-hook": _RUN,
    "exec": _RUN,
    "x": _RUN,
    "task": "polylock has no tasks. " + _RUN,
    "new": "`polylock init` writes a project file into the directory it runs in.",
    "import": "`polylock init --from` converts a project of uv, Poetry or PDM.",
    "convert": "`polylock init --from` converts a project of uv, Poetry or PDM.",
    "tool": "polylock installs projects, not tools.",
    "global": "polylock installs projects, not tools.",
    "python": "polylock installs no Python: --python PATH names an installed one.",
    "py": "polylock installs no Python: --python PATH names an installed one.",
    "use": "polylock installs no Python: --python PATH names an installed one.",
    "use-python": "polylock installs no Python: --python PATH names an installed one.",
    "build": _PUBLISHES,
    "publish": _PUBLISHES,
    "upload": _PUBLISHES,
    "wheel": _PUBLISHES,
    "version": "`polylock --version` prints polylock's; the project's is in [project].",
    "self": "polylock has no such command: install another version of it as you "
    "installed this one.",
    "config": _CONFIG,
    "settings": _CONFIG,
    "source": "[[tool.polylock.index]] declares an index.",
    "workspace": "polylock has no such command: the project file declares it.",
    "auth": _ACCOUNTS,
    "login": _ACCOUNTS,
    "fix": "`polylock sync` mends the environment, `polylock lock` the lock file.",
    "clean": "`polylock cache clear` empties the cache; an environment can be removed.",
    "purge": "`polylock cache clear` empties the cache.",
    "format": "polylock has no such command: it formats no code.",
    "hash": "polylock has no such command: `polylock verify` compares hashes.",
    "debug": "`polylock detect` describes this machine.",
    "about": "`polylock --version` prints the version, `polylock --help` the commands.",
    "help": "`polylock --help` lists commands, `polylock COMMAND --help` explains one.",
    "plugin": "polylock has no such command: it has no plugins.",
    "cache clean": "`polylock cache clear` empties the cache.",
    "cache purge": "`polylock cache clear` empties the cache.",
    "cache remove": "`polylock cache prune` removes what is not needed.",
    "cache list": "`polylock cache size` shows the parts of the cache.",
    "cache info": "`polylock cache size` shows the parts of the cache.",
}

_LINKS = "Use [[tool.polylock.index]] of the project, or --index-url."
_FLAT = 'Use [[tool.polylock.index]] with format = "flat".'
_IN_PROJECT = "Write it into [tool.polylock]"
_FOR_ALL = f"{_IN_PROJECT}, where it is the same for everybody."
_NO_BUILD = f"{_IN_PROJECT}: build, no-build-package."
_NO_BINARY = f"{_IN_PROJECT}: no-binary-package."
_ONE_ENVIRONMENT = "polylock has no such option: --venv PATH names an environment."
_CACHE = "polylock has no such option: --cache-dir PATH names another cache."
_PYTHONS = "polylock installs no Python: --python PATH names an installed one."
_HERE = "Use --project PATH."
EVERYWHERE = {
    "--directory": _HERE,
    "--script": "Use --project SCRIPT.",
    "--manifest-path": _HERE,
    "-C": _HERE,
    "--config-file": f"polylock has no such option. {_IN_PROJECT}.",
    "--config": f"polylock has no such option. {_IN_PROJECT}.",
    "--no-config": "polylock has no such option: only its own settings are read.",
    "--no-cache": _CACHE,
    "--no-cache-dir": _CACHE,
    "-n": "polylock has no such option.",
    "--no-interaction": "Leave it out: only init asks, and only on a terminal.",
    "--non-interactive": "Leave it out: only init asks, and only on a terminal.",
    "-y": "Leave it out: only init asks, and only on a terminal.",
    "--yes": "Leave it out: only init asks, and only on a terminal.",
    "--no-progress": "Leave it out: without a terminal there are no bars; or use -q.",
    "--color": "Use --no-color or NO_COLOR; without a terminal there are no colours.",
    "--ansi": "Leave it out: colours are for terminals.",
    "--no-ansi": "Use --no-color.",
    "--native-tls": "Leave it out: the system's certificates are trusted.",
    "--system-certs": "Leave it out: the system's certificates are trusted.",
    "--allow-insecure-host": "polylock has no such option: certificates are checked.",
    "--trusted-host": "polylock has no such option: certificates are checked.",
    "--cert": "Use SSL_CERT_FILE.",
    "--client-cert": "Use SSL_CLIENT_CERT.",
    "--proxy": "Use HTTPS_PROXY.",
    "--retries": "polylock has no such option: what may pass is asked again.",
    "--keyring-provider": "Leave it out: keyring is asked where it is installed.",
    "-i": "Use --index-url.",
    "--index": _LINKS,
    "--default-index": "Use --index-url.",
    "--extra-index-url": _LINKS,
    "--find-links": _FLAT,
    "-f": _FLAT,
    "--no-index": f"Use --offline. {_FLAT}",
    "--index-strategy": "polylock has no such option: the first index that has a "
    "project is used, unless [tool.polylock.sources] names another one.",
    "--torch-backend": f'{_IN_PROJECT}: torch-backend = "auto".',
    "--prerelease": f"{_IN_PROJECT}: prerelease.",
    "--pre": f'{_IN_PROJECT}: prerelease = "allow".',
    "--allow-prereleases": f'{_IN_PROJECT}: prerelease = "allow".',
    "--resolution": f"{_IN_PROJECT}: resolution.",
    "--exclude-newer": f"{_IN_PROJECT}: exclude-newer.",
    "--exclude-newer-package": f"{_IN_PROJECT}: exclude-newer-package.",
    "--fork-strategy": f"{_IN_PROJECT}: align.",
    "--constraint": f"{_IN_PROJECT}: constraint-dependencies.",
    "-c": f"{_IN_PROJECT}: constraint-dependencies.",
    "--override": f"{_IN_PROJECT}: override-dependencies.",
    "--no-sources": "polylock has no such option: take the entry out of "
    "[tool.polylock.sources].",
    "--no-build": _NO_BUILD,
    "--no-build-package": _NO_BUILD,
    "--only-binary": _NO_BUILD,
    "--no-binary": _NO_BINARY,
    "--no-binary-package": _NO_BINARY,
    "--config-setting": _FOR_ALL,
    "--config-settings": _FOR_ALL,
    "--no-build-isolation": _FOR_ALL,
    "--no-build-isolation-package": _FOR_ALL,
    "--no-isolation": _FOR_ALL,
    "--managed-python": _PYTHONS,
    "--no-managed-python": _PYTHONS,
    "--no-python-downloads": _PYTHONS,
    "--allow-python-downloads": _PYTHONS,
    "--python-preference": _PYTHONS,
    "--python-fetch": _PYTHONS,
    "--python-version": "Set the Python of targets with python in [tool.polylock].",
    "--python-platform": "Use --target NAME; a target names its platform.",
    "--platform": "Use --target NAME; a target names its platform.",
    "--implementation": "Use --target NAME; a target names its Python.",
    "--environment": "Use --target NAME or --group NAME.",
    "--active": _ONE_ENVIRONMENT,
    "--system": _ONE_ENVIRONMENT,
    "--user": _ONE_ENVIRONMENT,
    "--prefix": _ONE_ENVIRONMENT,
    "--global": _ONE_ENVIRONMENT,
    "-g": _ONE_ENVIRONMENT,
    "--root": _ONE_ENVIRONMENT,
    "--break-system-packages": _ONE_ENVIRONMENT,
    "--preview": "Leave it out: variants need no preview here.",
    "--preview-features": "Leave it out: variants need no preview here.",
    "--lockfile": "Use --lock-file PATH.",
    "-L": "Use --lock-file PATH.",
    "--output-format": "Use --json.",
    "--without": "Use --no-group NAME.",
    "--only": "Use --only-group NAME.",
    "--extras": "Use --extra NAME.",
    "-E": "Use --extra NAME.",
    "-G": "Use --group NAME.",
    "--production": "Use --no-default-groups.",
    "--prod": "Use --no-default-groups.",
    "--no-extra": "Leave it out: no extra is installed unless it is named.",
    "-d": "Use --group dev.",
    "--no-self": "Use --no-install-project.",
    "--no-root": "Use --no-install-project.",
    "--no-directory": "Use --no-install-package NAME.",
    "--no-default": "Use --only-group NAME.",
}
"""Options by name, for every command that has no entry of its own in ``OPTIONS``."""

_PATHS = "For a path or URL add NAME @ URL; for an editable one add a source."
_EDITS = {
    "-D": "Use --group dev.",
    "-d": "Use --group dev.",
    "-e": _PATHS,
    "--editable": _PATHS,
    "--path": _PATHS,
    "--git": "Add NAME @ git+URL@REVISION.",
}
_LATER = f"{_UPGRADE}; then sync installs them."
_EXACT = "Leave it out: an environment of polylock has only what is locked."
_INSTALLS = {
    "--upgrade": _LATER,
    "-U": _LATER,
    "--upgrade-package": "Use `polylock lock --upgrade-package NAME`; then sync.",
    "-P": "Use `polylock lock --upgrade-package NAME`; then sync.",
    "--upgrade-group": _LATER,
    "--refresh-package": "Leave it out: sync asks no index for versions.",
    "--reinstall-package": "Use --reinstall.",
    "--force-reinstall": "Use --reinstall.",
    "--ignore-installed": "Use --reinstall.",
    "-I": "Use --reinstall.",
    "--inexact": "polylock has no such option: a sync is always exact.",
    "--exact": _EXACT,
    "--sync": _EXACT,
    "--clean": _EXACT,
    "--only-keep": _EXACT,
    "--compile-bytecode": "Use --compile.",
    "--no-compile": "Leave it out: modules are compiled only with --compile.",
    "--no-compile-bytecode": "Leave it out: modules are compiled only with --compile.",
    "--frozen-lockfile": "Use --frozen.",
    "--no-install-local": "Use --no-install-project and --no-install-package NAME.",
    "--no-deps": "polylock has no such option: a lock file has every dependency.",
    "--require-hashes": "Leave it out: every file is compared with its hash.",
    "--requirement": "polylock has no such option: add the requirements to the project "
    "file with `polylock add`, then lock.",
    "-r": "polylock has no such option: add the requirements to the project file with "
    "`polylock add`, then lock.",
    "-e": "Add the tree as a source with editable = true, in [tool.polylock.sources].",
    "--editable": "Add the tree as a source with editable = true, in "
    "[tool.polylock.sources].",
    "-t": "Use --venv PATH; `polylock bundle` writes the files into a directory.",
}
_ENVIRONMENT_ALONE = (
    "polylock has no such option: add it to a dependency group, lock, and use "
    "--group NAME."
)
OPTIONS: dict[str, dict[str, str]] = {
    "add": _EDITS,
    "remove": _EDITS,
    "sync": _INSTALLS,
    "run": {
        **_INSTALLS,
        "--with": _ENVIRONMENT_ALONE,
        "--with-editable": _ENVIRONMENT_ALONE,
        "--with-requirements": _ENVIRONMENT_ALONE,
        "--isolated": _ENVIRONMENT_ALONE,
        "-e": "Use --target NAME or --group NAME.",
        "-s": "Leave it out: a program of the environment is run by its name.",
        "--gui-script": "Leave it out: `polylock run -- pythonw SCRIPT` is the same.",
    },
    "lock": {
        "--update": "Use --upgrade.",
        "--regenerate": "Use --upgrade.",
        "--no-update": "Leave it out: pins that still hold are kept.",
        "--update-reuse": "Leave it out: pins that still hold are kept.",
        "--upgrade-group": "Use --upgrade-package NAME.",
        "--refresh-package": "Use --refresh.",
        "--check-exists": "Use --check.",
        "--python": "Set the Python of targets with python in [tool.polylock].",
        "-p": "Set the Python of targets with python in [tool.polylock].",
        "--static-urls": "Leave it out: a lock file has the URL of each file.",
        "--frozen": "Use --check.",
        "-S": f"{_IN_PROJECT}: resolution, prerelease, align.",
        "--strategy": f"{_IN_PROJECT}: resolution, prerelease, align.",
        "--group": "Leave it out: every group is locked.",
        "--extra": "Leave it out: every extra is locked.",
        "--all-extras": "Leave it out: every extra is locked.",
        "--all-groups": "Leave it out: every group is locked.",
        "--universal": "Leave it out: a lock file is for all declared targets.",
        "-o": "Use --lock-file PATH.",
        "--output-file": "Use --lock-file PATH.",
        "--generate-hashes": "Leave it out: every file is locked with its hash.",
    },
    "export": {
        "-f": "Use --format.",
        "--output-file": "Use --output FILE.",
        "--without-hashes": "Use --no-hashes.",
        "--without-urls": "Leave it out: requirements name no index.",
        "--with-credentials": "polylock has no such option: credentials are never "
        "written.",
        "--expandvars": "polylock has no such option: credentials are never written.",
        "--no-emit-project": "Leave it out: the project itself is not exported.",
        "--no-emit-package": "polylock has no such option: an exported file is whole.",
        "--no-header": "polylock has no such option: comments name the target.",
        "--no-annotate": "polylock has no such option: comments name who requires it.",
        "--no-markers": "Leave it out: the file is for one target.",
        "--pyproject": "polylock has no such option: the project file has them.",
        "--with": "Use --group NAME.",
        "--locked": "Leave it out: run `polylock check` before.",
        "--frozen": "Leave it out: the lock file is not compared with the project.",
    },
    "tree": {
        "--prune": "polylock has no such option: --depth N shows fewer levels.",
        "--no-dedupe": "polylock has no such option: (*) marks what is shown above.",
        "--show-sizes": "`polylock report` shows sizes.",
        "--universal": "Leave it out: without --target every target is shown.",
        "--latest": "Use --outdated.",
        "-l": "Use --outdated.",
        "-o": "Use --outdated.",
        "--top-level": "Use --depth 0.",
        "-T": "Use --depth 0.",
        "--why": "Use `polylock why NAME`.",
        "--reverse": "Use --invert.",
        "--graph": "Leave it out: it is a tree.",
        "--tree": "Leave it out: it is a tree.",
        "--locked": "Leave it out: a warning says if the lock file is out of date.",
        "--frozen": "Leave it out: only the lock file is read.",
    },
    "init": {
        "--app": "polylock has no such option: it writes targets, and no code.",
        "--lib": "polylock has no such option: it writes targets, and no code.",
        "--package": "polylock has no such option: it writes targets, and no code.",
        "--no-package": "polylock has no such option: it writes targets, and no code.",
        "--bare": "polylock has no such option: it writes targets, and no code.",
        "--script": "polylock has no such option: it writes targets, and no code.",
        "--vcs": "polylock has no such option: it writes targets, and no code.",
        "--build-backend": "Write [build-system].",
    },
}


def command_meant(word: str) -> str | None:
    """Return advice for a command of another tool, or None if it is unknown.

    A command of a group is ``cache clean``.
    """
    return COMMANDS.get(word)


def option_meant(command: str, option: str) -> str | None:
    """Return advice for an option of another tool, or None if it is unknown."""
    return OPTIONS.get(command, {}).get(option) or EVERYWHERE.get(option)
