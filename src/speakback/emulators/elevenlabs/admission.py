"""Who may use a socket: told in answer to its first message, since the upgrade itself does not look at keys."""

from dataclasses import dataclass

from aiohttp import web

from speakback.emulators.elevenlabs import errors
from speakback.emulators.elevenlabs.errors import SocketError
from speakback.emulators.elevenlabs.messages import Credentials
from speakback.emulators.elevenlabs.service import Service, bearer
from speakback.emulators.elevenlabs.wire import FailedEnding


@dataclass(frozen=True, slots=True)
class Admission:
    """What the upgrade brought, and what it has to say later."""

    service: Service
    key: str | None
    token: str | None
    late_error: SocketError | None
    """What the upgrade was not refused for, but might have been."""

    @classmethod
    def of(cls, request: web.Request, service: Service, late_error: SocketError | None) -> "Admission":
        key = (
            request.headers.get("xi-api-key")
            or bearer(request.headers.get("Authorization"))
            or bearer(request.query.get("authorization"))
        )
        return cls(service, key, request.query.get("single_use_token"), late_error)

    def check(self, first: Credentials) -> None:
        """Raises `FailedEnding`."""
        error = self._key_error(first) or self.late_error
        if error is not None:
            raise FailedEnding(error)

    def check_voice(self, voice_id: str) -> None:
        """Raises `FailedEnding`."""
        if not self.service.has_voice(voice_id):
            raise FailedEnding(errors.unknown_voice(voice_id))

    def _key_error(self, first: Credentials) -> SocketError | None:
        key = self.key or first.xi_api_key or bearer(first.authorization)
        if key:
            return None if self.service.is_key(key) else errors.INVALID_KEY
        token = self.token or first.single_use_token
        if token:
            return None if self.service.spend_token(token) else errors.INVALID_KEY
        return errors.NO_KEY
