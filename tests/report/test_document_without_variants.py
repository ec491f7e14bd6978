"""What a target would download if no index had variants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakes.lock_texts import lock_text, package_text, settings_for
from polylock.report.document import report_document

if TYPE_CHECKING:
    from pathlib import Path

    from polylock.report.document import WithoutVariants

_TARGET = """\
[[tool.polylock.targets]]
name = "{name}"
platform = "{platform}"
{libc}python = "3.12"
derived-properties = [
  {{ namespace = "x86_64", feature = "level", values = ["{level}"] }},
]
"""
_METADATA = """\
[packages.variants-json]
"$schema" = "https://variants-schema.wheelnext.dev/peps/850/v0.2.0.json"
[packages.variants-json.default-priorities]
namespace = ["x86_64"]
[packages.variants-json.providers]
x86_64 = { builtin = true }
[packages.variants-json.variants]
fast = { x86_64 = { level = ["v3"] } }
"""


def _wheel(name: str, size: int, label: str = "", tag: str = "py3-none-any") -> str:
    file = f"{name}-1.0-{tag}{'-' + label if label else ''}.whl"
    digest = file.encode().hex().ljust(64, "0")[:64]
    return (
        f'wheels = [{{ url = "https://files.example.com/{file}", size = {size}, '
        f'hashes = {{ sha256 = "{digest}" }} }}]\n'
    )


def _entry(name: str, wheel: str, *, only: str, needs: str = "", more: str = "") -> str:
    edges = f'dependencies = [{{ name = "{needs}" }}]\n' if needs else ""
    return (
        f'[[packages]]\nname = "{name}"\nversion = "1.0"\n'
        f"marker = \"'{only}' in dependency_groups\"\n{edges}{wheel}{more}"
    )


def _lock(*entries: str, plain_platform: str = "linux-x86_64") -> str:
    """Return a lock for a target that supports v3 and one that does not."""
    text = lock_text(*entries, requirements=("fastlib", "small"))
    text = text.replace(
        'dependency-groups = ["box"]', 'dependency-groups = ["new", "old"]'
    )
    head = text.partition("[[tool.polylock.targets]]")[0]
    libc = 'libc = "glibc-2.28"\n'
    return head + "".join(
        [
            _TARGET.format(name="new", platform="linux-x86_64", libc=libc, level="v3"),
            _TARGET.format(
                name="old",
                platform=plain_platform,
                libc=libc if plain_platform.startswith("linux") else "",
                level="v1",
            ),
        ]
    )


VARIANT = _entry("fastlib", _wheel("fastlib", 700, "fast"), only="new", more=_METADATA)
PLAIN = _entry("fastlib", _wheel("fastlib", 900), only="old", needs="helper")
HELPER = _entry("helper", _wheel("helper", 30), only="old")


def _found(directory: Path, text: str) -> dict[str, WithoutVariants]:
    document = report_document(settings_for(directory, text), {})
    return {target.name: target.without_variants for target in document.targets}


def test_plain_wheel_of_another_target_is_what_would_be_installed(
    tmp_path: Path,
) -> None:
    """With what it requires, which the variant does not."""
    found = _found(tmp_path, _lock(package_text("small"), VARIANT, PLAIN, HELPER))
    assert found["new"].size == 900 + 30 + 100
    assert (found["new"].variants, found["new"].unknown) == (("fastlib",), ())
    assert (found["old"].size, found["old"].variants) == (900 + 30 + 100, ())


def test_nothing_is_guessed_where_no_plain_wheel_is_locked(tmp_path: Path) -> None:
    """The projects whose plain wheel is not known are named."""
    entry = _entry(
        "fastlib", _wheel("fastlib", 700, "fast"), only="new", more=_METADATA
    )
    found = _found(tmp_path, _lock(package_text("small"), entry))["new"]
    assert (found.size, found.unknown) == (None, ("fastlib",))


def test_plain_wheel_of_another_system_does_not_count(tmp_path: Path) -> None:
    """A target of another platform has other requirements, even of the same wheel."""
    text = _lock(
        package_text("small"), VARIANT, PLAIN, HELPER, plain_platform="windows-x86_64"
    )
    assert _found(tmp_path, text)["new"].unknown == ("fastlib",)


def test_plain_wheel_that_does_not_fit_does_not_count(tmp_path: Path) -> None:
    """Its C library is newer than that of the target."""
    wheel = _wheel("fastlib", 900, tag="cp312-cp312-manylinux_2_39_x86_64")
    plain = _entry("fastlib", wheel, only="old")
    text = _lock(package_text("small"), VARIANT, plain)
    before, _, old = text.rpartition('name = "old"')
    text = before + 'name = "old"' + old.replace("glibc-2.28", "glibc-2.39")
    found = _found(tmp_path, text)
    assert found["new"].unknown == ("fastlib",)
    assert found["old"].size == 900 + 100
