"""`speakback key`: make an API key."""

import typer


def key() -> None:
    """Make an API key, and the line of speakback.toml that lets it connect.

    The key goes to standard output, so that it can be piped; it is kept nowhere, so this is the only time it is shown.
    """
    from speakback.config.api_keys import key_hash, new_api_key

    made = new_api_key()
    typer.echo("Give this key to the client; it is shown only now:", err=True)
    typer.echo(made)
    typer.echo("\nPut its hash into speakback.toml (keep the hashes of other keys in the list):", err=True)
    typer.echo(f'[server]\napi_key_hashes = ["{key_hash(made)}"]', err=True)
