"""A Speakback server with stub services, as `speakback serve` runs it: `speakback_server VAD_ONLY|TURN_MODEL`."""

import sys

from benchmarks.peers.candidates import Mode
from benchmarks.peers.loop_lag import LagProbe
from benchmarks.scripted_server import scripted_engines
from speakback.cli.serve import Process, end_within, run, serve_until_stopped
from speakback.cli.stopping import by_signals
from speakback.config import Settings
from speakback.config.admission import AdmissionSettings
from speakback.config.sections import EndOfTurnSettings, ServerSettings, TurnSettings
from speakback.observe.logging import configure_logging

SERVER = ServerSettings(host="127.0.0.1", port=0, max_sessions=1000, drain_s=1.0)
ADMISSION = AdmissionSettings(max_loop_lag_ms=60_000, max_queue_wait_ms=60_000, max_cpu_share=1)
"""All are let in, as at Pipecat's, whatever it does to the others: that is what is measured."""
FIXED_SILENCE_MS = 240
"""What Pipecat's VAD takes with its defaults, counted from the last voiced sample."""
VAD_ONLY = Settings(
    server=SERVER,
    admission=ADMISSION,
    turn=TurnSettings(
        strategy="half-duplex", overrides={"endpointing.wait_ms": FIXED_SILENCE_MS, "barge_in": "immediate"}
    ),
    end_of_turn=EndOfTurnSettings(provider="none"),
)
SETTINGS = {Mode.VAD_ONLY: VAD_ONLY, Mode.TURN_MODEL: Settings(server=SERVER, admission=ADMISSION)}


async def serve(mode: Mode) -> None:
    """Serve on a free port of loopback, and say which."""
    probe = LagProbe()

    def say_ready(address: str) -> None:
        probe.start()
        print(f"ready {address.rpartition(':')[2]}", flush=True)

    process = Process(by_signals(), lambda address: None, say_ready, end_within)
    await serve_until_stopped(SETTINGS[mode], process, scripted_engines)


if __name__ == "__main__":
    configure_logging("warning", "json")
    run(serve(Mode[sys.argv[1]]))
