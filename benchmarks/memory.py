"""Memory of the server with all default models, after a conversation."""

from benchmarks.calls import held, spoken_scripts
from benchmarks.figures import Figure, Findings
from benchmarks.lines import CONVERSATIONS, polite
from benchmarks.process import children, memory
from speakback.caller.server_process import server_process

MOST_GB = 1.5


async def measure() -> Findings:
    """Resident memory of the server's process, and of those that it started, if any."""
    (script,) = await spoken_scripts([polite(CONVERSATIONS[0])])
    async with server_process() as server:
        before = memory(server.pid)
        await held(server, script)
        found = [memory(pid) for pid in (server.pid, *children(server.pid))]
    figures = (
        Figure("resident, ready", before.now_bytes / 1e9, "GB"),
        Figure("resident, after the conversation", sum(one.now_bytes for one in found) / 1e9, "GB", MOST_GB),
        Figure("the most it ever was", sum(one.peak_bytes for one in found) / 1e9, "GB", MOST_GB),
    )
    return Findings("memory", f"{len(script)} turns, {len(found)} process(es)", figures)
