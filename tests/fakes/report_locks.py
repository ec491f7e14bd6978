"""Lock files for eight machines, as large as those of real projects."""

from __future__ import annotations

from hashlib import sha256

__all__ = ["TARGETS", "large_lock"]

TARGETS = {
    "h100": ("linux-x86_64", "cuda13.0"),
    "a100": ("linux-x86_64", "cuda12.8"),
    "rtx-workstation": ("linux-x86_64", "cuda13.0"),
    "mi300x": ("linux-x86_64", "rocm6.4"),
    "cpu-v3": ("linux-x86_64", "x86_64_v3"),
    "grace-hopper": ("linux-aarch64", "cuda13.0"),
    "mac-m3": ("macos-aarch64", "null"),
    "windows-cpu": ("windows-x86_64", "x86_64_v3"),
}
_SIZES = {"cuda13.0": 812, "cuda12.8": 903, "rocm6.4": 1204, "x86_64_v3": 184, "null": 78}
_PROPERTIES = {
    "cuda13.0": ("nvidia", "cuda_version_lower_bound", "13.0"),
    "cuda12.8": ("nvidia", "cuda_version_lower_bound", "12.8"),
    "rocm6.4": ("amd", "rocm_version", "6.4"),
    "x86_64_v3": ("x86_64", "level", "v3"),
}
_TAGS = {
    "linux-x86_64": "cp312-cp312-manylinux_2_28_x86_64",
    "linux-aarch64": "cp312-cp312-manylinux_2_28_aarch64",
    "macos-aarch64": "cp312-cp312-macosx_14_0_arm64",
    "windows-x86_64": "cp312-cp312-win_amd64",
}
_STEMS = "attr cluster data event feature graph http index json kernel log model".split()
_ENDS = "api base client core extras io lib plugin runtime tools types utils".split()
_HOST = "https://files.example.com"


def large_lock(projects: int = 144) -> str:
    """Return a lock with plain projects, a framework with variants and its runtimes."""
    names = [f"{stem}-{end}" for stem in _STEMS for end in _ENDS][:projects]
    entries = [_plain(at, name, names) for at, name in enumerate(names)]
    entries += [_framework(names[0]), *_runtimes(), *_by_version()]
    groups = ", ".join(f'"{name}"' for name in sorted([*TARGETS, "test"]))
    head = (
        'lock-version = "1.0"\nrequires-python = ">=3.11"\nextras = []\n'
        f'dependency-groups = [{groups}]\ncreated-by = "polylock"\n'
    )
    record = (
        '[tool.polylock]\nrequirements = ["arrays", "framework>=3", '
        f'"{names[1]}", "{names[-1]}"]\n'
        f'[tool.polylock.groups]\ntest = ["{names[2]}"]\n'
    )
    return "\n".join([head, *sorted(entries), record, *map(_target, TARGETS)])


def _target(name: str) -> str:
    platform = TARGETS[name][0]
    libc = 'libc = "glibc-2.34"\n' if platform.startswith("linux") else ""
    macos = 'macos = "14.0"\n' if platform.startswith("macos") else ""
    found = _PROPERTIES.get(TARGETS[name][1])
    supported = ""
    if found is not None:
        namespace, feature, value = found
        supported = (
            f'derived-properties = [{{ namespace = "{namespace}", '
            f'feature = "{feature}", values = ["{value}"] }}]\n'
        )
    return (
        f'[[tool.polylock.targets]]\nname = "{name}"\nplatform = "{platform}"\n'
        f'{libc}{macos}python = "3.12"\n{supported}'
    )


def _wheel(name: str, version: str, tag: str, size: int) -> str:
    stem = name.replace("-", "_")
    filename = f"{stem}-{version}-{tag}.whl"
    digest = sha256(filename.encode()).hexdigest()
    return (
        f'{{ url = "{_HOST}/{name}/{filename}", size = {size}, '
        f'hashes = {{ sha256 = "{digest}" }} }}'
    )


