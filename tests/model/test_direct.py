"""Direct sources are read from URLs and tables, and say the same in both."""

from __future__ import annotations

import pytest

from polylock.model.direct import (
    ArchiveSource,
    DirectorySource,
    DirectSource,
    GitSource,
    InvalidDirectSource,
    parse_direct_url,
    relative_url,
    source_of_table,
    table_of_source,
)

SHA = "0" * 64
MD5 = "0" * 32


@pytest.mark.parametrize(
    ("url", "source"),
    [
        (
            f"https://example.com/a-1.0.tar.gz#sha256={SHA.upper()}&subdirectory=x/y",
            ArchiveSource(
                url="https://example.com/a-1.0.tar.gz", sha256=SHA, subdirectory="x/y"
            ),
        ),
        (
            "https://example.com/a.zip?token=1#egg=a",
            ArchiveSource(url="https://example.com/a.zip?token=1"),
        ),
        (
            f"https://example.com/a.zip#md5={MD5}",
            ArchiveSource(url="https://example.com/a.zip", checksum=f"md5={MD5}"),
        ),
        (
            f"https://example.com/a.zip#md5={MD5}&sha256={SHA}",
            ArchiveSource(url="https://example.com/a.zip", sha256=SHA),
        ),
        (
            f"https://example.com/a.zip#sha512={SHA}{SHA}",
            ArchiveSource(
                url="https://example.com/a.zip", checksum=f"sha512={SHA}{SHA}"
            ),
        ),
        (f"file:a.zip#md5={MD5}", ArchiveSource(path="a.zip", checksum=f"md5={MD5}")),
        ("file:../a%20b/a.zip", ArchiveSource(path="../a b/a.zip")),
        ("file:a", DirectorySource(path="a")),
        (
            "git+ssh://git@example.com/a@b.git@feature/x",
            GitSource(url="ssh://git@example.com/a@b.git", revision="feature/x"),
        ),
        ("git+https://u@example.com/a", GitSource(url="https://u@example.com/a")),
        ("git+file:../a@v1", GitSource(path="../a", revision="v1")),
    ],
)
def test_a_url_is_read(url: str, source: DirectSource) -> None:
    """The revision stands after the last @ of the path, the rest in the fragment."""
    assert parse_direct_url(url) == source


@pytest.mark.parametrize(
    "url",
    [
        "hg+https://example.com/a",
        "ftp://example.com/a.zip",
        "https://example.com/a",
        "https://example.com/a.zip#md5=0",
        "https://example.com/a.zip#subdirectory=../b",
        "git+ext::sh -c touch",
        "git+https://example.com/a@--upload-pack=x",
        "../a.zip",
    ],
)
def test_other_urls_are_refused(url: str) -> None:
    """What means nothing here, and what could mean something to a shell."""
    with pytest.raises(InvalidDirectSource):
        parse_direct_url(url)


@pytest.mark.parametrize(
    "source",
    [
        ArchiveSource(url="https://example.com/a.zip", sha256=SHA, subdirectory="x"),
        ArchiveSource(url="https://example.com/a.zip", checksum=f"md5={MD5}"),
        ArchiveSource(path="a.whl"),
        DirectorySource(path="..", editable=True, subdirectory="x"),
        GitSource(url="https://example.com/a", kind="tag", revision="v1"),
        GitSource(path="../a", kind="branch", revision="main", subdirectory="x"),
        GitSource(path="../a"),
    ],
)
def test_a_table_says_all(source: DirectSource) -> None:
    """What is recorded in a lock file is read back as it was."""
    assert source_of_table(table_of_source(source)) == source


def test_a_path_survives_its_url() -> None:
    """Also where it holds what a URL must not."""
    path = "../a b/c#d?e"
    assert parse_direct_url(relative_url(path)) == DirectorySource(path=path)
