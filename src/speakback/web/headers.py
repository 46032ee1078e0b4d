"""What a browser is told besides the page itself: what the page may load, talk to and do. Pure."""

import re
from collections.abc import Mapping

IMMUTABLE = "public, max-age=31536000, immutable"
"""For what has its version in its address."""
ASK_EACH_TIME = "no-cache"
NOT_KEPT = "no-store"
"""For secrets, and for a file under the address of another version."""

_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)


def is_host(header: str) -> bool:
    """Whether a `Host` header is what a browser sends: no more than that may get into the policy below."""
    return _HOST.fullmatch(header) is not None


def content_policy(host: str) -> str:
    """The Content-Security-Policy of a page of that host. Nothing inline, nothing from elsewhere.

    The sockets are named because older browsers do not count them to `self`; with and without TLS, because what ends
    it may stand before this server.
    """
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"connect-src 'self' ws://{host} wss://{host}",
            "img-src 'self'",
            "media-src 'self' blob:",
            "worker-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def page_headers(host: str) -> Mapping[str, str]:
    """The headers of an HTML answer."""
    return {
        "Content-Security-Policy": content_policy(host),
        "Permissions-Policy": "microphone=(self)",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": ASK_EACH_TIME,
        "Vary": "Accept-Encoding",
    }


EVERY_ANSWER: Mapping[str, str] = {"X-Content-Type-Options": "nosniff"}
"""The headers of every answer, a refusal or an error, too."""
