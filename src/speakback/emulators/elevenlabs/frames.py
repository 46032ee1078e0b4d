"""The server's messages as JSON: camelCase with null keys on the speech sockets, snake_case on the dialogue sockets."""

import base64
import json
from dataclasses import dataclass
from random import Random
from typing import Protocol

from speakback.emulators.elevenlabs.alignment import Alignment
from speakback.emulators.elevenlabs.pieces import Piece
from speakback.emulators.faults import Fault, Faults


class FrameWriter(Protocol):
    """Writes the messages of one context."""

    def audio(self, piece: Piece, *, is_truncated: bool = False) -> str:
        """A frame of audio; truncated, its base64 is no whole number of quartets."""
        ...

    def generated(self) -> str | None:
        """What follows one generation; None: nothing."""
        ...

    def final(self) -> str:
        """The last message."""
        ...


def _base64(audio: bytes, is_truncated: bool) -> str:
    text = base64.b64encode(audio).decode("ascii")
    return text.rstrip("=")[: -2 if len(text.rstrip("=")) % 4 == 3 else -3] if is_truncated else text


@dataclass(slots=True)
class SpeechFrames:
    """Of the text-to-speech sockets: four keys; of a context of the multi-context one: `contextId` in addition."""

    faults: Faults
    rng: Random
    has_context: bool = False
    context_id: str | None = None
    short_final: bool = False
    flush_done: bool = False

    def audio(self, piece: Piece, *, is_truncated: bool = False) -> str:
        """See `FrameWriter`."""
        durations = "charsDurationsMs" if self._strikes(Fault.CHARS_DURATIONS) else "charDurationsMs"
        no_alignment = self._strikes(Fault.NO_ALIGNMENT)
        return self._message(
            _base64(piece.audio, is_truncated),
            None,
            None if no_alignment else _camel(piece.normalized, durations),
            None if no_alignment else _camel(piece.alignment, durations),
        )

    def generated(self) -> str | None:
        """See `FrameWriter`."""
        if not (self.flush_done and self.has_context):
            return None
        return json.dumps({"type": "flush_done", "context_id": self.context_id, "flush_done": True})

    def final(self) -> str:
        """See `FrameWriter`."""
        if self.short_final and self.has_context:
            return json.dumps({"isFinal": True, "contextId": self.context_id})
        return self._message(None, True, None, None)

    def _message(self, audio: str | None, is_final: bool | None, normalized: object, alignment: object) -> str:
        final_key = "is_final" if self._strikes(Fault.SERVER_SNAKE_CASE_FINAL) else "isFinal"
        body: dict[str, object] = {"audio": audio, final_key: is_final}
        body |= {"normalizedAlignment": normalized, "alignment": alignment}
        if self.has_context:
            id_key = "context_id" if self._strikes(Fault.SERVER_SNAKE_CASE_ID) else "contextId"
            body[id_key] = self.context_id
        return json.dumps(body)

    def _strikes(self, fault: Fault) -> bool:
        return self.faults.strike(self.rng, fault) is not None


def _camel(alignment: Alignment | None, durations_key: str) -> dict[str, object] | None:
    if alignment is None:
        return None
    return {
        "chars": alignment.chars,
        "charStartTimesMs": alignment.starts_ms,
        durations_key: alignment.durations_ms,
    }


@dataclass(slots=True)
class DialogueFrames:
    """Of the dialogue sockets; without contexts, without `context_id`."""

    faults: Faults
    rng: Random
    context_id: str | None
    has_alignment: bool

    def audio(self, piece: Piece, *, is_truncated: bool = False) -> str:
        """See `FrameWriter`."""
        alignment = piece.alignment if self.has_alignment else None
        if self.faults.strike(self.rng, Fault.NO_ALIGNMENT) is not None:
            alignment = None
        timing = alignment and {
            "chars": alignment.chars,
            "char_start_times_ms": alignment.starts_ms,
            "char_durations_ms": alignment.durations_ms,
        }
        audio = _base64(piece.audio, is_truncated)
        return self._message({"audio": audio, "alignment": timing, "normalized_alignment": None})

    def generated(self) -> str | None:
        """See `FrameWriter`."""
        return self._message({"is_final_audio_for_turn": True})

    def final(self) -> str:
        """See `FrameWriter`."""
        return self._message({"is_final": True})

    def _message(self, body: dict[str, object]) -> str:
        return json.dumps(body if self.context_id is None else {**body, "context_id": self.context_id})
