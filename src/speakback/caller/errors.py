"""What can go wrong with a call."""


class CallError(Exception):
    """A call could not be made or did not last; the message says why and what to do, and holds no secret."""
