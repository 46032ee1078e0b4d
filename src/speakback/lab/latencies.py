"""How long providers take: one table of log-normal distributions by their median and 95th percentile."""

from dataclasses import dataclass

from speakback.lab.draws import Draw, log_normal


@dataclass(frozen=True, slots=True)
class Latencies:
    """One set of providers."""

    name: str
    transcript: Draw
    """From asking for the words of a stretch of speech to having them."""
    end_of_turn: Draw
    """From a pause to its score."""
    first_token: Draw
    first_clause: Draw
    """From the first token to a clause that can be spoken."""
    first_audio: Draw
    """From the clause to its first audio at the client."""
    tokens_per_s: float


END_OF_TURN = log_normal(60, 95)
"""Smart Turn v3.2 on one thread: 58 ms at the median here, 60 to 95 on small virtual machines by its makers."""

HOSTED = Latencies(
    "hosted",
    transcript=log_normal(250, 600),
    end_of_turn=END_OF_TURN,
    first_token=log_normal(250, 500),
    first_clause=log_normal(40, 90),
    first_audio=log_normal(150, 300),
    tokens_per_s=500,
)
"""Speech to text: Whisper large-v3-turbo, 228 ms for a clip of 4.9 s, p95 by report. First token: 200 to 350 ms is
common for hosted models (gpt-oss-120b had 98 at the median, 217 at p95 on the fastest host); 500 tokens/s there make
a first clause of 12 tokens in 24 ms. Voice: 138 to 200 ms to first audio by makers and clients, p95 300 to 350."""

LOCAL = Latencies(
    "local",
    transcript=log_normal(140, 300),
    end_of_turn=END_OF_TURN,
    first_token=log_normal(174, 300),
    first_clause=log_normal(294, 600),
    first_audio=log_normal(28, 60),
    tokens_per_s=11,
)
"""This project's own engines on two shared cores: medians as in the README; the p95 are estimates."""

LATENCIES = {"hosted": HOSTED, "local": LOCAL}
