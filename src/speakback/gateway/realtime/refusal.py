"""What a client is told when a message of its own cannot be taken; the session goes on as if it had not come."""


class Refusal(ValueError):
    """Becomes an `error` event. The message is for the client's author and quotes no audio and no long value.

    `param` is the dotted path of what was wrong, `event_id` the client's own name for its message.
    `unreadable` marks a message of which not even the type could be made out.
    """

    def __init__(
        self, code: str, message: str, *, param: str | None = None, event_id: str = "", unreadable: bool = False
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param
        self.event_id = event_id
        self.unreadable = unreadable
