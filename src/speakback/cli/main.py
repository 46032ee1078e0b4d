"""The command `speakback`: registers a function per verb, each in a file of its name.

Those files import nothing heavy at their top (a test holds that), so that `--help` answers at once.
"""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from speakback import __version__
from speakback.cli.call import call
from speakback.cli.config import config
from speakback.cli.demo import demo
from speakback.cli.doctor import doctor
from speakback.cli.emulate import emulate
from speakback.cli.evaluate import evaluate
from speakback.cli.key import key
from speakback.cli.live_check import live_check
from speakback.cli.load import load
from speakback.cli.replay import replay
from speakback.cli.serve import serve
from speakback.cli.simulate import simulate
from speakback.cli.weights import weights

EXIT_REFUSED = 2
"""The exit code when what was asked cannot be done and the message says why."""


def _expected_errors() -> tuple[type[Exception], ...]:
    """Errors whose message is all an operator needs. Imported only once something failed."""
    from speakback.caller.errors import CallError
    from speakback.config import ConfigError
    from speakback.emulators.running import EmulationError
    from speakback.emulators.server import CannotListenError
    from speakback.evaluate.timeline import TimelineError
    from speakback.providers.errors import ProviderError
    from speakback.supervisor.worker import WorkerFailed
    from speakback.turn.strategies import UnknownStrategy
    from speakback.turn.trace_format import TraceError
    from speakback.weights import WeightsError

    return (
        CallError,
        CannotListenError,
        ConfigError,
        EmulationError,
        ProviderError,
        TimelineError,
        TraceError,
        UnknownStrategy,
        WeightsError,
        WorkerFailed,
    )


class _Verbs(TyperGroup):
    """Ends a verb that fails in an expected way with one message and no traceback."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]  # typer publishes no name for its base
        try:
            return super().invoke(ctx)
        except Exception as error:
            if not isinstance(error, _expected_errors()):
                raise
            typer.secho(f"speakback: {error}", fg=typer.colors.RED, err=True)
            raise typer.Exit(EXIT_REFUSED) from None


app = typer.Typer(cls=_Verbs, no_args_is_help=True, add_completion=False, pretty_exceptions_show_locals=False)


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"speakback {__version__}")
        raise typer.Exit


@app.callback()
def _speakback(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """A self-hosted voice conversation server that answers like a person."""


for _verb in (serve, call, demo, doctor, config, key, weights, replay, evaluate, simulate, emulate, live_check, load):
    app.command()(_verb)
