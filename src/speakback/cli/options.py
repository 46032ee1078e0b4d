"""Options that several commands share."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

ConfigOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--config", help="Configuration file; without it SPEAKBACK_CONFIG, then ./speakback.toml if it exists."
    ),
]
"""Pass it on to `load_settings` as it is."""
