"""What may happen to a socket to a service. An adapter makes a `ProviderError` of it."""

from collections.abc import Mapping


class LinkError(Exception):
    """A socket could not be opened, or is gone. The text holds neither a key nor what was said."""


class LinkRefused(LinkError):
    """The service answered the upgrade with an HTTP status. `body` is what it sent, `headers` in lower case."""

    def __init__(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        super().__init__(f"the upgrade was refused with HTTP {status}")
        self.status = status
        self.body = body
        self.headers = headers


class LinkUnreachable(LinkError):
    """No connection: the name is not known, nobody listens, TLS failed, or it took too long."""


class LinkLost(LinkError):
    """The connection ended. `code` is the close code; 1006 stands for an end without one."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{reason} (close code {code})")
        self.code = code
