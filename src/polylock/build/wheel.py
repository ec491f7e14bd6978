"""What a wheel that was just built says of itself."""

from __future__ import annotations

import zipfile
import zlib
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from polylock.build.frontend import HookFailed
from polylock.model.filenames import InvalidFilename, WheelFilename

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["wheel_metadata"]

_LIMIT = 1 << 24


def wheel_metadata(path: Path) -> bytes:
    """Return METADATA of a wheel; raises HookFailed where there is none to read.

    The rest is verified when the wheel is unpacked, as any other.
    """
    try:
        parsed = WheelFilename.parse(path.name)
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                directory, _, name = info.filename.partition("/")
                stem, suffix = directory.partition("-")[0], ".dist-info"
                if (
                    name == "METADATA"
                    and directory.endswith(suffix)
                    and canonicalize_name(stem) == parsed.name
                    and info.file_size <= _LIMIT
                ):
                    return archive.read(info)
    except InvalidFilename as error:
        raise HookFailed(f"build_wheel wrote no wheel: {error}") from error
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,  # an encrypted member
        OSError,
    ) as error:
        raise HookFailed(f"build_wheel wrote {path.name}, no readable wheel") from error
    raise HookFailed(f"build_wheel wrote {path.name}, which has no METADATA")
