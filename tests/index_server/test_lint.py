"""The findings on a published release: each rule once broken, and real indexes."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from packaging.utils import canonicalize_name

from fakes.variant_data import DATA
from fakes.wheels import variants_json
from polylock.index_server.lint import (
    Finding,
    FindingKind,
    OpenedFile,
    PublishedRelease,
    lint_release,
    published_releases,
)
from polylock.index_server.lint_words import (
    RULES,
    Level,
    cause,
    document,
    level,
    next_step,
)
from polylock.model.core_metadata import CoreMetadata
from polylock.model.distributions import RemoteFile
from polylock.model.requirements import Requirement

if TYPE_CHECKING:
    from collections.abc import Sequence

FINAL = "https://packaging.python.org/schemas/variants/v1.0.0.json"
NAME = canonicalize_name("demo")
INDEX_FILE = "demo-1.0-variants.json"
GPU = {"nvidia": {"cuda_version_lower_bound": ["13.0"], "sm_arch": ["90_real"]}}
LEVEL = {"x86_64": {"level": ["v3"]}}
BOTH = {"gpu": GPU, "v3": LEVEL, "null": {}}
ORDER = ["nvidia", "x86_64"]
PROVIDERS = {
    "nvidia": {"requires": ["nvidia-variant-provider"]},
    "x86_64": {"requires": ["provider-variant-x86-64"]},
}


def text(
    variants: Any = BOTH,  # noqa: ANN401 - also what no metadata may have
    *,
    namespaces: Sequence[str] = ORDER,
    providers: Any = PROVIDERS,  # noqa: ANN401 - as above
    **changes: Any,  # noqa: ANN401 - JSON values
) -> bytes:
    """Return variant metadata as bytes, with some keys replaced."""
    found = variants_json(variants, namespaces=namespaces)
    found |= {"$schema": FINAL, "providers": providers, **changes}
    return json.dumps({k: v for k, v in found.items() if v is not None}).encode()


def index_file(content: bytes | None = None, name: str = INDEX_FILE) -> OpenedFile:
    """Return an index-level file that was read."""
    body = text() if content is None else content
    return OpenedFile(file=remote(name), is_read=True, content=body)


def remote(name: str, *, hashes: dict[str, str] | None = None) -> RemoteFile:
    """Return a file on a page."""
    url = f"https://example.com/{name}"
    return RemoteFile(filename=name, url=url, hashes=hashes or {})


def wheel(
    label: str | None,
    *,
    tag: str = "py3-none-any",
    version: str = "1.0",
    **more: Any,  # noqa: ANN401 - fields of the file
) -> OpenedFile:
    """Return a wheel, not opened unless the fields say so."""
    suffix = "" if label is None else f"-{label}"
    return OpenedFile(file=remote(f"demo-{version}-{tag}{suffix}.whl"), **more)


def opened(
    label: str, content: bytes | None, requires: CoreMetadata | None = None
) -> OpenedFile:
    """Return a wheel with its own metadata."""
    return wheel(label, is_read=True, content=content, requires=requires)


def release(
    *files: OpenedFile, version: str = "1.0", on_index: bool = True
) -> PublishedRelease:
    """Return a release; without an index-level file it has a right one."""
    index_level = [each for each in files if each.file.filename.endswith(".json")]
    wheels = [each for each in files if each.file.filename.endswith(".whl")]
    return PublishedRelease(
        name=NAME,
        version=version,
        wheels=tuple(wheels),
        index_level=tuple(index_level),
        on_index=on_index,
    )


ALL_WHEELS = tuple(wheel(label) for label in BOTH)


def with_index(content: bytes, *wheels: OpenedFile) -> PublishedRelease:
    """Return a release with this index-level file and a wheel for each label."""
    return release(index_file(content), *(wheels or ALL_WHEELS))


def needing(*requirements: str) -> PublishedRelease:
    """Return a release whose GPU wheel requires something."""
    requires = CoreMetadata(
        name="demo",
        version="1.0",
        requires_dist=tuple(Requirement.parse(each) for each in requirements),
    )
    gpu = opened("gpu", text({"gpu": GPU}), requires=requires)
    return release(index_file(), gpu, *ALL_WHEELS[1:])


def changed(label: str, namespace: str, feature: str, values: list[str]) -> bytes:
    """Return the metadata with another value for a property."""
    properties = {**BOTH[label], namespace: {feature: values}}
    return text({**BOTH, label: properties})


CASES: dict[FindingKind, tuple[PublishedRelease, tuple[str, ...], str]] = {
    FindingKind.FILE_UNREADABLE: (
        release(index_file(), *ALL_WHEELS[1:], wheel("gpu", problem="it is gone")),
        ("demo-1.0-py3-none-any-gpu.whl",),
        "",
    ),
    FindingKind.INDEX_FILE_MISSING: (
        release(wheel("v3"), wheel(None)),
        ("demo-1.0-py3-none-any-v3.whl",),
        "",
    ),
    FindingKind.INDEX_FILE_NAME: (
        release(index_file(name="Demo-1.0-variants.json"), *ALL_WHEELS),
        ("Demo-1.0-variants.json",),
        "",
    ),
    FindingKind.INDEX_FILE_HASH: (
        release(
            OpenedFile(
                file=remote(INDEX_FILE, hashes={"sha256": "0" * 64}),
                is_read=True,
                content=text(),
            ),
            *ALL_WHEELS,
        ),
        (INDEX_FILE,),
        "",
    ),
    FindingKind.INDEX_FILE_UNUSED: (
        release(index_file(), wheel(None)),
        (INDEX_FILE,),
        "",
    ),
    FindingKind.METADATA_INVALID: (
        with_index(text(variants={"a b": {}})),
        (INDEX_FILE,),
        'variants["a b"]',
    ),
    FindingKind.WHEEL_METADATA_MISSING: (
        release(index_file(), *ALL_WHEELS[1:], opened("gpu", None)),
        ("demo-1.0-py3-none-any-gpu.whl",),
        "",
    ),
    FindingKind.WHEEL_DIFFERS: (
        release(index_file(), *ALL_WHEELS[1:], opened("gpu", text({"gpu": LEVEL}))),
        ("demo-1.0-py3-none-any-gpu.whl",),
        "variants.gpu",
    ),
    FindingKind.PRIORITIES_DIFFER: (
        release(
            index_file(),
            *ALL_WHEELS[1:],
            opened("gpu", text({"gpu": GPU}, namespaces=ORDER[::-1])),
        ),
        ("demo-1.0-py3-none-any-gpu.whl",),
        "default-priorities.namespace",
    ),
    FindingKind.PROVIDERS_DIFFER: (
        release(
            index_file(),
            *ALL_WHEELS[1:],
            opened(
                "gpu",
                text(
                    {"gpu": GPU}, providers={**PROVIDERS, "nvidia": {"requires": ["x"]}}
                ),
            ),
        ),
        ("demo-1.0-py3-none-any-gpu.whl",),
        "providers.nvidia",
    ),
    FindingKind.LABEL_MISSING: (
        release(index_file(), *ALL_WHEELS, wheel("other")),
        ("demo-1.0-py3-none-any-other.whl",),
        "",
    ),
    FindingKind.LABEL_UNUSED: (
        release(index_file(), *ALL_WHEELS[1:]),
        (INDEX_FILE,),
        "variants.gpu",
    ),
    FindingKind.LABEL_EMPTY: (
        with_index(text({**BOTH, "none": {}}), *ALL_WHEELS, wheel("none")),
        (INDEX_FILE,),
        "variants.none",
    ),
    FindingKind.LABELS_ALIKE: (
        with_index(text({**BOTH, "same": LEVEL}), *ALL_WHEELS, wheel("same")),
        (INDEX_FILE,),
        "variants.same",
    ),
    FindingKind.NAMESPACE_UNLISTED: (
        with_index(
            text(namespaces=["nvidia"], providers={"nvidia": PROVIDERS["nvidia"]})
        ),
        (INDEX_FILE,),
        "default-priorities.namespace",
    ),
    FindingKind.NAMESPACE_RESERVED: (
        with_index(text(namespaces=[*ORDER, "abi_dependency"])),
        (INDEX_FILE,),
        "default-priorities.namespace",
    ),
    FindingKind.PROVIDERS_INCOMPLETE: (
        with_index(text(providers={"nvidia": PROVIDERS["nvidia"]})),
        (INDEX_FILE,),
        "providers.x86_64",
    ),
    FindingKind.FEATURE_UNKNOWN: (
        with_index(changed("v3", "x86_64", "levle", ["v3"])),
        (INDEX_FILE,),
        "variants.v3.x86_64.levle",
    ),
    FindingKind.VALUES_IMPOSSIBLE: (
        with_index(changed("v3", "x86_64", "level", ["v5"])),
        (INDEX_FILE,),
        "variants.v3.x86_64.level",
    ),
    FindingKind.VALUES_UNKNOWN: (
        with_index(changed("gpu", "nvidia", "sm_arch", ["90", "90_real"])),
        (INDEX_FILE,),
        "variants.gpu.nvidia.sm_arch",
    ),
    FindingKind.VALUES_SEVERAL: (
        with_index(changed("v3", "x86_64", "level", ["v2", "v3"])),
        (INDEX_FILE,),
        "variants.v3.x86_64.level",
    ),
    FindingKind.VALUES_UNSORTED: (
        with_index(changed("gpu", "nvidia", "sm_arch", ["90_real", "100_real"])),
        (INDEX_FILE,),
        "variants.gpu.nvidia.sm_arch",
    ),
    FindingKind.ABI_VALUE: (
        with_index(
            text({**BOTH, "v3": {**LEVEL, "abi_dependency": {"torch": ["2.9.0.1"]}}})
        ),
        (INDEX_FILE,),
        "variants.v3.abi_dependency.torch",
    ),
    FindingKind.ABI_SPELLING: (
        with_index(
            text({**BOTH, "v3": {**LEVEL, "abi_dependency": {"flash-attn": ["2"]}}})
        ),
        (INDEX_FILE,),
        "variants.v3.abi_dependency.flash-attn",
    ),
    FindingKind.SCHEMA_URL: (
        with_index(text(**{"$schema": "https://example.com/v1.0.0.json"})),
        (INDEX_FILE,),
        "$schema",
    ),
    FindingKind.SCHEMA_DRAFT: (
        with_index(text(**{"$schema": "https://example.com/v0.2.0.json"})),
        (INDEX_FILE,),
        "$schema",
    ),
    FindingKind.LOCAL_VERSION: (
        release(wheel(None, version="1.0+cu130"), version="1.0+cu130"),
        ("demo-1.0+cu130-py3-none-any.whl",),
        "",
    ),
    FindingKind.TAG_IMPOSSIBLE: (
        release(wheel(None, tag="cp313-cp313-macosx_110_0_arm64")),
        ("demo-1.0-cp313-cp313-macosx_110_0_arm64.whl",),
        "",
    ),
    FindingKind.CUDA_MAJOR: (
        needing("numpy", "nvidia-cublas-cu12>=12.4"),
        ("demo-1.0-py3-none-any-gpu.whl",),
        "",
    ),
    FindingKind.VALUES_UNLISTED: (
        with_index(
            text(
                {"gfx": {"amd": {"gfx_arch": ["gfx1151"]}}},
                namespaces=["amd"],
                providers={"amd": {"requires": ["amd-variant-provider"]}},
            ),
            wheel("gfx"),
        ),
        (INDEX_FILE,),
        "variants.gfx.amd.gfx_arch",
    ),
    FindingKind.WHEEL_NOT_OPENED: (
        release(index_file(), *ALL_WHEELS[1:], wheel("gpu", unopened="no ranges")),
        ("demo-1.0-py3-none-any-gpu.whl",),
        "",
    ),
}
"""A release that breaks one rule alone, the files that have it, and the key."""

TOGETHER = {
    # A second file has a wrong name, as there is one right name.
    FindingKind.INDEX_FILE_TWICE,
    # Only the drafts have a format that lists its keys, and a draft is a note.
    FindingKind.KEY_UNKNOWN,
    # Not of a release: published_releases finds it.
    FindingKind.FILE_NAME,
    # Hundreds of others are before it.
    FindingKind.TOO_MANY,
}


@pytest.mark.parametrize("kind", CASES, ids=str)
def test_a_broken_rule_is_found_and_nothing_else(kind: FindingKind) -> None:
    """The finding names project, version, files and key, once."""
    published, files, key = CASES[kind]
    found = lint_release(published)
    assert [each.kind for each in found] == [kind]
    assert found[0].files == files
    assert found[0].key == key
    assert (found[0].project, found[0].version) == ("demo", published.version)


def test_every_kind_of_finding_is_tested() -> None:
    """Each kind has words and a case."""
    assert set(RULES) == set(FindingKind)
    assert set(CASES) | TOGETHER == set(FindingKind)
    assert not set(CASES) & TOGETHER


@pytest.mark.parametrize("kind", CASES, ids=str)
def test_words_of_a_finding_are_whole(kind: FindingKind) -> None:
    """No place of a detail is left open, and the document has the same words."""
    for found in lint_release(CASES[kind][0]):
        words = f"{cause(found)} {next_step(found)}"
        assert "{" not in words
        assert document(found)["cause"] == cause(found)
        assert document(found)["level"] == level(found).value


def test_a_release_without_faults_has_no_finding() -> None:
    """Wheels with their own metadata, sorted, listed and opened."""
    own = [opened(label, text({label: found})) for label, found in BOTH.items()]
    content = text()
    digest = hashlib.sha256(content).hexdigest()
    listed = OpenedFile(
        file=remote(INDEX_FILE, hashes={"sha256": digest}),
        is_read=True,
        content=content,
    )
    assert lint_release(release(listed, *own, wheel(None))) == []


def test_a_folder_needs_no_index_level_file() -> None:
    """PEP 825, "Index-level metadata": it is for wheels that an index hosts."""
    own = opened("v3", text({"v3": LEVEL}))
    assert lint_release(release(own, on_index=False)) == []


def test_the_same_fault_in_many_files_is_one_finding() -> None:
    """The files are listed, the index-level one first."""
    content = changed("gpu", "nvidia", "sm_arch", ["90_real", "100_real"])
    own = json.loads(content)
    own["variants"] = {"gpu": own["variants"]["gpu"]}
    gpu = opened("gpu", json.dumps(own).encode())
    (found,) = lint_release(with_index(content, gpu, *ALL_WHEELS[1:]))
    assert found.files == (INDEX_FILE, "demo-1.0-py3-none-any-gpu.whl")


def test_two_files_for_one_release_are_found() -> None:
    """Installers read one, by name; the other one has the wrong name."""
    second = index_file(name="Demo-1.0-variants.json")
    kinds = [each.kind for each in lint_release(release(second, index_file()))]
    assert kinds == [FindingKind.INDEX_FILE_TWICE, FindingKind.INDEX_FILE_NAME]


@pytest.mark.parametrize(
    ("version", "changes", "keys"),
    [
        ("v0.0.3", {"static-properties": {}}, []),
        ("v0.1.1", {}, ["providers"]),
        ("v0.1.1", {"providers": None, "more": 1}, ["more"]),
        ("v0.2.0", {"static-properties": {}}, ["static-properties"]),
        ("v1.4.0", {"more": 1}, []),
    ],
)
def test_keys_are_judged_by_the_version_of_the_format(
    version: str, changes: dict[str, Any], keys: list[str]
) -> None:
    """A later version may have more keys than are known here."""
    host = FINAL.rpartition("/")[0]
    found = lint_release(
        with_index(text(**{"$schema": f"{host}/{version}.json", **changes}))
    )
    unknown = [each.key for each in found if each.kind is FindingKind.KEY_UNKNOWN]
    assert unknown == keys


def test_orders_of_features_are_of_the_drafts_alone() -> None:
    """PEP 825 dropped ``default-priorities.feature`` and ``property``."""
    order = {"namespace": ORDER, "feature": {}, "property": {}}
    changes: dict[str, Any] = {
        "$schema": "https://example.com/v0.1.1.json",
        "providers": None,
        "default-priorities": order,
    }
    kept = text(**changes)
    keys = [each.key for each in lint_release(with_index(kept))]
    assert keys == [
        "$schema",
        "default-priorities.feature",
        "default-priorities.property",
    ]


@pytest.mark.parametrize(
    "requirement",
    [
        "nvidia-cublas-cu13>=13",
        "nvidia-cuda-runtime==13.0.96",
        "nvidia-cuda-runtime>=12",
        "nvidia-cufft==11.3.3.83",
        "nvidia-cublas-cu12; variant_label == 'other'",
        "nvidia-cublas-cu12; 'nvidia :: sm_arch :: 80_real' in variant_properties",
        "nvidia-cublas-cu12; extra == 'cuda12'",
        "jax-cuda13-plugin",
    ],
)
def test_requirements_that_fit_the_label_are_no_finding(requirement: str) -> None:
    """A library has its own versions, a marker may exclude the label."""
    assert lint_release(needing(requirement)) == []


@pytest.mark.parametrize(
    "requirement",
    [
        "nvidia-cuda-runtime==12.6.77; platform_system == 'Linux'",
        "nvidia-cublas-cu12; variant_label == 'gpu'",
        "nvidia-cublas-cu12; 'nvidia' in variant_namespaces",
        "jax-cuda12-plugin",
        "cupy-cuda12x",
    ],
)
def test_requirements_for_another_cuda_are_found(requirement: str) -> None:
    """By name, or by the version of what is versioned like CUDA."""
    (found,) = lint_release(needing(requirement))
    assert found.kind is FindingKind.CUDA_MAJOR
    assert found.detail["major"] == "13"


def test_files_of_no_release_are_findings_of_the_page() -> None:
    """Their names do not follow the formats; others are left out."""
    rows = [
        remote("demo-1.0-py3-none-any.whl"),
        remote("demo-1.0.tar.gz"),
        remote("demo.whl"),
        remote("other-1.0-py3-none-any.whl"),
        remote("demo-1.0-1-variants.json"),
        remote("demo-x-variants.json"),
    ]
    releases, found = published_releases(NAME, rows, on_index=True)
    assert [each.version for each in releases] == ["1.0"]
    assert [(each.kind, each.files[0]) for each in found] == [
        (FindingKind.INDEX_FILE_NAME, "demo-1.0-1-variants.json"),
        (FindingKind.INDEX_FILE_NAME, "demo-x-variants.json"),
        (FindingKind.FILE_NAME, "demo.whl"),
        (FindingKind.FILE_NAME, "other-1.0-py3-none-any.whl"),
    ]


def recorded() -> list[Finding]:
    """Return the findings on the recorded index, without notes."""
    found: list[Finding] = []
    for path in sorted((DATA / "published").glob("*-variants.json")):
        project, version, _ = path.name.split("-")
        name = canonicalize_name(project)
        content = path.read_bytes()
        wheels = [remote(each) for each in recorded_wheels(name, version)]
        listed = PublishedRelease(
            name=name,
            version=version,
            wheels=tuple(OpenedFile(file=each) for each in wheels),
            index_level=(
                OpenedFile(file=remote(path.name), is_read=True, content=content),
            ),
        )
        found += lint_release(listed)
    return [each for each in found if level(each) is not Level.NOTE]


def recorded_wheels(name: str, version: str) -> list[str]:
    """Return the wheels of a release of torch; those of others are not recorded."""
    lines = (DATA / "published" / "torch-index-files.tsv").read_text("utf-8")
    names = [line.split("\t")[0] for line in lines.splitlines()[1:]]
    return [n for n in names if n.startswith(f"{name}-{version}-") and n[-1] == "l"]


def test_findings_on_the_recorded_index_are_exactly_these() -> None:
    """Each was judged against PEP 825: all are true, and nothing else is reported.

    Values are "converted to lists and sorted lexically" ("Variants"): CUDA 12.8 and
    13.0 have 100_real after 90_real. The variant without properties is "null" ("Variant
    label"): 2.8 calls it 00000000. And macOS has no version 110.
    """
    unsorted = [
        'variants["cuda12.8"].nvidia.sm_arch',
        'variants["cuda13.0"].nvidia.sm_arch',
    ]
    later = [("torch", "2.10.0"), ("torch", "2.9.0"), ("torchvision", "0.24.0")]
    expected = [
        *(
            (FindingKind.VALUES_UNSORTED, project, version, key)
            for project, version in (*later, ("torchvision", "0.25.0"))
            for key in unsorted
        ),
        (FindingKind.LABEL_EMPTY, "torch", "2.8.0", "variants.00000000"),
        (FindingKind.LABEL_EMPTY, "torchvision", "0.23.0", "variants.00000000"),
        (FindingKind.TAG_IMPOSSIBLE, "torch", "2.10.0", ""),
    ]
    found = [(each.kind, each.project, each.version, each.key) for each in recorded()]
    assert sorted(found) == sorted(expected)


def test_the_recorded_example_of_abi_dependencies_names_a_feature_that_is_not() -> None:
    """Its labels need priority :: cuda, and its static properties have order alone."""
    path = DATA / "abi-dependency" / "torch-2.9.0-variants.json"
    found = lint_release(
        PublishedRelease(
            name=canonicalize_name("torch"),
            version="2.9.0",
            index_level=(
                OpenedFile(
                    file=remote(path.name), is_read=True, content=path.read_bytes()
                ),
            ),
        )
    )
    wrong = [each for each in found if level(each) is Level.ERROR]
    assert [each.kind for each in wrong] == [FindingKind.FEATURE_UNKNOWN] * 3
    assert "static properties of priority" in cause(wrong[0])
