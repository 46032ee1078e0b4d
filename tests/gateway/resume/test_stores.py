"""gateway/resume/memory.py, file.py, redis.py: one contract, three stores; and what is the own of the first two."""

import asyncio
import os
import stat
import sys
import threading
from pathlib import Path

import pytest

from speakback.config import ConfigError
from speakback.gateway.resume.file import FileStore, _Found, file_store
from speakback.gateway.resume.memory import MemoryStore
from speakback.gateway.resume.store import ResumeStore, StoreUnavailable
from speakback.gateway.resume.tokens import new_token, record_key

RACERS = 12
TTL_S = 60.0


def fresh_key() -> str:
    return record_key(new_token(), "")


# ---- the contract -----------------------------------------------------------------------------


async def test_what_is_kept_is_given_once(store: ResumeStore) -> None:
    key = fresh_key()
    await store.create(key, b"\x00 a record", TTL_S)
    assert await store.take(key) == b"\x00 a record"
    assert await store.take(key) is None


async def test_what_was_never_kept_is_not_given(store: ResumeStore) -> None:
    assert await store.take(fresh_key()) is None


async def test_a_newer_record_takes_the_place_of_the_older_one(store: ResumeStore) -> None:
    key = fresh_key()
    await store.create(key, b"old", TTL_S)
    assert await store.replace(key, b"new", TTL_S)
    assert await store.take(key) == b"new"


async def test_who_replaces_what_was_taken_learns_it_and_undoes_nothing(store: ResumeStore) -> None:
    key = fresh_key()
    await store.create(key, b"old", TTL_S)
    await store.take(key)
    assert not await store.replace(key, b"new", TTL_S)
    assert await store.take(key) is None


async def test_a_record_that_was_lost_is_kept_anew(store: ResumeStore) -> None:
    key = fresh_key()
    assert await store.replace(key, b"again", TTL_S)
    assert await store.take(key) == b"again"


async def test_what_was_given_back_can_be_taken_again(store: ResumeStore) -> None:
    key = fresh_key()
    await store.create(key, b"a", TTL_S)
    await store.take(key)
    await store.create(key, b"b", TTL_S)
    assert await store.replace(key, b"c", TTL_S)
    assert await store.take(key) == b"c"


async def test_records_do_not_mix(store: ResumeStore) -> None:
    first, second = fresh_key(), fresh_key()
    await store.create(first, b"1", TTL_S)
    await store.create(second, b"2", TTL_S)
    assert [await store.take(second), await store.take(first)] == [b"2", b"1"]


async def test_what_expired_is_gone(store: ResumeStore) -> None:
    key = fresh_key()
    await store.create(key, b"a", 0.001)
    await asyncio.sleep(0.02)
    assert await store.take(key) is None
    assert await store.replace(key, b"b", TTL_S), "nobody took it"


async def test_of_many_who_take_one_gets_it(store: ResumeStore) -> None:
    for _ in range(20):
        key = fresh_key()
        await store.create(key, b"a", TTL_S)
        got = await asyncio.gather(*(store.take(key) for _ in range(RACERS)))
        assert sorted(record for record in got if record is not None) == [b"a"]


async def test_who_replaces_while_it_is_taken_leaves_nothing_behind(store: ResumeStore) -> None:
    for _ in range(20):
        key = fresh_key()
        await store.create(key, b"a", TTL_S)
        got, *_ = await asyncio.gather(store.take(key), *(store.replace(key, b"b", TTL_S) for _ in range(RACERS)))
        assert got in (b"a", b"b")
        assert await store.take(key) is None
        assert not await store.replace(key, b"c", TTL_S)


async def test_what_is_discarded_is_gone_and_was_taken(store: ResumeStore) -> None:
    key = fresh_key()
    await store.create(key, b"a", TTL_S)
    await store.discard(key)
    assert await store.take(key) is None
    assert not await store.replace(key, b"b", TTL_S)


# ---- memory -----------------------------------------------------------------------------------


