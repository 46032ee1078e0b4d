"""How likely what the microphone hears over the agent is the agent's own voice come back. Pure: no clock, numpy only.

For a client without echo cancellation (a speakerphone on a plain WebSocket). The client's delay, its loudness
and the room are unknown: they are found by correlating what is heard with what was played, and then kept for
the session. Once they are known, the level of the echo is foretold, and whatever exceeds it is someone else.
Until then the agent's first words are guarded by a prior.
"""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from speakback.audio.pcm import Samples
from speakback.session.echo_bands import BANDS, HOP_MS, LONG_AGO, BandLevels, Levels, Track
from speakback.session.echo_path import LAGS, EchoPath, Match, best_match, measured_gain, nearby
from speakback.session.echo_played import AUDIBLE_DBFS, PlayedSound
from speakback.timebase import EAR_HZ, samples_to_ms

WINDOW_HOPS = 60
"""Hops (1 s) over which heard and played are compared."""
SHORTEST_HOPS = 25
"""The least (0.4 s) that can be compared."""
LOOK_EVERY_FRAMES = 2
LOOK_AGAIN_EVERY_FRAMES = 8
"""With a path known, another one, or a new loudness of it, is looked for less often."""
FOUND_AT = 0.72
"""A correlation that shows a path, if it comes"""
FOUND_TIMES = 6
"""so many times in a row at the same lag..."""
KEPT_TIMES = 3
"""...and that renews one, or shows another, if it comes so often."""
LIKELY_AT = 0.62
LIKELY_SLOPE = 0.05
"""Without a path known: the correlation of even chances, and what makes them 73 to 27."""

WARM_UP_MS = 500
"""So much sound over the agent's voice is held to be its echo while nothing is known..."""
WARM_UP_PLAYED_MS = 2000
"""...unless the agent was audible for this long before..."""
UNANSWERED_MS = 800
"""...or so much of its voice, in this reply and those before it, was loud and nothing came back:"""
UNANSWERED_DBFS = -45.0
"""An echo of what is softer may be too soft to be heard."""
SILENT_LINE_LIKELIHOOD = 0.5
"""then this is the most, until a path is found."""
WARM_UP_LIKELIHOOD = 0.7

JUDGED_HOPS = 14
"""Hops (224 ms) whose levels are compared with the foretold ones."""
SOUNDING_HOPS = 3
"""With fewer of them in which something sounds, there is nothing to judge."""
EXCEEDS_DB = 6.0
SHARE_AT = 0.3
SHARE_SLOPE = 0.06
"""With a path known: the share of cells (a band in a hop) louder than foretold at even chances, and the slope."""
TAIL_HOPS = 20
"""An echo may last this long behind what was played."""
SOONEST_HOPS = 3
"""An echo takes at least so long (48 ms): packets, a sound card, the air."""
LINGERS_MS = 400
"""Behind the echo's last sound: reverberation, and the VAD's own delay."""
SOUNDS_DB = 8.0
"""Sound is above `AUDIBLE_DBFS`, and above the noise of the microphone by this."""
NOISE_RISE_DB = 0.03
"""Per frame: the noise is the least level of late; it may have become louder."""
NOISE_ABOVE_LEAST_DB = 4.0
MISSING_DB = 10.0
MISSING_CELLS = 30
MISSING_SHARE = 0.6
"""A path is refuted if of so many cells that are to be so far above the noise, this share is so much softer."""
CLOCK_SLACK_MS = 250
"""Frames count on by their samples, until the clock is further ahead of them than this."""
TAKEN_TOGETHER = 16
"""Frames heard (512 ms) that may wait to be taken in together while nobody asks: to measure many costs little more than
one, and who listens in silence does not ask."""
PLAYED_TOGETHER_MS = 640
"""The same of what was played."""
LOOKED_BACK_MS = 3000
"""What was played longer ago is compared with nothing: 1.6 s of windows and lags, 0.5 s of frames to be judged,
0.4 s that went out ahead, and 0.5 s until nothing is left of the reverberation of what came before. Of a silent line
what came before a message that is late is forgotten too: an echo that begins just then is found a little later."""


