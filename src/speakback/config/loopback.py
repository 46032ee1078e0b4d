"""What counts as this machine itself: decided here for where the server may bind and whose pages may connect."""

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """Whether `host` names this machine from within."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name, not an address
        return False
