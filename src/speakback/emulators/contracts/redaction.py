"""What must not be kept of an exchange: keys, tokens, organisations; and audio, which is too long. Pure.

Request ids stay: without them nobody at the service can look up what happened.
"""

import re
from urllib.parse import quote

KEY, TOKEN, ORGANISATION, REMOVED = "<key>", "<token>", "<organisation>", "<removed>"

_OF_THE_SHAPE_OF_A_KEY = re.compile(r"(?<![A-Za-z0-9])(?:gsk|sk)_[A-Za-z0-9_*.…-]{6,}")
_BEARER = re.compile(r"(?i)\b(bearer\s+)[^\s\"',<]+")
_ORGANISATION = re.compile(r"(?<![A-Za-z0-9])org_[A-Za-z0-9]+")
_SINGLE_USE = re.compile(r"(?<![A-Za-z0-9])sutkn_[A-Za-z0-9]+")
_FIELD = re.compile(
    r'("(?:token|single_use_token|authorization|api_key|xi[-_]api[-_]key)"\s*:\s*)"[^"]*"', re.IGNORECASE
)
_QUERY = re.compile(r"\b(single_use_token|authorization|token|xi-api-key)=[^&\s\"]+", re.IGNORECASE)
_AUDIO = re.compile(r'("(?:audio|audio_base64|audio_base_64)"\s*:\s*)"([A-Za-z0-9+/=_-]+)"')
_FIRST_CHARS = 12

_SECRET_HEADER = re.compile(r"auth|cookie|api-key|organi[sz]ation|workspace|account|(^|-)user-id|forwarded|real-ip")


def redacted(text: str, keys: tuple[str, ...]) -> str:
    """The text without these keys (in whatever shape a URL would give them), and without what looks like a secret."""
    for key in sorted((key for key in keys if key), key=len, reverse=True):
        text = text.replace(key, KEY).replace(quote(key, safe=""), KEY)
    text = _FIELD.sub(rf'\1"{TOKEN}"', text)
    text = _QUERY.sub(rf"\1={TOKEN}", text)
    text = _BEARER.sub(rf"\1{KEY}", text)
    text = _OF_THE_SHAPE_OF_A_KEY.sub(KEY, text)
    text = _SINGLE_USE.sub(TOKEN, text)
    return _ORGANISATION.sub(ORGANISATION, text)


def header_value(name: str, value: str) -> str:
    """Of a header, what may be kept; `redacted` must still be applied."""
    return REMOVED if _SECRET_HEADER.search(name.lower()) else value


def without_audio(text: str) -> str:
    """Base64 of audio shortened to its length and beginning; all else stays as it was, byte for byte."""

    def shortened(found: re.Match[str]) -> str:
        data = found[2]
        return f'{found[1]}"<{len(data)} characters of base64: {data[:_FIRST_CHARS]}…>"'

    return _AUDIO.sub(shortened, text)
