"""Random edits of a project file, such as people make between two locks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    Document = dict[str, Any]
    Edit = Callable[[Document, Random], None]

__all__ = ["PROJECT_EDITS"]


def _targets(document: Document) -> dict[str, Document]:
    found: dict[str, Document] = document["tool"]["polylock"]["targets"]
    return found


def _target(document: Document, random: Random) -> Document:
    return random.choice(list(_targets(document).values()))


def release(document: Document, random: Random) -> None:
    """Release the project."""
    document["project"]["version"] = f"{random.randrange(9)}.{random.randrange(9)}"


def rename(document: Document, random: Random) -> None:
    """Rename the project."""
    document["project"]["name"] = f"demo-{random.randrange(99)}"


def reorder(document: Document, random: Random) -> None:
    """Write dependencies and targets in another order."""
    random.shuffle(document["project"]["dependencies"])
    targets = list(_targets(document).items())
    document["tool"]["polylock"]["targets"] = dict(random.sample(targets, len(targets)))


def runner(document: Document, random: Random) -> None:
    """Run a target elsewhere."""
    _target(document, random)["runs-on"] = f"runner-{random.randrange(9)}"


def libc(document: Document, random: Random) -> None:
    """Describe another C library."""
    target = _target(document, random)
    if target["platform"].startswith("linux"):
        target["libc"] = f"glibc-2.{random.choice([17, 28, 34, 39])}"


def processor(document: Document, random: Random) -> None:
    """Describe another processor; some make no difference."""
    target = _target(document, random)
    if target["platform"].startswith("linux"):
        names = ["x86-64-v2", "x86-64-v3", "x86-64-v4", "zen3", "zen4", "icelake"]
        target["cpu"] = random.choice(names)


def driver(document: Document, random: Random) -> None:
    """Describe another driver; some make no difference."""
    target = _target(document, random)
    if "nvidia" in target:
        driver = random.choice(["12.4", "12.8", "13.0", "13.1"])
        target["nvidia"] = target["nvidia"] | {"driver": driver}


def python(document: Document, random: Random) -> None:
    """Give one target a Python of its own."""
    _target(document, random)["python"] = random.choice(["3.12", "3.12.4", "3.13"])


def every_python(document: Document, random: Random) -> None:
    """Change the Python of the targets without their own."""
    document["tool"]["polylock"]["python"] = random.choice(["3.12", "3.13"])


def own_requirement(document: Document, random: Random) -> None:
    """Add or remove a requirement of one target."""
    target = _target(document, random)
    if target.pop("dependencies", None) is None:
        target["dependencies"] = [random.choice(["plainlib-testing", "plainlib"])]


def group(document: Document, random: Random) -> None:
    """Change the requirements of a group, or add a group."""
    groups = document["dependency-groups"]
    if random.random() < 0.5:
        wanted = [["plainlib-testing"], ["plainlib-testing", "plainlib"], []]
        groups["test"] = random.choice(wanted)
    else:
        groups[f"group-{random.randrange(9)}"] = ["plainlib-testing"]


def extra(document: Document, random: Random) -> None:
    """Add an extra."""
    extras = document["project"].setdefault("optional-dependencies", {})
    extras[f"extra-{random.randrange(9)}"] = ["plainlib-testing"]


def requirement(document: Document, random: Random) -> None:
    """Add, remove or rewrite a requirement."""
    dependencies = document["project"]["dependencies"]
    choices = [
        ["blasx"],
        ["blasx >=1"],
        ["BlasX>=1.0; python_version >= '3.8'"],
        ["blasx ; sys_platform == 'linux'"],
        [],
    ]
    left = [each for each in dependencies if not each.lower().startswith("blasx")]
    document["project"]["dependencies"] = left + random.choice(choices)


def constraint(document: Document, random: Random) -> None:
    """Forbid a version that is locked, or one that is not."""
    document["tool"]["polylock"]["constraint-dependencies"] = [
        random.choice(
            [
                "plainlib <1.2",
                "plainlib >=1.2,<2",
                "plainlib <5",
                "tensordemo-compiler <1.1",
                "absent ==1",
            ]
        )
    ]


def preference(document: Document, random: Random) -> None:
    """Prefer or exclude a variant."""
    table = document["tool"]["polylock"]
    mkl = "blas_lapack :: provider :: mkl"
    if random.random() < 0.5:
        table["prefer-variants"] = random.choice([[mkl], []])
    else:
        table["exclude-variants"] = random.choice([["blas_lapack"], [mkl], []])


PROJECT_EDITS: tuple[Edit, ...] = (
    release,
    rename,
    reorder,
    runner,
    libc,
    processor,
    driver,
    python,
    every_python,
    own_requirement,
    group,
    extra,
    requirement,
    constraint,
    preference,
)