class EchoGuard:
    """One session's guard. Times are `now_ms`; audio is mono."""

    def __init__(self) -> None:
        self._path: EchoPath | None = None
        self._played = PlayedSound()
        self._heard_waiting: list[tuple[int, Samples]] = []
        """Each frame with the hop at which it begins."""
        self._heard_bands = BandLevels(EAR_HZ)
        self._heard = Track()
        self._heard_end_ms: int | None = None
        self._noise_db = np.full(BANDS, -50.0, np.float32)
        self._active = False
        """Whether the agent speaks, or what it said may still be heard."""
        self._sounding: deque[bool] = deque(maxlen=WINDOW_HOPS)
        self._frames = 0
        self._matching_lags: list[int] = []
        self._correlation: float | None = None
        self._sound_hops = 0
        self._quiet_hops = 0
        """Since something sounded, while the agent speaks."""
        self._unanswered_hops = 0
        """Hops in which the agent was loud and behind which, for as long as an echo may take, nothing sounded."""
        self._spoke_first = False
        """Whether somebody spoke already when the agent began: no echo comes back so soon."""
        self._silent_line = False
        """Whether enough of the agent's voice brought nothing back: there is no echo, until one is found."""
        self._likelihood: float | None = None

    def played(self, audio_24k: Samples, at_ms: int) -> None:
        """A message of the agent's audio went out; a client that plays at once plays it behind the one before."""
        if self._is_asked_for():
            self._played.add(audio_24k, at_ms)
            if self._played.waiting_ms >= PLAYED_TOGETHER_MS:
                self._played.measure()
            return
        if self._played.is_over(at_ms):  # behind a pause, or late: of all times not the one to measure 3 s of sound
            self._played.skip(0)
        elif self._played.waiting_ms >= LOOKED_BACK_MS + PLAYED_TOGETHER_MS:
            self._played.skip(LOOKED_BACK_MS)
        self._played.add(audio_24k, at_ms)

    def heard(self, frame_16k: Samples, at_ms: int) -> None:
        """A frame of the microphone (a multiple of 16 ms) came in, its last sample at `at_ms`."""
        end_ms = self._frame_end_ms(len(frame_16k), at_ms)
        hop = end_ms // HOP_MS - len(frame_16k) // self._heard_bands.hop_samples
        if hop > self._last_hop():
            self._take_in()
            self._played.skip(0)
            self._active, self._likelihood = False, None
            return
        if not self._active:
            self._begin()
        self._heard_waiting.append((hop, frame_16k))
        if len(self._heard_waiting) >= TAKEN_TOGETHER:
            self._take_in()

    @property
    def path(self) -> EchoPath | None:
        """The way of the echo; None until found."""
        self._take_in()
        return self._path

    def likelihood(self, now_ms: int) -> float | None:
        """That the latest sound is the agent's voice, in [0, 1].

        None where nothing sounds, where nothing was played of late, or where too little is known.
        """
        self._take_in()
        return None if now_ms // HOP_MS > self._last_hop() else self._likelihood

    def lingers(self, now_ms: int) -> bool:
        """Whether the agent's last words may still be coming back, by the path that was found."""
        path = self.path
        if path is None or self._played.end_ms is None:
            return False
        return now_ms <= self._played.end_ms + path.lag_ms + LINGERS_MS

    # ---- within -------------------------------------------------------------------------------

    def _last_hop(self) -> int:
        """Up to which what was played may be heard."""
        end = LONG_AGO if self._played.end_ms is None else self._played.end_ms // HOP_MS
        return end + LAGS + TAIL_HOPS

    def _is_asked_for(self) -> bool:
        """Whether levels of what was played are looked at: where enough of it brought nothing back and no path was
        found, only while something sounds."""
        return not self._silent_line or self._path is not None or True in self._sounding

    def _take_in(self) -> None:
        """Measure what waits, and judge it frame by frame."""
        if not self._heard_waiting:
            return
        frames, self._heard_waiting = self._heard_waiting, []
        levels = self._heard_bands.push(np.concatenate([frame for _, frame in frames]))
        by_frame = levels.reshape(len(frames), -1, BANDS)
        noise_db = self._noise_under(by_frame)
        sounding = (by_frame > np.maximum(noise_db + SOUNDS_DB, AUDIBLE_DBFS)[:, None]).any(axis=2)
        if sounding.any() or self._is_asked_for():
            self._played.measure()
        first_hop, last_hop = frames[0][0], frames[-1][0]
        in_step = last_hop - first_hop == sounding.shape[1] * (len(frames) - 1)
        if in_step and not sounding.any():  # most of what comes in is silence: but that a path is looked for once,
            self._hear(first_hop, levels, noise_db[-1], [False] * len(levels), len(frames))  # the same comes of it
            return
        for place, (hop, _) in enumerate(frames):
            self._hear(hop, by_frame[place], noise_db[place], sounding[place].tolist())

    def _noise_under(self, by_frame: NDArray[np.float32]) -> Levels:
        """The noise by the end of each frame, from levels `[frames, hops, BANDS]`: it rises, and falls to the least."""
        least = by_frame.min(axis=1)
        risen = (NOISE_RISE_DB * np.arange(1, len(least) + 1, dtype=np.float32))[:, None]
        lowest = np.minimum.accumulate(np.concatenate((self._noise_db[None], least + NOISE_ABOVE_LEAST_DB - risen)))
        noise_db: Levels = lowest[1:] + risen
        return noise_db

    def _hear(
        self, hop: int, levels: Levels, noise_db: NDArray[np.float32], sounding: list[bool], frames: int = 1
    ) -> None:
        self._heard.put(hop, levels)
        self._noise_db = noise_db
        self._count(sounding)
        self._frames += frames
        if frames > 1 or self._frames % (LOOK_EVERY_FRAMES if self._path is None else LOOK_AGAIN_EVERY_FRAMES) == 0:
            self._look()
        self._likelihood = self._judge()

    def _look(self) -> None:
        hops = len(self._sounding)
        if self._path is not None:
            self._forget_refuted(self._path, hops)
        self._look_for_path(hops)

    def _frame_end_ms(self, samples: int, at_ms: int) -> int:
        expected_ms = at_ms if self._heard_end_ms is None else self._heard_end_ms + samples_to_ms(samples, EAR_HZ)
        in_step = at_ms - CLOCK_SLACK_MS <= expected_ms <= at_ms
        self._heard_end_ms = expected_ms if in_step else at_ms
        return self._heard_end_ms

    def _begin(self) -> None:
        self._active = True
        self._spoke_first = False
        self._heard_bands.restart(0)
        self._sounding.clear()
        self._quiet_hops = 0
        self._matching_lags.clear()
        self._correlation = None

    def _count(self, sounding: list[bool]) -> None:
        """Note in which of the latest hops something sounded."""
        if self._played.audible_hops * HOP_MS >= WARM_UP_PLAYED_MS and self._sound_hops * HOP_MS < WARM_UP_MS:
            self._silent_line = True
        if len(self._sounding) < SOONEST_HOPS and any(sounding):
            self._spoke_first = True
        self._sounding.extend(sounding)
        self._sound_hops += sum(sounding)
        self._quiet_hops = 0 if any(sounding) else self._quiet_hops + len(sounding)
        if self._quiet_hops >= LAGS and not self._silent_line:
            self._count_unanswered(min(len(sounding), self._quiet_hops - LAGS + 1))

    def _count_unanswered(self, hops: int) -> None:
        """What was played so long ago that its echo would have come by now, and did not."""
        end = self._heard.end - LAGS
        played = self._played.levels.get(end - hops, end)
        self._unanswered_hops += int(np.count_nonzero(played.max(axis=1) > UNANSWERED_DBFS))
        if self._unanswered_hops * HOP_MS >= UNANSWERED_MS:
            self._silent_line = True

    def _look_for_path(self, hops: int) -> None:
        match = self._match(hops)
        self._correlation = None if match is None else match.correlation
        lags = self._matching_lags
        if match is None or match.correlation < FOUND_AT or (lags and abs(match.lag_hops - lags[-1]) > 1):
            lags.clear()
        if match is not None and match.correlation >= FOUND_AT:
            lags.append(match.lag_hops)
        if len(lags) >= (FOUND_TIMES if self._path is None else KEPT_TIMES):
            self._keep_path(int(np.median(lags)), hops)
            lags.clear()

    def _match(self, hops: int) -> Match | None:
        """How alike heard and played are, by the whole of these hops and by those since the first sound alike.

        Two silences are alike, and so are any two beginnings; an echo is alike also within the sound, at the same lag.
        """
        quiet = max(self._sounding.index(True) - 2, 0) if True in self._sounding else hops
        if hops - quiet < SHORTEST_HOPS:
            return None
        end = self._heard.end
        heard = np.maximum(self._heard.get(end - hops, end), self._noise_db)
        played = self._played.levels.get(end - hops - LAGS + 1, end)
        match = best_match(heard, played)
        if quiet == 0:
            return match
        sound = best_match(heard[quiet:], played[quiet:])
        alike = abs(sound.lag_hops - match.lag_hops) <= 1
        return Match(match.lag_hops, min(sound.correlation, match.correlation) if alike else 0.0)

    def _forget_refuted(self, path: EchoPath, hops: int) -> None:
        """No echo where a loud one was foretold: the user put on headphones, or there never was one."""
        heard = self._heard.get(self._heard.end - hops, self._heard.end)
        expected = self._foretold(path.lag_hops, hops) + path.gain_db
        loud = expected > self._noise_db + MISSING_DB
        missing = np.count_nonzero(loud & (heard < expected - MISSING_DB))
        if np.count_nonzero(loud) >= MISSING_CELLS and missing > MISSING_SHARE * np.count_nonzero(loud):
            self._path = None

    def _keep_path(self, lag_hops: int, hops: int) -> None:
        end = self._heard.end
        gain_db = measured_gain(self._heard.get(end - hops, end), self._foretold(lag_hops, hops))
        if gain_db is not None:
            self._path = EchoPath(lag_hops, gain_db)

    def _foretold(self, lag_hops: int, hops: int) -> Levels:
        end = self._heard.end - lag_hops
        return nearby(self._played.levels.get(end - hops - 1, end + 1))

    def _judge(self) -> float | None:
        sounding = list(self._sounding)[-JUDGED_HOPS:]
        if sounding.count(True) < SOUNDING_HOPS:
            return None
        if self._path is not None:
            return self._by_level(self._path, np.array(sounding))
        by_shape = None if self._correlation is None else _logistic((self._correlation - LIKELY_AT) / LIKELY_SLOPE)
        if self._silent_line or self._spoke_first:
            return None if by_shape is None else min(by_shape, SILENT_LINE_LIKELIHOOD)
        if self._sound_hops * HOP_MS < WARM_UP_MS:
            return max(by_shape or 0.0, WARM_UP_LIKELIHOOD)
        return by_shape

    def _by_level(self, path: EchoPath, sounding: NDArray[np.bool_]) -> float | None:
        hops = len(sounding)
        heard = self._heard.get(self._heard.end - hops, self._heard.end)
        expected = np.maximum(self._foretold(path.lag_hops, hops) + path.gain_db, self._noise_db)
        judged = (heard > self._noise_db + SOUNDS_DB) & sounding[:, None]
        cells = np.count_nonzero(judged)
        if cells == 0:
            return None
        share = np.count_nonzero(judged & (heard > expected + EXCEEDS_DB)) / cells
        return _logistic((SHARE_AT - share) / SHARE_SLOPE)


def _logistic(x: float) -> float:
    return float(1 / (1 + np.exp(-x)))
