"""Random edits of a lock file, as people, branches and other tools make them.

``NEUTRAL`` edits must not change what any target installs; ``FREE`` edits may change it
for some targets. Each takes the document and changes it in place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    Document = dict[str, Any]
    Edit = Callable[[Document, Random], None]

__all__ = ["EXTRA_PACKAGES", "FREE", "NEUTRAL", "annotated"]

HERE = "https://files.example.com"
THERE = "https://mirror.example.com/pypi%20proxy"

EXTRA_PACKAGES: list[Document] = [
    {
        "name": "from-archive",
        "version": "2.0",
        "archive": {
            "url": f"{HERE}/from_archive-2.0.tar.gz",
            "hashes": {"sha256": "a1" * 32},
        },
    },
    {
        "name": "from-git",
        "vcs": {
            "type": "git",
            "url": "https://git.example.com/from-git",
            "requested-revision": "main",
            "commit-id": "b2" * 20,
        },
    },
    {"name": "from-path", "directory": {"path": "libs/from-path", "editable": True}},
    {
        "name": "from-source",
        "version": "1.5",
        "marker": "'h100' in dependency_groups or sys_platform == 'darwin'",
        "sdist": {
            "url": f"{HERE}/from_source-1.5.tar.gz",
            "hashes": {"sha256": "c3" * 32, "sha512": "d4" * 64},
        },
    },
    {
        "name": "many-wheels",
        "version": "3.1",
        "wheels": [
            {"url": f"{HERE}/{name}.whl", "hashes": {"sha256": digest * 32}}
            for name, digest in (
                ("many_wheels-3.1-cp312-cp312-manylinux_2_28_x86_64", "e5"),
                ("many_wheels-3.1-1-cp312-cp312-manylinux_2_28_x86_64", "e6"),
                ("many_wheels-3.1-cp312-cp312-manylinux_2_17_x86_64", "e7"),
                ("many_wheels-3.1-cp312-cp312-macosx_11_0_arm64", "e8"),
                ("many_wheels-3.1-py3-none-any", "e9"),
            )
        ],
    },
    {
        "name": "old-pythons",
        "version": "1.0",
        "marker": "python_full_version < '3.12.3'",
        "wheels": [
            {
                "url": f"{HERE}/old_pythons-1.0-py3-none-any.whl",
                "hashes": {"sha256": "f0" * 32},
            }
        ],
    },
    {
        "name": "for-windows",
        "version": "1.0",
        "marker": "sys_platform == 'win32' or 'docs' in extras",
        "wheels": [
            {
                "url": f"{HERE}/for_windows-1.0-py3-none-any.whl",
                "hashes": {"sha256": "f1" * 32},
            }
        ],
    },
]
"""Sources that a small index has not: entries for a lock file."""


def _package(document: Document, random: Random) -> Document:
    found: Document = random.choice(document["packages"])
    return found


def _files(package: Document) -> list[Document]:
    """Return the tables of a package's files that have hashes."""
    found = [*package.get("wheels", ())]
    return found + [package[key] for key in ("sdist", "archive") if key in package]


def _file(document: Document, random: Random) -> Document:
    files = [file for each in document["packages"] for file in _files(each)]
    return random.choice(files)


def _name_of(file: Document) -> str:
    return str(file.get("name") or file["url"].rpartition("/")[2])


def _renamed(file: Document, name: str) -> None:
    file.pop("name", None)
    file["url"] = f"{file['url'].rpartition('/')[0]}/{name}"


def _digits(random: Random, length: int) -> str:
    return "".join(random.choices("0123456789abcdef", k=length))


# What must change no key.


def shuffle(document: Document, random: Random) -> None:
    """Write entries, files, keys and targets in another order."""
    packages = [
        dict(random.sample(list(each.items()), len(each)))
        for each in random.sample(document["packages"], len(document["packages"]))
    ]
    for package in packages:
        if "wheels" in package:
            random.shuffle(package["wheels"])
    document["packages"] = packages
    random.shuffle(document["tool"]["polylock"]["targets"])


def resize(document: Document, random: Random) -> None:
    """Change or remove the size."""
    file = _file(document, random)
    if file.pop("size", None) is None or random.random() < 0.5:
        file["size"] = random.randrange(10**6)


def another_time(document: Document, random: Random) -> None:
    """Leave the upload time out."""
    _file(document, random).pop("upload-time", None)


def more_hashes(document: Document, random: Random) -> None:
    """Add the hash of another algorithm."""
    file = _file(document, random)
    algorithm, length = random.choice([("sha512", 128), ("blake2b", 128), ("md5", 32)])
    file["hashes"] = {algorithm: _digits(random, length)} | file["hashes"]