def _entry(
    name: str,
    version: str,
    wheels: list[str],
    *,
    dependencies: tuple[str, ...] = (),
    targets: tuple[str, ...] = (),
) -> str:
    edges = ", ".join(f'{{ name = "{each}" }}' for each in dependencies)
    marker = " or ".join(f"'{each}' in dependency_groups" for each in targets)
    return (
        f'[[packages]]\nname = "{name}"\nversion = "{version}"\n'
        + (f'marker = "{marker}"\n' if marker else "")
        + f'dependencies = [{edges}]\nindex = "https://example.com/simple/"\n'
        + f"wheels = [{', '.join(wheels)}]\n"
    )


def _plain(at: int, name: str, names: list[str]) -> str:
    below = tuple(names[2 * at + step] for step in (1, 2) if 2 * at + step < len(names))
    version = f"{at % 7}.{at % 11}.{at % 5}"
    size = 9_000 + at * at * 731
    if at % 9:
        wheels = [_wheel(name, version, "py3-none-any", size)]
    else:
        wheels = [
            _wheel(name, version, tag, size + step)
            for step, tag in enumerate(_TAGS.values())
        ]
    return _entry(name, version, wheels, dependencies=below)


def _framework(dependency: str) -> str:
    """Return an entry for each label, its wheels for the systems that have it."""
    entries = []
    for label, size in _SIZES.items():
        targets = tuple(name for name in TARGETS if TARGETS[name][1] == label)
        tags = dict.fromkeys(_TAGS[TARGETS[name][0]] for name in targets)
        wheels = [
            _wheel("framework", "3.1.0", f"{tag}-{label}", size * 1_000_000 + step)
            for step, tag in enumerate(tags)
        ]
        below = (dependency, *((f"runtime-{label[:4]}",) if size > 200 else ()))
        entry = _entry(
            "framework", "3.1.0", wheels, dependencies=below, targets=targets
        )
        entries.append(entry + _choices(label, targets))
    return "\n".join(entries)


def _choices(label: str, targets: tuple[str, ...]) -> str:
    """Return the metadata of a label, and for whom it was chosen."""
    found = _PROPERTIES.get(label)
    namespace, feature, value = found or _PROPERTIES["cuda13.0"]
    properties = f'{{ {namespace} = {{ {feature} = ["{value}"] }} }}' if found else "{}"
    reason = f', decided-by = ["{" :: ".join(found)}"]' if found else ""
    lines = [f'{{ target = "{each}", label = "{label}"{reason} }}' for each in targets]
    return (
        "[packages.variants-json]\n"
        '"$schema" = "https://variants-schema.wheelnext.dev/peps/850/v0.2.0.json"\n'
        f'[packages.variants-json.default-priorities]\nnamespace = ["{namespace}"]\n'
        f"[packages.variants-json.providers]\n{namespace} = {{ builtin = true }}\n"
        f'[packages.variants-json.variants]\n"{label}" = {properties}\n'
        f"[packages.tool.polylock]\nvariants = [{', '.join(lines)}]\n"
    )


def _runtimes() -> list[str]:
    return [
        _entry(
            f"runtime-{kind}",
            f"{12 + at}.0.{at}",
            [_wheel(f"runtime-{kind}", f"{12 + at}.0.{at}", tag, 640_000_000 + step)
             for step, tag in enumerate(dict.fromkeys(_TAGS.values()))],
            targets=tuple(n for n in TARGETS if TARGETS[n][1].startswith(kind)),
        )
        for at, kind in enumerate(("cuda", "rocm"))
    ]


def _by_version() -> list[str]:
    """Return a project of which one machine has an older version."""
    new = tuple(name for name in TARGETS if name != "mac-m3")
    return [
        _entry(
            "arrays",
            version,
            [_wheel("arrays", version, tag, 18_000_000) for tag in _TAGS.values()],
            targets=targets,
        )
        for version, targets in (("2.4.1", new), ("2.2.6", ("mac-m3",)))
    ]
