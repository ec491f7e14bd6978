"""``reference/repack-file.md``: every key of a repack file, from its schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pages_from_source.markdown import link, page, table
from pages_from_source.prose import prose
from pages_from_source.schema import read_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["repack_file_page"]

_BUILD = "Keys of a build"
_PROJECT = "Keys of a project"
_LINKED = {
    "build": link("build", "", _BUILD),
    "project": link("project", "", _PROJECT),
}

_HEAD = """\
# The repack file

[`polylock variant repack`](commands.md#polylock-variant-repack) makes the variant
wheels of a release from wheels that were built for an index of each kind of hardware.
The file says which builds there are, and which label each gets:

```toml
wheels = ["dist/*.whl"]
output = "release"

[builds.cu126]
label = "cuda12.6"
properties = ["nvidia :: cuda_version_lower_bound :: 12.0"]

[builds.cu130]
label = "cuda13.0"
properties = [
  "nvidia :: cuda_version_lower_bound :: 13.0",
  "nvidia :: sm_arch :: 90_real",
]

[builds.cpu]
label = "null"

[projects.torch]
drop = ["nvidia-*-cu12"]
mark = { triton = "'nvidia' in variant_namespaces" }
add = ["nvidia-nccl==2.28.9; variant_label == 'cuda13.0'"]

[variant.default-priorities]
namespace = ["nvidia"]
```

So `torch-2.10.0+cu130-….whl` becomes `torch-2.10.0-…-cuda13.0.whl`: the local version
leaves METADATA, RECORD, the names of the `.dist-info` and `.data` directories and the
file name. Code is not changed: `torch.__version__` is what the build wrote. polylock
reads and checks all wheels before it writes the first one, and `--dry-run` stops there.

All wheels of a release have one meaning of a label, and one order of namespaces. A
marker that names a label of no build is an error, and so is a requirement of
`torch==2.10.0+cu130` when `torch` is repacked in the same run. Requirements that differ
between the builds can be put behind their labels by `unify = true`: each wheel then
requires what it did, and all have the same METADATA, which installers that read one
wheel of a release rely on.

pip 26.3 and uv 0.13.9 refuse wheels with variant markers. For them leave out `unify`,
and use no `variant_` in `mark` and `add`. Wheels without a label never get any: their
markers are evaluated.

Editors can use `schemas/repack-file.schema.json` in the repository."""

_INTRODUCTIONS = {
    "build": "Under `[builds.NAME]`. The name is the local version of its wheels, "
    "such as `cu130`, unless the build has `wheels`.",
    "project": "Under `[projects.NAME]`. The keys apply in this order. In patterns, "
    "`*` stands for any characters, and names are compared in their normalized form.",
}


def repack_file_page() -> str:
    """Return the reference of the repack file."""
    return page([_HEAD, *_sections()])


def _sections() -> Iterator[str]:
    schema = read_schema("repack-file", _LINKED, written=False)
    yield "## Keys of the file"
    yield _rows(schema.rows(schema.document))
    for name, introduction in _INTRODUCTIONS.items():
        node = schema.definition(name)
        yield f"## {node['title']}"
        yield introduction
        yield _rows(schema.rows(node))


def _rows(rows: Iterator[tuple[str, str, str]]) -> str:
    return table(
        ("key", "value", "meaning"),
        [(key, value, prose(text)) for key, value, text in rows],
    )
