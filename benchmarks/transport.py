"""What lies between the server's own TTFB and the caller's: the way through both sockets. Pure.

The two have different notions of where speech ends: the caller goes by the energy of its own audio, the
server by its VAD. So the caller's TTFB is counted anew from the server's notion: the event `speech_stopped` names
the sample at which the VAD heard the end. The server dates that sample by counting back `MIN_SILENCE_MS` from
the arrival of the packet that made it sure: the one holding the sample that lies so much, and
the resampler's lag, after it. The caller knows when it handed that packet to the socket. Then

    transport = (first byte received - (that packet handed over - MIN_SILENCE_MS)) - server's TTFB

is the time in both directions between the two programs and their event loops, rounded to a millisecond
at the server.
"""

from speakback.audio.resample import DELAY_MS
from speakback.caller.record import CallRecord, handed_ms
from speakback.caller.timeline import Turn
from speakback.vad.hysteresis import VadConfig

MIN_SILENCE_MS = VadConfig().min_silence_ms
_LESS_THAN_A_SAMPLE_MS = 0.03
"""The sample that is needed is the last one before the end of the server's frame."""


def transport_ms(turn: Turn, record: CallRecord) -> float | None:
    """The transport of one turn; None where a part was not measured."""
    if turn.heard is None or turn.heard.end_audio_ms is None or turn.reply.first_byte_ms is None:
        return None
    if turn.server is None or turn.server.ttfb_ms is None:
        return None
    sure_at_ms = turn.heard.end_audio_ms + MIN_SILENCE_MS + DELAY_MS - _LESS_THAN_A_SAMPLE_MS
    ended_ms = handed_ms(sure_at_ms, record.frames) - MIN_SILENCE_MS
    return turn.reply.first_byte_ms - ended_ms - turn.server.ttfb_ms


def own_share_ms(turn: Turn, record: CallRecord) -> float | None:
    """The gateway's own share of a turn: all that is neither a model nor an intended wait, transport included."""
    way_ms = transport_ms(turn, record)
    own_ms = None if turn.server is None else turn.server.own_ms
    return None if way_ms is None or own_ms is None else way_ms + own_ms
