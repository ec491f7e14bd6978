"""Edits of a lock file by an attacker who wants other code to run.

``EDITS`` names each kind. An edit takes the document and the attacker's files, and
changes the document in place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    Document = dict[str, Any]
    Edit = Callable[[Document, "Offer", Random], None]

__all__ = ["EDITS", "Offer"]


class Offer(NamedTuple):
    """The attacker's files by name, each as an entry of a lock file.

    ``listed`` are on the index, ``elsewhere`` at an address of the attacker's own,
    under the same names and with other content. ``directory`` is a source tree beside
    the lock file, ``archive`` and ``sdist`` are source distributions of the attacker's.
    """

    listed: Mapping[str, Document]
    elsewhere: Mapping[str, Document]
    directory: str
    archive: Document
    sdist: Document
    bad: str


_SOURCES = ("wheels", "sdist", "archive", "directory", "vcs")
_MARKERS = [
    None,
    "sys_platform == 'win32'",
    "sys_platform != 'win32'",
    "'here' in dependency_groups",
    "'other' in dependency_groups",
    "python_version < '3'",
    "python_version >= '3'",
    "'x' in extras or 'here' in dependency_groups",
]


def _package(document: Document, random: Random) -> Document:
    found: Document = random.choice(document["packages"])
    return found


def _only(package: Document, kind: str, source: Any) -> None:  # noqa: ANN401 - a source
    for each in _SOURCES:
        package.pop(each, None)
    package[kind] = source


def _wheel(package: Document) -> Document:
    found: Document = package["wheels"][0]
    return found


def _name(wheel: Document) -> str:
    return str(wheel.get("name") or wheel["url"].rpartition("/")[2])


def swap_file(document: Document, offer: Offer, random: Random) -> None:
    """Give a package a file of another project."""
    _package(document, random)["wheels"] = [random.choice(list(offer.listed.values()))]


def swap_file_and_name(document: Document, offer: Offer, random: Random) -> None:
    """Give a package a file of another project, under the name that it had."""
    package = _package(document, random)
    wheel = dict(random.choice(list(offer.listed.values())))
    package["wheels"] = [{**wheel, "name": _name(_wheel(package))}]


def other_hash(document: Document, offer: Offer, random: Random) -> None:
    """Let the hash be that of the attacker's file."""
    wheel = _wheel(_package(document, random))
    wheel["hashes"] = offer.elsewhere[_name(wheel)]["hashes"]


def other_url(document: Document, offer: Offer, random: Random) -> None:
    """Let the URL be that of the attacker's file."""
    wheel = _wheel(_package(document, random))
    wheel["url"] = offer.elsewhere[_name(wheel)]["url"]


def other_file(document: Document, offer: Offer, random: Random) -> None:
    """Let URL, size and hash be those of the attacker's file of the same name."""
    package = _package(document, random)
    package["wheels"] = [dict(offer.elsewhere[_name(_wheel(package))])]


def further_file(document: Document, offer: Offer, random: Random) -> None:
    """Put the attacker's file before or behind the locked one."""
    package = _package(document, random)
    mine = dict(offer.elsewhere[_name(_wheel(package))])
    tag = random.choice(["py3-none-any", "1-py3-none-any", "cp313-none-any"])
    mine["name"] = f"{package['name']}-{package['version']}-{tag}.whl"
    package["wheels"].insert(random.randint(0, 1), mine)


def as_archive(document: Document, offer: Offer, random: Random) -> None:
    """Let an archive of the attacker's stand in place of the wheels."""
    _only(_package(document, random), "archive", offer.archive)


def as_sdist(document: Document, offer: Offer, random: Random) -> None:
    """Let a source distribution of the attacker's stand in place of the wheels."""
    _only(_package(document, random), "sdist", offer.sdist)


def as_directory(document: Document, offer: Offer, random: Random) -> None:
    """Let a source tree stand in place of the wheels."""
    path = random.choice([offer.directory, f"./{offer.directory}", "../attack"])
    editable = {"editable": True} if random.random() < 0.5 else {}
    _only(_package(document, random), "directory", {"path": path, **editable})


def as_commit(document: Document, offer: Offer, random: Random) -> None:
    """Let a commit stand in place of the wheels."""
    source = {"type": "git", "url": offer.archive["url"], "commit-id": "b2" * 20}
    _only(_package(document, random), "vcs", source)


def other_marker(document: Document, offer: Offer, random: Random) -> None:
    """Let a package be installed where it was not, or nowhere."""
    del offer
    package = _package(document, random)
    package.pop("marker", None)
    marker = random.choice(_MARKERS)
    if marker is not None:
        package["marker"] = marker


