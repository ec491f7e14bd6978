"""The settings of a run: paths, network, what to install, verbosity.

Settings never affect the lock file; that is up to the project file. A setting comes
from a flag, else from the environment, the user's configuration file or the default.
pip's configuration is not read.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from polylock.cache.regular_files import read_regular
from polylock.errors import UsageError
from polylock.project.script import is_script, lock_name
from polylock.project.setting_values import GivenValue, Kind, SettingDefinition
from polylock.toml_tables import InvalidToml, key_path, parse_toml, suggestion
from polylock.values import Value, field

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "SETTINGS",
    "LinkMode",
    "Settings",
    "default_index_url",
    "default_user_file",
    "load_settings",
]

LinkMode = Literal["auto", "clone", "hardlink", "copy", "symlink"]

_CREDENTIALS = re.compile(r"POLYLOCK_INDEX_.+_(?:USERNAME|PASSWORD)")
_SECRET = {"index_url", "index_variables", "torch_index"}


class Settings(Value, frozen=True, kw_only=True):
    """The settings of one run, which ``SETTINGS`` describes.

    ``project``, ``lock_file`` and ``venv`` are None if they follow from the project.
    ``index_variables`` holds the ``POLYLOCK_INDEX_<NAME>_USERNAME`` and ``_PASSWORD``
    that are set; it may hold secrets, as ``index_url`` may, so ``repr`` shows neither.
    """

    cache_dir: Path
    index_url: str | None = None
    torch_index: str | None = None
    offline: bool = False
    refresh: bool = False
    threads: int = 8
    timeout: float = 30.0
    project: Path | None = None
    lock_file: Path | None = None
    target: str | None = None
    groups: tuple[str, ...] = ()
    no_groups: tuple[str, ...] = ()
    only_groups: tuple[str, ...] = ()
    all_groups: bool = False
    no_default_groups: bool = False
    members: tuple[str, ...] = ()
    all_members: bool = False
    extras: tuple[str, ...] = ()
    all_extras: bool = False
    venv: Path | None = None
    python: str | None = None
    no_install_project: bool = False
    no_install_packages: tuple[str, ...] = ()
    no_editable: bool = False
    link_mode: LinkMode = "auto"
    compile: bool = False
    no_color: bool = False
    verbosity: int = 0
    netrc: Path | None = None
    index_variables: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        shown = (
            f"{name}={getattr(self, name)!r}"
            for name in self.__struct_fields__
            if name not in _SECRET
        )
        return f"Settings({', '.join(shown)})"

    def lock_path(self, project: Path) -> Path:
        """Return the path of the lock file, by default beside the project file.

        That of a script ``train.py`` is ``pylock.train-py.toml``.
        """
        name = lock_name(project) if is_script(project) else "pylock.toml"
        return self.lock_file or project.with_name(name)


SETTINGS: tuple[SettingDefinition, ...] = (
    SettingDefinition(
        name="cache_dir",
        kind=Kind.PATH,
        flag="--cache-dir",
        help="Where downloaded files and index pages are kept.",
        default="the cache directory of the user on this system",
    ),
    SettingDefinition(
        name="index_url",
        kind=Kind.URL,
        flag="--index-url",
        help="The index, unless the project declares one that is not explicit.",
        default="the default index of pip",
    ),
    SettingDefinition(
        name="torch_index",
        kind=Kind.URL,
        flag="--torch-index",
        help="A mirror of PyTorch's index, without the backend's name.",
        default="`torch-index` of the project, else PyTorch's public index",
    ),
    SettingDefinition(
        name="offline",
        kind=Kind.SWITCH,
        flag="--offline",
        help="Ask no index: take everything from the cache, or fail.",
        default="false",
    ),
    SettingDefinition(
        name="refresh",
        kind=Kind.SWITCH,
        flag="--refresh",
        help="Ask the index again, even where the cache is fresh.",
        default="false",
        for_user=False,
    ),
    SettingDefinition(
        name="threads",
        kind=Kind.WHOLE,
        flag="--threads",
        help="How many requests run at the same time.",
        default="8",
        minimum=1,
        maximum=64,
    ),
    SettingDefinition(
        name="timeout",
        kind=Kind.SECONDS,
        flag="--timeout",
        help="How many seconds an index may be silent.",
        default="30",
        minimum=0.1,
        maximum=3600,
    ),
    SettingDefinition(
        name="project",
        kind=Kind.PATH,
        flag="--project",
        help="The project file, or the directory that has it.",
        default="the nearest `pyproject.toml`, upwards from the current directory",
        for_user=False,
    ),
    SettingDefinition(
        name="lock_file",
        kind=Kind.PATH,
        flag="--lock-file",
        help="The lock file.",
        default="`pylock.toml` beside the project file",
        for_user=False,
    ),
    SettingDefinition(
        name="target",
        kind=Kind.NAME,
        flag="--target",
        help="The target; `auto`: the first that this machine satisfies.",
        default="depends on the command",
        for_user=False,
    ),
    SettingDefinition(
        name="groups",
        kind=Kind.NAMES,
        flag="--group",
        help="A dependency group to install; may be given more than once.",
        default="`default-groups` of the project, else `dev` if there is that group",
        for_user=False,
    ),
    SettingDefinition(
        name="no_groups",
        kind=Kind.NAMES,
        flag="--no-group",
        help="A dependency group to leave out; may be given more than once.",
        default="none",
        for_user=False,
    ),
    SettingDefinition(
        name="only_groups",
        kind=Kind.NAMES,
        flag="--only-group",
        help="A dependency group to install without the project's dependencies.",
        default="none",
        for_user=False,
    ),
    SettingDefinition(
        name="all_groups",
        kind=Kind.SWITCH,
        flag="--all-groups",
        help="Install every dependency group.",
        default="false",
        for_user=False,
    ),
    SettingDefinition(
        name="no_default_groups",
        kind=Kind.SWITCH,
        flag="--no-default-groups",
        help="Leave out the groups that are installed unless told otherwise.",
        default="false",
        for_user=False,
    ),
    SettingDefinition(
        name="extras",
        kind=Kind.NAMES,
        flag="--extra",
        help="An extra to install; may be given more than once.",
        default="none",
        for_user=False,
    ),
    SettingDefinition(
        name="members",
        kind=Kind.NAMES,
        flag="--package",
        help="A member of the workspace, alone; may be given more than once.",
        default="none",
        for_user=False,
    ),
    SettingDefinition(
        name="all_members",
        kind=Kind.SWITCH,
        flag="--all-packages",
        help="Every member of the workspace.",
        default="false",
        for_user=False,
    ),
    SettingDefinition(
        name="all_extras",
        kind=Kind.SWITCH,
        flag="--all-extras",
        help="Install every extra.",
        default="false",
        for_user=False,
    ),
    SettingDefinition(
        name="venv",
        kind=Kind.PATH,
        flag="--venv",
        help="The virtual environment to install into.",
        default="`.venv` beside the project file",
        for_user=False,
    ),
    SettingDefinition(
        name="python",
        kind=Kind.TEXT,
        flag="--python",
        help="The Python for a new environment: a version, a name or a path.",
        default="the first on this machine that the target's Python allows",
        for_user=False,
    ),
    SettingDefinition(
        name="no_install_project",
        kind=Kind.SWITCH,
        flag="--no-install-project",
        help="Do not install the project itself.",
        default="false: it is installed, editable, where it has a `[build-system]`",
        for_user=False,
    ),
    SettingDefinition(
        name="no_install_packages",
        kind=Kind.NAMES,
        flag="--no-install-package",
        help="A package to leave out; may be given more than once.",
        default="none",
        for_user=False,
    ),
    SettingDefinition(
        name="no_editable",
        kind=Kind.SWITCH,
        flag="--no-editable",
        help="Install the project and source trees as wheels, not as editable.",
        default="false",
        for_user=False,
    ),
    SettingDefinition(
        name="link_mode",
        kind=Kind.TEXT,
        flag="--link-mode",
        help="How files are placed from the cache; use `copy` to edit them in place.",
        default="auto",
        choices=get_args(LinkMode),
    ),
    SettingDefinition(
        name="compile",
        kind=Kind.SWITCH,
        flag="--compile",
        help="Compile installed modules to bytecode.",
        default="false",
    ),
    SettingDefinition(
        name="no_color",
        kind=Kind.SWITCH,
        flag="--no-color",
        help="Write without colours.",
        default="false",
        presence="NO_COLOR",
    ),
    SettingDefinition(
        name="verbosity",
        kind=Kind.WHOLE,
        flag="-v, -q",
        help="The verbosity: each `-v` adds a level, each `-q` removes one.",
        default="0",
        for_user=False,
        minimum=-2,
        maximum=3,
    ),
)
"""Every setting, in the order of the documentation."""


def load_settings(
    flags: Mapping[str, Any], environ: Mapping[str, str], user_file: Path | None
) -> Settings:
    """Return the settings from flags, environment and the user's configuration file.

    ``flags`` maps fields of Settings to values, None for a flag that is not given.
    ``user_file`` need not exist. Raises UsageError, which names the place of a bad
    value.
    """
    unknown = set(flags) - {definition.name for definition in SETTINGS}
    if unknown:
        raise LookupError(f"no setting is named {min(unknown)}")
    home = environ.get("HOME") or environ.get("USERPROFILE")
    values = _user_values(user_file, home) if user_file is not None else {}
    for definition in SETTINGS:
        text = environ.get(definition.environment, "")
        flag = flags.get(definition.name)
        if flag is not None:
            given = GivenValue(definition, definition.flag, home)
            values[definition.name] = given.convert(flag)
        elif text:
            given = GivenValue(definition, definition.environment, home)
            values[definition.name] = given.parse(text)
        elif definition.presence and environ.get(definition.presence):
            values[definition.name] = True
    _check_lock_name(values.get("lock_file"), flags)
    variables = {name: environ[name] for name in sorted(environ) if _secret(name)}
    return Settings(
        cache_dir=values.pop("cache_dir", None) or _default_cache_dir(environ),
        index_variables=variables,
        netrc=_netrc(environ, home),
        **values,
    )


def _check_lock_name(path: Path | None, flags: Mapping[str, Any]) -> None:
    """Raise UsageError for a lock file that no installer would find by its name."""
    if path is None or path.name == "pylock.toml":
        return
    # Not imported for the usual name.
    from polylock.project.lock_names import name_problem  # noqa: PLC0415 - see above

    given = flags.get("lock_file") is not None
    found = name_problem(path, "--lock-file" if given else "POLYLOCK_LOCK_FILE")
    if found is not None:
        raise UsageError(*found)


def default_user_file(environ: Mapping[str, str]) -> Path:
    """Return the path of the user's configuration file; it need not exist."""
    found = _xdg_directory(environ, "XDG_CONFIG_HOME", ".config")
    if found is None:
        import platformdirs  # noqa: PLC0415 - 5 ms

        found = platformdirs.user_config_path("polylock", appauthor=False)
    return found / "config.toml"


