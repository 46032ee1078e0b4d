"""Speakback: a self-hosted voice conversation server that answers like a person."""

__version__ = "0.1.0"