def louder_hash(document: Document, random: Random) -> None:
    """Write a hash in capitals."""
    hashes = _file(document, random)["hashes"]
    hashes["sha256"] = hashes["sha256"].upper()


def move(document: Document, random: Random) -> None:
    """Take the files of a package from another host."""
    package = _package(document, random)
    for file in _files(package):
        name = _name_of(file).replace("+", "%2B").replace("-", "%2D")
        file["url"] = f"{THERE}/{_digits(random, 6)}/{name}"
    if "vcs" in package:
        package["vcs"]["url"] = f"{THERE}/{_digits(random, 4)}"


def opaque_url(document: Document, random: Random) -> None:
    """Give the file a name, and a URL that does not contain it."""
    package = _package(document, random)
    for file in [*package.get("wheels", ()), *filter(None, [package.get("sdist")])]:
        file["name"] = _name_of(file).replace("%2D", "-").replace("%2B", "+")
        file["url"] = f"{THERE}/download?id={random.randrange(10**6)}"


def another_index(document: Document, random: Random) -> None:
    """Name another index, or none."""
    package = _package(document, random)
    if package.pop("index", None) is None:
        package["index"] = f"{THERE}/simple/"


def equivalent_marker(document: Document, random: Random) -> None:
    """Write the same condition as another marker."""
    package = _package(document, random)
    old = package.get("marker")
    always = ("python_version >= '3.8'", "implementation_name != 'pypy'")
    never = "sys_platform == 'win32' and sys_platform == 'linux'"
    if old is None:
        package["marker"] = random.choice(always)
    else:
        package["marker"] = random.choice(
            [
                f"({old})",
                f"({old}) and ({old})",
                f"({old}) or ({never})",
                f"({never}) or ({old})",
                f"{random.choice(always)} and ({old})",
                old.replace(
                    "sys_platform == 'darwin'",
                    "(platform_system == 'Darwin' and 'darwin' == sys_platform)",
                ),
            ]
        )


def for_nobody(document: Document, random: Random) -> None:
    """Add a package for no target, or for a group that is not requested."""
    marker = random.choice(
        ["sys_platform == 'win32'", "'unasked' in dependency_groups"]
    )
    document["packages"].append(_new_package(random) | {"marker": marker})


def foreign_wheel(document: Document, random: Random) -> None:
    """Add a wheel that fits no target to an entry that has wheels."""
    package = _package(document, random)
    if "wheels" in package:
        parts = _name_of(package["wheels"][0]).replace("%2D", "-").split("-")
        name = f"{parts[0]}-{parts[1]}-cp312-cp312-win_amd64.whl"
        file = {"url": f"{HERE}/{name}", "hashes": {"sha256": _digits(random, 64)}}
        package["wheels"].insert(0, file)


def other_tables(document: Document, random: Random) -> None:
    """Change what does not affect installation: tools, dependencies, created-by."""
    document["created-by"] = random.choice(["polylock", "another", "polylock 9.9"])
    document["tool"]["another"] = {"x": random.randrange(9)}
    record = document["tool"]["polylock"]
    record["requirements"] = sorted({*record["requirements"], f"x{random.random()}"})
    package = _package(document, random)
    package["dependencies"] = [{"name": "plainlib"}]
    package.get("vcs", {})["requested-revision"] = random.choice(["main", "v2"])


def newer_libc(document: Document, random: Random) -> None:
    """Describe a machine that supports more than its packages need."""
    target = random.choice(document["tool"]["polylock"]["targets"])
    if "libc" in target and int(target["libc"].rpartition(".")[2]) >= 28:
        target["libc"] = f"glibc-2.{random.randrange(39, 44)}"
    target["derived-properties"] = [
        *target.get("derived-properties", ()),
        {"namespace": f"x{random.randrange(99)}", "feature": "f", "values": ["on"]},
    ]


# What may.


def another_hash(document: Document, random: Random) -> None:
    """Change the bytes of a file."""
    _file(document, random)["hashes"]["sha256"] = _digits(random, 64)


def another_version(document: Document, random: Random) -> None:
    """Pin another version of a package, in the names of its files too."""
    package = _package(document, random)
    old = package.get("version")
    if old is None or package["name"] == "abikit":
        return
    new = f"{random.randrange(9)}.{random.randrange(9)}.{random.randrange(9)}"
    package["version"] = new
    for file in _files(package):
        _renamed(file, _name_of(file).replace(f"-{old}", f"-{new}", 1))


