"""Families of hard universes of any size, as packages for ``MemorySource``."""

from __future__ import annotations

from typing import Any

__all__ = ["chain", "in_step", "long_conflict", "pigeonholes"]

Packages = dict[str, dict[str, Any]]


def versions(count: int, *requires: str) -> dict[str, Any]:
    """Return versions 1 to count that all require the same."""
    return {str(number): {"requires": requires} for number in range(1, count + 1)}


def chain(depth: int, count: int = 10) -> Packages:
    """Return ``a``, whose versions limit x, and a chain that wants at least half of it.

    Version v of ``a`` requires ``x<=count+1-v``; c1 requires c2 and so on, and the last
    of ``depth`` requires ``x>=count/2``.
    """
    found: Packages = {
        "a": {
            str(version): {"requires": [f"x<={count + 1 - version}"]}
            for version in range(1, count + 1)
        },
        "x": versions(count),
    }
    for level in range(1, depth + 1):
        asked = f"c{level + 1}" if level < depth else f"x>={count // 2}"
        found[f"c{level}"] = versions(count, asked)
    return found


def long_conflict(bystanders: int, count: int, services: int) -> Packages:
    """Return ``top``, deep below which ``gone==1`` is required beside many others."""
    libraries = [f"lib{number}" for number in range(bystanders)]
    return {
        "top": versions(1, "mid", *libraries),
        "mid": versions(1, "ser", *(f"{name}>=2" for name in libraries)),
        **{name: versions(count) for name in libraries},
        "ser": versions(services, "pack"),
        "pack": versions(1, "gone==1"),
        "gone": versions(2),
    }


def pigeonholes(count: int, holes: int | None = None) -> Packages:
    """Return pigeons and holes: version h of a pigeon takes the hole h.

    There are as many holes as pigeons unless said otherwise.
    """
    numbers = range(1, count + 1)
    places = numbers if holes is None else range(1, holes + 1)
    pigeons: Packages = {
        f"pigeon{number}": {
            str(hole): {"requires": [f"hole{hole}=={number}"]} for hole in places
        }
        for number in numbers
    }
    return {**pigeons, **{f"hole{number}": versions(count) for number in places}}


def in_step(count: int, rivals: int) -> Packages:
    """Return a suite of three that are released together, and who excludes it.

    Version v of ``suite`` and of its parts requires version v or later of each part
    below, and all of the last want ``x>=2``, which only version 1 of ``rival`` allows.
    """
    parts = ["suite", "upper", "middle", "lower"]
    found: Packages = {
        name: {
            str(version): {
                "requires": [f"{part}>={version}" for part in parts[at + 1 :]]
            }
            for version in range(1, count + 1)
        }
        for at, name in enumerate(parts[:-1])
    }
    rival = versions(rivals, "x<2")
    rival["1"] = {}
    return {**found, "lower": versions(count, "x>=2"), "rival": rival, "x": versions(2)}
