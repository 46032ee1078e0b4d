"""What an API key of this server looks like, and the hash that stands for it in a configuration."""

import hashlib
import secrets

KEY_PREFIX = "sk-sb-"
"""Begins every key made here, so that a leaked one is recognised by secret scanners and by people."""


def new_api_key() -> str:
    """A new random key: the prefix and 256 random bits in URL-safe letters, all legal in an HTTP header."""
    return KEY_PREFIX + secrets.token_urlsafe(32)


def key_hash(key: str) -> str:
    """SHA-256 of `key` in 64 hexadecimal digits; takes any string, also bytes that were no UTF-8.

    A plain hash is enough because a key is 256 random bits: there is nothing to guess that salt or slowness would
    protect.
    """
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
