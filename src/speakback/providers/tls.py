"""Certificates, for all HTTP clients of the process: each would read the machine's again, which takes a while."""

import ssl
from functools import cache

import httpx2


@cache
def certificates() -> ssl.SSLContext:
    """Those that this machine trusts. The first call reads files: make it in a thread."""
    return httpx2.create_ssl_context()
