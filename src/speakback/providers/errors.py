"""What a provider may raise. A session turns it into a spoken apology and an `error` event."""


class ProviderError(Exception):
    """A model or service failed; `role` is stt, llm, tts or end_of_turn, `provider` its configured name.

    The message is for an operator: it says what failed and what to do, and holds neither speech
    content nor secrets.
    """

    def __init__(self, role: str, provider: str, message: str) -> None:
        super().__init__(f"{role} provider {provider!r}: {message}")
        self.role = role
        self.provider = provider