class Clock:
    """Stands still."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


async def test_memory_lets_go_of_what_expired() -> None:
    clock = Clock()
    store = MemoryStore(clock, most_bytes=10)
    await store.create("a", b"12345678", TTL_S)
    with pytest.raises(StoreUnavailable, match="full"):
        await store.create("b", b"12345678", TTL_S)
    assert await store.replace("a", b"1234567890", TTL_S), "its own room is its own"
    clock.now_s += TTL_S
    await store.create("b", b"12345678", TTL_S)
    assert await store.take("a") is None


async def test_memory_forgets_in_the_end_that_something_was_taken() -> None:
    clock = Clock()
    store = MemoryStore(clock)
    await store.create("a", b"1", TTL_S)
    await store.take("a")
    clock.now_s += 24 * 3600
    await store.take("b")
    assert await store.replace("a", b"2", TTL_S)


# ---- files ------------------------------------------------------------------------------------


def seen(folder: Path) -> list[str]:
    return sorted(path.suffix for path in folder.iterdir())


async def test_files_are_for_this_account_only(tmp_path: Path) -> None:
    store = await file_store(tmp_path / "kept")
    await store.create(fresh_key(), b"a", TTL_S)
    (file,) = await asyncio.to_thread(lambda: list((tmp_path / "kept").iterdir()))
    modes = [stat.S_IMODE((await asyncio.to_thread(path.stat)).st_mode) for path in (tmp_path / "kept", file)]
    assert modes == [0o700, 0o600]
    await store.aclose()


async def test_a_folder_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    await asyncio.to_thread(tmp_path.chmod, 0o755)
    with pytest.raises(ConfigError, match="resume.directory: others may enter"):
        await file_store(tmp_path)


async def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    await asyncio.to_thread((tmp_path / "file").touch)
    with pytest.raises(ConfigError, match="resume.directory: conversations cannot be kept"):
        await file_store(tmp_path / "file")


async def test_what_expired_is_removed_from_the_disk(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    store = await file_store(folder, sweep_every_s=0.01)
    await store.create(fresh_key(), b"speech", 0.01)
    await asyncio.to_thread((folder / "left.1-1.new").touch)
    await asyncio.to_thread(os.utime, folder / "left.1-1.new", (0, 0))
    await asyncio.to_thread((folder / "notes.txt").touch)
    while await asyncio.to_thread(seen, folder) != [".txt"]:
        pass
    await store.aclose()


async def test_a_folder_that_vanished_is_a_store_that_fails_and_comes_back(tmp_path: Path) -> None:
    folder, key = tmp_path / "kept", fresh_key()
    store = await file_store(folder)
    await store.create(key, b"a", TTL_S)
    await asyncio.to_thread(folder.rename, tmp_path / "away")
    with pytest.raises(StoreUnavailable, match="the disk fails"):
        await store.replace(key, b"b", TTL_S)
    await asyncio.to_thread((tmp_path / "away").rename, folder)
    assert await store.replace(key, b"c", TTL_S)
    assert await store.take(key) == b"c"
    assert await asyncio.to_thread(seen, folder) == [".taken"]
    await store.aclose()


def held_up_while_taking(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Event, threading.Event]:
    """Whether a taking has begun, and what lets it go on."""
    begun, goes_on, take = threading.Event(), threading.Event(), store._take

    def slowly(key: str) -> "_Found | None":
        begun.set()
        goes_on.wait()
        return take(key)

    monkeypatch.setattr(store, "_take", slowly)
    return begun, goes_on


async def test_a_record_is_not_lost_in_a_taking_that_nobody_waits_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, key = await file_store(tmp_path / "kept"), fresh_key()
    await store.create(key, b"a", TTL_S)
    with monkeypatch.context() as patched:
        _, goes_on = held_up_while_taking(store, patched)
        with pytest.raises(StoreUnavailable, match="the disk does not answer"):
            await store.take(key)
        goes_on.set()
    assert await store.replace(key, b"b", TTL_S), "it counts as not taken"
    assert await store.take(key) == b"b"
    await store.aclose()


async def test_a_record_is_not_lost_with_a_taker_that_is_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, key = await file_store(tmp_path / "kept"), fresh_key()
    await store.create(key, b"a", TTL_S)
    with monkeypatch.context() as patched:
        begun, goes_on = held_up_while_taking(store, patched)
        taking = asyncio.create_task(store.take(key))
        await asyncio.to_thread(begun.wait)
        taking.cancel()
        await asyncio.wait([taking])
        goes_on.set()
    assert await store.take(key) == b"a"
    assert await asyncio.to_thread(seen, tmp_path / "kept") == [".taken"]
    await store.aclose()


async def test_what_was_to_be_discarded_does_not_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, key = await file_store(tmp_path / "kept"), fresh_key()
    await store.create(key, b"a", TTL_S)
    with monkeypatch.context() as patched:
        _, goes_on = held_up_while_taking(store, patched)
        with pytest.raises(StoreUnavailable):
            await store.discard(key)
        goes_on.set()
    assert await store.take(key) is None
    await store.aclose()


async def test_that_something_was_taken_is_not_swept_before_it_is_dated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, key, date = await file_store(tmp_path / "kept"), fresh_key(), os.utime
    await store.create(key, b"a", TTL_S)

    def swept_meanwhile(path: Path, times: tuple[float, float]) -> None:
        store._sweep()
        date(path, times)

    with monkeypatch.context() as patched:
        patched.setattr(os, "utime", swept_meanwhile)
        assert await store.take(key) == b"a"
    assert not await store.replace(key, b"b", TTL_S)
    await store.aclose()


RACE = """
import asyncio, sys
from pathlib import Path
from speakback.gateway.resume.file import file_store

async def main(folder, keys):
    store = await file_store(Path(folder))
    print("ready", flush=True)
    sys.stdin.readline()
    for key in keys:
        got = await asyncio.gather(*(store.take(key) for _ in range(4)), store.replace(key, b"x", 60.0))
        for record in got[:-1]:
            if record is not None:
                print(key, flush=True)
    await store.aclose()

asyncio.run(main(sys.argv[1], sys.argv[2:]))
"""


@pytest.mark.timeout(120)  # processes start slowly on a machine that is busy
async def test_of_many_processes_that_take_one_gets_it(tmp_path: Path) -> None:
    folder, keys = tmp_path / "kept", [fresh_key() for _ in range(40)]
    store = await file_store(folder)
    for key in keys:
        await store.create(key, b"a", TTL_S)
    racers = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            RACE,
            str(folder),
            *keys,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        for _ in range(4)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert await racer.stdout.readline() == b"ready\n"
    outputs = await asyncio.gather(*(racer.communicate(b"go\n") for racer in racers))
    taken = [line for output, _ in outputs for line in output.decode().split()]
    assert sorted(taken) == sorted(keys), "each once, by one of sixteen"
    assert [await store.take(key) for key in keys] == [None] * len(keys)
    await store.aclose()


async def test_of_many_threads_that_take_one_gets_it(tmp_path: Path) -> None:
    store, key = await file_store(tmp_path / "kept"), fresh_key()
    for _ in range(20):
        await store.create(key, b"a", TTL_S)
        got = await asyncio.gather(*(asyncio.to_thread(store._take, key) for _ in range(RACERS)))
        assert [found.record for found in got if found is not None] == [b"a"]
    await store.aclose()
