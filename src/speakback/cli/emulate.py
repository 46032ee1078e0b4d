"""`speakback emulate`: serve the protocols of Groq and ElevenLabs on this machine until told to stop."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from speakback.cli.serve import loop_factory
from speakback.cli.stopping import by_signals

if TYPE_CHECKING:
    from speakback.emulators.running import Emulation


def emulate(
    services: Annotated[list[str], typer.Argument(help="Which: groq, elevenlabs, or both.")],
    profile: Annotated[str, typer.Option(help="How quick they are: zero, fast, typical or bad-day.")] = "typical",
    faults: Annotated[
        str, typer.Option(help="What goes wrong, each with its share of occasions: close-1006=0.1,quota")
    ] = "",
    seed: Annotated[int, typer.Option(help="Fixes all that is drawn.")] = 1,
    region: Annotated[str, typer.Option(help="Where they are: us, eu, ne-asia or s-asia.")] = "us",
    content: Annotated[
        str,
        typer.Option(
            help="Who hears, writes and speaks: models of this machine (local), the same with a writer that "
            "repeats what it is told (echo), or no models (scripted)."
        ),
    ] = "local",
    tier: Annotated[str, typer.Option(help="Groq's rate limits: free or developer.")] = "developer",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port_groq: Annotated[int, typer.Option(help="0 takes a free one.")] = 8791,
    port_elevenlabs: Annotated[int, typer.Option(help="0 takes a free one.")] = 8790,
) -> None:
    """Serve emulated services until interrupted, and say how to use them. They measure nothing of the real ones."""
    from speakback.emulators.running import emulation

    asked = emulation(services, profile=profile, faults=faults, seed=seed, region=region, content=content, tier=tier)
    ports = {"groq": port_groq, "elevenlabs": port_elevenlabs}
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_emulate_until_stopped(asked, host, ports))


async def _emulate_until_stopped(asked: "Emulation", host: str, ports: Mapping[str, int]) -> None:
    from speakback.emulators.running import emulating

    stopped = by_signals().asked
    async with emulating(asked, host, ports) as environment:
        typer.echo(f"speakback: emulating {' and '.join(asked.services)}. In another shell:", err=True)
        for name, value in environment.items():
            typer.echo(f"export {name}={value}")
        await stopped.wait()
