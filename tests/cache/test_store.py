"""The cache directory: what is written is read, and what is damaged is absent."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from polylock.cache.store import Bucket, Store, Usage
from polylock.errors import CacheUnusable


def _read(store: Store, bucket: Bucket, key: str) -> bytes | None:
    found = store.read(bucket, key)
    return None if found is None else bytes(found)


def test_read_returns_what_was_written(tmp_path: Path) -> None:
    """An entry comes back byte for byte, from another Store object as well."""
    Store(tmp_path).write(Bucket.PAGES, "key", b"content")
    assert _read(Store(tmp_path), Bucket.PAGES, "key") == b"content"


def test_read_of_an_unknown_key_is_none(tmp_path: Path) -> None:
    """An absent entry is None, whether or not the directory exists."""
    assert Store(tmp_path / "nowhere").read(Bucket.PAGES, "key") is None


def test_keys_of_two_buckets_do_not_meet(tmp_path: Path) -> None:
    """The same key names another entry in another bucket."""
    store = Store(tmp_path)
    store.write(Bucket.PAGES, "key", b"page")
    store.write(Bucket.METADATA, "key", b"metadata")
    assert _read(store, Bucket.PAGES, "key") == b"page"


@pytest.mark.parametrize("damage", [b"", b"\0", b"\0" * 100])
def test_a_damaged_entry_is_absent(tmp_path: Path, damage: bytes) -> None:
    """A file that was cut short or overwritten counts as no entry."""
    store = Store(tmp_path)
    store.write(Bucket.PAGES, "key", b"content")
    store.path(Bucket.PAGES, "key").write_bytes(damage)
    assert store.read(Bucket.PAGES, "key") is None


def test_a_flipped_bit_makes_an_entry_absent(tmp_path: Path) -> None:
    """The checksum covers the content, not just its length."""
    store = Store(tmp_path)
    store.write(Bucket.PAGES, "key", b"content")
    path = store.path(Bucket.PAGES, "key")
    path.write_bytes(path.read_bytes()[:-1] + b"T")
    assert store.read(Bucket.PAGES, "key") is None


def test_a_failing_block_leaves_the_old_entry(tmp_path: Path) -> None:
    """A write that is broken off leaves neither a new entry nor a temporary file."""
    store = Store(tmp_path)
    store.write(Bucket.FILES, "key", b"old")
    target = store.path(Bucket.FILES, "key")

    def break_off() -> None:
        with store.pending_file(target.parent) as pending:
            pending.file.write(b"half")
            pending.target = target
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    assert _read(store, Bucket.FILES, "key") == b"old"
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_a_full_disk_is_told_as_an_unusable_cache(tmp_path: Path) -> None:
    """An OSError while writing becomes CacheUnusable with the system's words."""
    store = Store(tmp_path)
    with (
        pytest.raises(CacheUnusable, match="No space left"),
        store.pending_file(tmp_path / "files-v1"),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_root_that_is_a_file_is_unusable(tmp_path: Path) -> None:
    """A cache directory that is a file is an error that names a path in it."""
    root = tmp_path / "cache"
    root.write_text("")
    with pytest.raises(CacheUnusable, match="cache"):
        Store(root).write(Bucket.PAGES, "key", b"content")
    with pytest.raises(CacheUnusable, match="cache"):
        Store(root).read(Bucket.PAGES, "key")


def test_writers_of_one_key_leave_one_whole_entry(tmp_path: Path) -> None:
    """Concurrent writers never show a reader a mixture."""
    store = Store(tmp_path)
    contents = [bytes([number]) * 100_000 for number in range(4)]
    seen: set[bytes] = set()

    def work(content: bytes) -> None:
        for _ in range(10):
            store.write(Bucket.PAGES, "key", content)
            found = store.read(Bucket.PAGES, "key")
            assert found is not None
            seen.add(bytes(found))

    threads = [threading.Thread(target=work, args=(c,)) for c in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen
    assert seen <= set(contents)


@pytest.mark.parametrize("bucket", [Bucket.ANSWERS, Bucket.LOCK_FILES])
def test_prune_forgets_answers_of_last_month(tmp_path: Path, bucket: Bucket) -> None:
    """They are small, but each directory in which polylock ran has some."""
    store = Store(tmp_path)
    for key in ("old", "new"):
        store.write(bucket, key, b"answer")
    last_month = time.time() - 31 * 24 * 3600
    os.utime(store.path(bucket, "old"), (last_month, last_month))
    assert store.prune() == Usage(files=1, size=len(b"answer") + 4)
    assert _read(store, bucket, "old") is None
    assert _read(store, bucket, "new") == b"answer"


def test_prune_removes_old_layouts_and_abandoned_files(tmp_path: Path) -> None:
    """Only what no process can still use is removed, and it is counted."""
    store = Store(tmp_path)
    store.write(Bucket.PAGES, "key", b"content")
    outdated = tmp_path / "pages-v0" / "aa" / "entry"
    outdated.parent.mkdir(parents=True)
    outdated.write_bytes(b"1234")
    directory = store.path(Bucket.PAGES, "key").parent
    abandoned, recent = directory / ".tmp-abandoned", directory / ".tmp-recent"
    abandoned.write_bytes(b"12")
    recent.write_bytes(b"1")
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(abandoned, (two_days_ago, two_days_ago))
    assert store.prune() == Usage(files=2, size=6)
    assert not outdated.exists()
    assert not abandoned.exists()
    assert recent.exists()
    assert _read(store, Bucket.PAGES, "key") == b"content"


def test_clear_touches_only_its_own_directories(tmp_path: Path) -> None:
    """A directory that is no cache loses nothing if it was given by mistake."""
    precious = tmp_path / "precious" / "file"
    precious.parent.mkdir()
    precious.write_text("data")
    store = Store(tmp_path)
    store.write(Bucket.PAGES, "key", b"content")
    assert store.clear().files == 1
    assert store.read(Bucket.PAGES, "key") is None
    assert precious.read_text() == "data"


def test_size_counts_each_bucket(tmp_path: Path) -> None:
    """Sizes are given by bucket; an entry is its content and a checksum."""
    store = Store(tmp_path)
    assert store.size() == {}
    store.write(Bucket.PAGES, "key", b"content")
    assert store.size() == {"pages-v1": Usage(files=1, size=11)}


def test_a_new_cache_is_tagged_for_backup_tools(tmp_path: Path) -> None:
    """The directory that the cache makes carries CACHEDIR.TAG."""
    Store(tmp_path / "cache").write(Bucket.PAGES, "key", b"")
    tag = (tmp_path / "cache" / "CACHEDIR.TAG").read_text()
    assert tag.startswith("Signature: 8a477f597d28d172789f06886806bc55")


def test_a_new_cache_is_ignored_by_git(tmp_path: Path) -> None:
    """Where it lies in a work tree, none of it is ever committed, itself included."""
    Store(tmp_path / "cache").write(Bucket.PAGES, "key", b"")
    assert (tmp_path / "cache" / ".gitignore").read_bytes() == b"*\n"
    Store(tmp_path).write(Bucket.PAGES, "key", b"")
    assert not (tmp_path / ".gitignore").exists()


def test_a_killed_writer_leaves_the_old_entry(tmp_path: Path) -> None:
    """A process that dies in the middle of a write harms no reader."""
    store = Store(tmp_path)
    store.write(Bucket.PAGES, "key", b"old")
    program = f"""
import os, sys, time
from pathlib import Path
from polylock.cache.store import Bucket, Store
store = Store(Path({str(tmp_path)!r}))
target = store.path(Bucket.PAGES, "key")
with store.pending_file(target.parent) as pending:
    pending.target = target
    pending.file.write(b"half")
    pending.file.flush()
    print("writing", flush=True)
    time.sleep(60)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == b"writing"
        process.kill()
    assert _read(store, Bucket.PAGES, "key") == b"old"
    store.write(Bucket.PAGES, "key", b"new")
    assert _read(store, Bucket.PAGES, "key") == b"new"


def test_remove_forgets_an_entry(tmp_path: Path) -> None:
    """Removing what is not there is no error."""
    store = Store(tmp_path)
    store.write(Bucket.PAGES, "key", b"content")
    store.remove(Bucket.PAGES, "key")
    store.remove(Bucket.PAGES, "key")
    assert store.read(Bucket.PAGES, "key") is None


def test_an_entry_that_another_process_holds_open_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows refuses to replace an open file; losing our copy is no failure."""
    store = Store(tmp_path)
    store.write(Bucket.PAGES, "key", b"old")

    def refuse(_: Path, target: Path) -> None:
        raise PermissionError(errno.EACCES, "Access is denied", str(target))

    monkeypatch.setattr(Path, "replace", refuse)
    store.write(Bucket.PAGES, "key", b"new")
    assert _read(store, Bucket.PAGES, "key") == b"old"
    with pytest.raises(CacheUnusable, match="Access is denied"):
        store.write(Bucket.PAGES, "other", b"new")
    assert not list(tmp_path.rglob(".tmp-*"))


def test_clear_waits_for_those_who_use_the_cache(tmp_path: Path) -> None:
    """What a running sync links from stays until it ends."""
    store = Store(tmp_path)
    store.write(Bucket.FILES, "key", b"content")
    with ThreadPoolExecutor() as pool:
        with store.in_use(), store.in_use():
            cleared = pool.submit(Store(tmp_path).clear)
            time.sleep(0.2)
            assert not cleared.done()
            assert _read(store, Bucket.FILES, "key") == b"content"
        assert cleared.result(10).files == 1
    assert _read(store, Bucket.FILES, "key") is None
    with store.in_use():
        store.write(Bucket.FILES, "key", b"anew")
    assert _read(store, Bucket.FILES, "key") == b"anew"


def test_clear_does_not_wait_for_the_dead(tmp_path: Path) -> None:
    """A process that was killed while it used the cache holds nobody up."""
    store = Store(tmp_path)
    store.write(Bucket.FILES, "key", b"content")
    program = (
        "import os, sys; from pathlib import Path; from polylock.cache.store import "
        "Store; block = Store(Path(sys.argv[1])).in_use(); block.__enter__();"
        "os.kill(os.getpid(), 9) if os.name != 'nt' else os._exit(1)"
    )
    subprocess.run([sys.executable, "-c", program, tmp_path], check=False)
    assert list((tmp_path / "in-use").glob("*.user"))
    assert store.clear().files == 1
    assert not list((tmp_path / "in-use").glob("*.user"))


def test_size_while_others_remove(tmp_path: Path) -> None:
    """What vanishes while it is measured counts nothing."""
    store = Store(tmp_path)
    for number in range(200):
        store.write(Bucket.FILES, str(number), b"content")
    with ThreadPoolExecutor() as pool:
        cleared = pool.submit(store.clear)
        while not cleared.done():
            assert sum(each.files for each in store.size().values()) <= 200


def test_a_stamp_tells_an_entry_from_its_successor(store: Store) -> None:
    """Writing and reading give the stamp of the file; the next one has another."""
    first = store.write(Bucket.PAGES, "demo", b"one")
    assert store.stamp(Bucket.PAGES, "demo") == first
    found = store.read_stamped(Bucket.PAGES, "demo")
    assert found is not None
    assert (bytes(found[0]), found[1]) == (b"one", first)
    kept = store.path(Bucket.PAGES, "demo").open("rb")  # so that its inode stays taken
    with kept:
        second = store.write(Bucket.PAGES, "demo", b"two")
        assert store.stamp(Bucket.PAGES, "demo") == second != first
    assert store.stamp(Bucket.PAGES, "other") is None