def build_number(document: Document, random: Random) -> None:
    """Take another build of the same version."""
    for wheel in _package(document, random).get("wheels", ()):
        name, version, *rest = _name_of(wheel).replace("%2D", "-").split("-")
        if not rest[0].isdecimal():
            _renamed(wheel, "-".join([name, version, str(random.randrange(9)), *rest]))


def better_wheel(document: Document, random: Random) -> None:
    """Add a wheel that some targets prefer to a plain one."""
    package = _package(document, random)
    plain = [
        wheel
        for wheel in package.get("wheels", ())
        if _name_of(wheel).replace("%2D", "-").endswith("-py3-none-any.whl")
    ]
    if plain:
        start = _name_of(plain[0]).replace("%2D", "-").removesuffix("py3-none-any.whl")
        tag = random.choice(["manylinux_2_28_x86_64", "macosx_12_0_arm64"])
        package["wheels"].append(
            {
                "url": f"{HERE}/{start}cp312-cp312-{tag}.whl",
                "hashes": {"sha256": _digits(random, 64)},
            }
        )


def add(document: Document, random: Random) -> None:
    """Add a package for all targets, one of them, one system, a group or an extra."""
    package = _new_package(random)
    names = [each["name"] for each in document["tool"]["polylock"]["targets"]]
    marker = random.choice(
        [
            None,
            f"'{random.choice(names)}' in dependency_groups",
            "sys_platform == 'linux'",
            "'test' in dependency_groups",
            "'docs' in extras",
            "python_full_version >= '3.12.5'",
        ]
    )
    document["packages"].append(package | ({"marker": marker} if marker else {}))


def remove(document: Document, random: Random) -> None:
    """Drop an entry."""
    document["packages"].remove(_package(document, random))


def narrow(document: Document, random: Random) -> None:
    """Take a package from some targets."""
    package = _package(document, random)
    names = [each["name"] for each in document["tool"]["polylock"]["targets"]]
    left = random.sample(names, len(names) - 1)
    listed = " or ".join(f"'{name}' in dependency_groups" for name in left)
    old = package.get("marker")
    package["marker"] = f"({old}) and ({listed})" if old else listed


def rename(document: Document, random: Random) -> None:
    """Rename a project."""
    package = _package(document, random)
    if package["name"] == "abikit":  # a variant is bound to it
        return
    package["name"] = name = f"renamed-{random.randrange(10**6)}"
    for wheel in package.get("wheels", ()):
        rest = _name_of(wheel).replace("%2D", "-").partition("-")[2]
        _renamed(wheel, f"{name.replace('-', '_')}-{rest}")


def another_python(document: Document, random: Random) -> None:
    """Give a target another patch release, or another minor version."""
    document.pop("environments", None)
    target = random.choice(document["tool"]["polylock"]["targets"])
    target["python"] = random.choice(["3.12", "3.12.1", "3.12.8", "3.13"])


def another_source(document: Document, random: Random) -> None:
    """Change a commit, a subdirectory, a path or how a path is installed."""
    packages = document["packages"]
    found = [p for p in packages if p.keys() & {"vcs", "directory", "archive"}]
    if not found:
        return
    package = random.choice(found)
    if "directory" in package:
        key, value = random.choice([("path", "libs/elsewhere"), ("editable", False)])
        package["directory"][key] = value
    else:
        tree = package.get("vcs") or package["archive"]
        if "vcs" in package and random.random() < 0.5:
            tree["commit-id"] = _digits(random, 40)
        else:
            tree["subdirectory"] = random.choice(["a", "b"])


def _new_package(random: Random) -> Document:
    name = f"new-{random.randrange(10**9)}"
    file = f"{name.replace('-', '_')}-1.0-py3-none-any.whl"
    wheel = {"url": f"{HERE}/{file}", "hashes": {"sha256": _digits(random, 64)}}
    return {"name": name, "version": "1.0", "wheels": [wheel]}


NEUTRAL: tuple[Edit, ...] = (
    shuffle,
    resize,
    another_time,
    more_hashes,
    louder_hash,
    move,
    opaque_url,
    another_index,
    equivalent_marker,
    for_nobody,
    foreign_wheel,
    other_tables,
    newer_libc,
)
FREE: tuple[Edit, ...] = (
    another_hash,
    another_version,
    build_number,
    better_wheel,
    add,
    remove,
    narrow,
    rename,
    another_python,
    another_source,
)


def annotated(text: str, random: Random) -> str:
    """Add comments and empty lines."""
    lines = [
        f"# {random.random()}\n{line}" if random.random() < 0.1 else line
        for line in text.splitlines()
    ]
    return "\n\n".join(lines) + "\n"
