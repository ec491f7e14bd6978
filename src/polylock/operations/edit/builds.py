"""``polylock lock --allow-build``: lock with further projects in ``build-package``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name, is_normalized_name

from polylock.errors import BuildsNeeded, UsageError
from polylock.operations.edit.project_file import read_text
from polylock.operations.files import write_atomically
from polylock.operations.lock.lock import lock
from polylock.operations.workspace import project_path
from polylock.project.edit import add_build_packages
from polylock.project.script import is_script
from polylock.values import replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from polylock.operations.lock.lock import LockOutcome
    from polylock.operations.lock.request import LockRequest
    from polylock.ports import Reporter
    from polylock.project.settings import Settings

__all__ = ["lock_with_builds"]


def lock_with_builds(
    settings: Settings, request: LockRequest, names: Sequence[str], reporter: Reporter
) -> LockOutcome:
    """Add projects to ``build-package`` and lock without their pins; see ``lock``.

    If that fails, and for a dry run, the project file is as before. Raises UsageError
    for a text that is no name, and what ``lock`` raises.
    """
    wanted = [_name(name) for name in names]
    path = project_path(settings)
    if is_script(path):
        raise UsageError(
            f"--allow-build does not edit {path.name}",
            f"write in its block: build-package = {json.dumps(wanted)}",
        )
    before = read_text(path)
    after = add_build_packages(before, wanted, path=str(path))
    outcome = None
    try:
        if after != before:
            write_atomically(path, after)
        request = replace(request, allowed_builds=tuple(wanted))
        outcome = lock(settings, request, reporter)
    except BuildsNeeded as error:
        # The next try must name these again.
        raise error.after(wanted) from error
    finally:
        kept = outcome is not None and not outcome.dry_run
        if after != before and not kept and read_text(path) == after:
            write_atomically(path, before)
    return outcome


def _name(text: str) -> str:
    name = canonicalize_name(text)
    if not is_normalized_name(name):
        raise UsageError(f"{text!r} is not a valid name", "name a project: docopt")
    return name