def further_package(document: Document, offer: Offer, random: Random) -> None:
    """Add a package that really is on the index, required by another or by nobody."""
    name = next(name for name in offer.listed if name.startswith("evil"))
    evil: Document = {
        "name": "evil",
        "version": "6.6",
        "wheels": [dict(offer.listed[name])],
    }
    if random.random() < 0.5:
        package = _package(document, random)
        package["dependencies"] = [*package.get("dependencies", ()), {"name": "evil"}]
    for key in ("index", "marker"):
        if key in document["packages"][0]:
            evil[key] = document["packages"][0][key]
    document["packages"].insert(random.randint(0, 2), evil)


def further_source(document: Document, offer: Offer, random: Random) -> None:
    """Add a package with a direct source."""
    kind, source = random.choice(
        [("archive", offer.archive), ("directory", {"path": offer.directory})]
    )
    document["packages"].append({"name": "evil", kind: source})


def removed_package(document: Document, offer: Offer, random: Random) -> None:
    """Leave a package out: what looks for it may find something else."""
    del offer
    document["packages"].remove(_package(document, random))


def renamed_package(document: Document, offer: Offer, random: Random) -> None:
    """Call a package by another name."""
    del offer
    _package(document, random)["name"] = random.choice(["evil", "alpha-", "Gamma"])


def other_index(document: Document, offer: Offer, random: Random) -> None:
    """Say that a package, with the attacker's file, is from another index."""
    package = _package(document, random)
    mine = offer.elsewhere[_name(_wheel(package))]
    package["index"] = mine["url"].partition("/elsewhere/")[0] + "/attack/"
    package["wheels"] = [dict(mine)]


def other_version(document: Document, offer: Offer, random: Random) -> None:
    """Claim another version for the same file."""
    del offer
    _package(document, random)["version"] = random.choice(["0.1", "9.9", "2.0+evil"])


def older_release(document: Document, offer: Offer, random: Random) -> None:
    """Take an older release, with its very file, version and hash."""
    package = _package(document, random)
    package["version"] = "1.0"
    name = next(n for n in offer.listed if n.startswith(f"{package['name']}-1.0"))
    package["wheels"] = [dict(offer.listed[name])]


def other_target(document: Document, offer: Offer, random: Random) -> None:
    """Change the target from what the project says."""
    del offer
    target = random.choice(document["tool"]["polylock"]["targets"])
    key = random.choice(["python", "platform", "name"])
    target[key] = {"python": "3.9", "platform": "windows-x86_64", "name": "evil"}[key]


def other_policy(document: Document, offer: Offer, random: Random) -> None:
    """Pretend that the project allows builds, and add a source."""
    document["tool"]["polylock"]["build"] = "all"
    as_sdist(document, offer, random)


def on_disk(document: Document, offer: Offer, random: Random) -> None:
    """Let the attacker's file of the same name lie on disk, by path or by URL."""
    package = _package(document, random)
    name = _name(_wheel(package))
    file = {key: offer.elsewhere[name][key] for key in ("hashes", "size")}
    place = random.choice([f"../bad/{name}", f"{offer.bad}/{name}"])
    if random.random() < 0.3:
        package["wheels"] = [{**file, "url": f"file://{offer.bad}/{name}"}]
    else:
        package["wheels"] = [{**file, "path": place}]


def never_marker(document: Document, offer: Offer, random: Random) -> None:
    """Let a package be installed on machines that there are not."""
    del offer
    field = random.choice(["platform_release", "platform_version"])
    _package(document, random)["marker"] = f"{field} == 'never'"


def two_entries(document: Document, offer: Offer, random: Random) -> None:
    """Let a second entry of a package, with the attacker's file, be the one that is."""
    package = _package(document, random)
    mine = {**package, "wheels": [dict(offer.elsewhere[_name(_wheel(package))])]}
    mine["marker"] = "platform_release != 'never'"
    package["marker"] = "platform_release == 'never'"
    document["packages"].insert(random.randint(0, 3), mine)


EDITS: Mapping[str, Edit] = {
    "a file of another project": swap_file,
    "such a file under the old name": swap_file_and_name,
    "another hash": other_hash,
    "another URL": other_url,
    "another URL, size and hash": other_file,
    "a further file": further_file,
    "an archive": as_archive,
    "a source distribution": as_sdist,
    "a directory": as_directory,
    "a commit": as_commit,
    "another marker": other_marker,
    "a further package": further_package,
    "a further direct source": further_source,
    "a package less": removed_package,
    "another name": renamed_package,
    "another index": other_index,
    "another version": other_version,
    "an older release": older_release,
    "another target": other_target,
    "another policy": other_policy,
    "a file on disk": on_disk,
    "a marker that no machine meets": never_marker,
    "two entries": two_entries,
}
