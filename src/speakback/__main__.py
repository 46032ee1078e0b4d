"""`python -m speakback` is the command `speakback`."""

from speakback.cli.main import app

if __name__ == "__main__":
    app(prog_name="speakback")
