"""Fixtures: JSON lines for their owner alone."""

import json
from datetime import date
from pathlib import Path

import pytest

from speakback.emulators.contracts.all import CONTRACTS
from speakback.emulators.contracts.course import Side
from speakback.emulators.contracts.fixtures import FixtureError, folders, save
from speakback.emulators.contracts.recording import Recording

DAY = date(2026, 11, 22)


def test_a_recording_becomes_lines_that_only_the_owner_may_read(tmp_path: Path) -> None:
    folder = folders(tmp_path / "new" / "out", ["groq"], DAY)["groq"]
    assert folder.name == "groq-2026-11-22"
    assert folder.stat().st_mode & 0o777 == 0o700
    recording = Recording(("secret-key",))
    recording.add_head(recording.connect(), "sent", "GET /models", {"Authorization": "Bearer secret-key"})
    recording.add(1, "received", "body", '{"you sent": "secret-key"}')
    (folder / "connect.live.jsonl").write_text("of an earlier run")  # anyone may read this one
    path = save(folder, CONTRACTS[0], Side.LIVE, recording)
    assert path.name == "connect.live.jsonl"
    assert path.stat().st_mode & 0o777 == 0o600
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["direction"], line["kind"]) for line in lines] == [("sent", "head"), ("received", "body")]
    assert lines[1]["text"] == '{"you sent": "<key>"}'
    assert all(line["offset_ms"] >= 0 for line in lines)


def test_a_place_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FixtureError, match="file"):
        folders(tmp_path / "file", ["groq"], DAY)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "connect.live.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FixtureError, match="connect.live"):
        save(tmp_path, CONTRACTS[0], Side.LIVE, Recording(()))
    assert not (tmp_path / "elsewhere").exists()
