"""A supervisor in a process of its own: `python stub_supervisor.py`. Says its port once its two workers are ready."""

import asyncio
import os
import sys
from pathlib import Path

from speakback.observe.logging import configure_logging
from speakback.supervisor.crew import Crew
from speakback.supervisor.port import shared_port
from speakback.supervisor.worker import Recipe

WORKER = Path(__file__).with_name("stub_worker.py")


async def supervise(port: int) -> None:
    await Crew(Recipe([sys.executable, str(WORKER), str(port)], os.environ), size=2, drain_s=1.0).muster()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    configure_logging("info", "json")
    with shared_port("127.0.0.1", 0) as port:
        asyncio.run(supervise(port))
