"""Public projects of other tools, rebuilt in small: ``tests/data/moved``.

Each has the tables of its project file that matter, an index of small wheels with the
names of its dependencies, and the versions that its own tool took from it.
"""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from fakes.server import Index
from fakes.wheels import build_wheel

if TYPE_CHECKING:
    from fakes.server import Server

__all__ = ["MOVED", "lay_out"]

MOVED = Path(__file__).parents[1] / "data" / "moved"

BACKEND = '''\
"""A build backend that installs its directory by a .pth file."""
import base64, hashlib, pathlib, tomllib, zipfile

def build_wheel(directory, settings=None, metadata=None):
    text = pathlib.Path("pyproject.toml").read_text("utf-8")
    project = tomllib.loads(text)["project"]
    version = project.get("version", "0").replace("-dev", ".dev0")
    stem = project["name"].replace("-", "_") + "-" + version
    info = f"{stem}.dist-info"
    required = "".join(f"Requires-Dist: {x}\\n" for x in project["dependencies"])
    members = {
        f"{info}/METADATA": "Metadata-Version: 2.1\\nName: " + project["name"]
        + f"\\nVersion: {version}\\n{required}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\\nGenerator: small\\n"
        "Root-Is-Purelib: true\\nTag: py3-none-any\\n",
        f"{stem}.pth": f"{pathlib.Path.cwd()}\\n",
    }
    record = ""
    for name, content in members.items():
        digest = hashlib.sha256(content.encode()).digest()
        value = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        record += f"{name},sha256={value},{len(content.encode())}\\n"
    members[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\\n"
    filename = f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(directory, filename), "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return filename

build_editable = build_wheel
'''


def lay_out(
    name: str, directory: Path, server: Server, wheels: Path, *, later: bool = True
) -> None:
    """Copy a project into a directory and serve its index; ``wheels`` is for files.

    With ``later`` the index has releases that came after the lock file of its tool.
    """
    source = MOVED / name
    shutil.copytree(source, directory, dirs_exist_ok=True)
    (directory / "index.toml").unlink()
    for path in directory.rglob("pyproject.toml"):
        text = path.read_text("utf-8").replace("http://index.invalid", server.url)
        path.write_text(text, "utf-8", newline="\n")
        if "small_backend" in text:
            path.with_name("small_backend.py").write_text(BACKEND, "utf-8")
    tables = tomllib.loads((source / "index.toml").read_text("utf-8"))
    for project, versions in tables.pop("later", {}).items():
        if later:
            tables["simple"][project] |= versions
    for place, projects in tables.items():
        index = Index(server, f"/{place}")
        for project, versions in projects.items():
            files = [
                build_wheel(
                    wheels / place.replace("/", "-"),
                    project,
                    version,
                    requires=requires,
                    extras=sorted(_extras(requires)),
                )
                for version, requires in versions.items()
            ]
            index.add(project, files)


def _extras(requires: list[str]) -> set[str]:
    return {
        text.split("extra == '")[1].split("'")[0]
        for text in requires
        if "extra" in text
    }