def default_index_url() -> str:
    """Return the base URL of pip's default index, a constant in pip's code.

    Raises UsageError if pip no longer has it. pip's configuration is not read.
    """
    try:
        from pip._internal.models.index import PyPI  # noqa: PLC0415 - rarely needed
    except ImportError as error:
        raise UsageError(
            "the URL of the default index is unknown",
            "name an index: --index-url, POLYLOCK_INDEX_URL or [[tool.polylock.index]]",
        ) from error
    return PyPI.simple_url


def _secret(name: str) -> bool:
    return _CREDENTIALS.fullmatch(name) is not None


def _netrc(environ: Mapping[str, str], home: str | None) -> Path | None:
    """Return the path of the user's netrc file, as curl and requests find it."""
    if environ.get("NETRC"):
        return Path(environ["NETRC"])
    return Path(home) / ".netrc" if home else None


def _default_cache_dir(environ: Mapping[str, str]) -> Path:
    found = _xdg_directory(environ, "XDG_CACHE_HOME", ".cache")
    if found is None:
        import platformdirs  # noqa: PLC0415 - as above

        found = platformdirs.user_cache_path("polylock", appauthor=False)
    return found


def _xdg_directory(
    environ: Mapping[str, str], variable: str, below_home: str
) -> Path | None:
    """Return polylock's XDG directory on Linux, None on other systems.

    It is what platformdirs returns, without the time to import it. A variable with a
    relative path is ignored (XDG Base Directory Specification).
    """
    if sys.platform != "linux" or "ANDROID_DATA" in environ:
        return None
    base = Path(environ.get(variable, ""))
    if not base.is_absolute():
        base = Path(environ.get("HOME", "")) / below_home
    return base / "polylock" if base.is_absolute() else None


def _user_values(path: Path, home: str | None) -> dict[str, Any]:
    try:
        document = parse_toml(read_regular(path).decode("utf-8-sig"))
    except FileNotFoundError:
        return {}
    except InvalidToml as error:
        key = key_path(*error.parts)
        place = f"{path}: {key}" if key else path
        raise UsageError(f"{place}: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"{path}: cannot be read: {reason}") from error
    by_key = {definition.key: definition for definition in SETTINGS if definition.key}
    values = {}
    for key, value in document.items():
        definition = by_key.get(key)
        if definition is None:
            raise UsageError(
                f"{path}: {key}: is not a known key",
                suggestion(key, [known for known in by_key if known]),
            )
        given = GivenValue(definition, f"{path}: {key}", home, path.parent)
        values[definition.name] = given.check(value)
    return values
