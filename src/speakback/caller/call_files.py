"""The two files that a call leaves: a stereo WAV and a JSON timeline."""

import json
from dataclasses import dataclass
from pathlib import Path

import soundfile

from speakback.caller.errors import CallError
from speakback.caller.record import CallRecord
from speakback.caller.stereo import stereo
from speakback.caller.timeline import Timeline
from speakback.timebase import VOICE_HZ


@dataclass(frozen=True, slots=True)
class CallFiles:
    """Where they lie."""

    wav: Path
    timeline: Path


def place_for(out: Path, name: str) -> Path:
    """The files' common path without ending: `out` itself, or `name` within it where it is a folder."""
    return out / name if out.is_dir() else out


def write_call(prefix: Path, record: CallRecord, timeline: Timeline) -> CallFiles:
    """Write both, in `prefix`'s folder (made if need be). Blocks. Raises `CallError`."""
    files = CallFiles(prefix.with_name(prefix.name + ".wav"), prefix.with_name(prefix.name + ".json"))
    sides = stereo([(frame.spoken_ms, frame.audio_24k) for frame in record.frames], record.stretches)
    try:
        prefix.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(files.wav, sides, VOICE_HZ, subtype="PCM_16")
        files.timeline.write_text(json.dumps(timeline.to_json(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except (OSError, soundfile.LibsndfileError) as problem:
        raise CallError(f"{prefix}: the recording of the call cannot be written ({problem}).") from None
    return files
