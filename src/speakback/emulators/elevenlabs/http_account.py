"""The account over HTTP: subscription, models, voices, usage, single-use tokens."""

from aiohttp import web

from speakback.emulators.elevenlabs import errors
from speakback.emulators.elevenlabs.catalogue import MODELS, Model, Voice
from speakback.emulators.elevenlabs.errors import RefusedError
from speakback.emulators.elevenlabs.http_answers import answer_headers
from speakback.emulators.elevenlabs.service import Service

NEXT_RESET_UNIX = 1_798_761_600
"""2027-01-01; nothing here looks at the clock of the machine."""
TOKEN_TYPES = ("tts_websocket", "realtime_scribe", "batch_scribe")
_VOICE_LIMIT = 30


def account_routes(service: Service) -> list[web.RouteDef]:
    """The routes of the account."""
    account = _Account(service)
    return [
        web.get("/v1/user/subscription", account.subscription),
        web.get("/v1/user", account.user),
        web.get("/v1/usage/character-stats", account.usage),
        web.get("/v1/models", account.models),
        web.get("/v1/voices", account.voices),
        web.get("/v1/voices/{voice_id}", account.voice),
        web.post("/v1/single-use-token/{token_type}", account.token),
    ]


class _Account:
    def __init__(self, service: Service) -> None:
        self._service = service

    async def subscription(self, request: web.Request) -> web.Response:
        return self._answer(request, self._subscription())

    async def user(self, request: web.Request) -> web.Response:
        body = {"user_id": "emulated", "subscription": self._subscription(), "is_new_user": False}
        return self._answer(request, body)

    async def usage(self, request: web.Request) -> web.Response:
        """All of it falls on the beginning of the stretch that is asked for."""
        start, end = request.query.get("start_unix", ""), request.query.get("end_unix", "")
        if not (start.isdigit() and end.isdigit()):
            detail = {"loc": ["query", "start_unix"], "msg": "Field required", "type": "missing"}
            return web.json_response({"detail": [detail]}, status=422)
        return self._answer(request, {"time": [int(start)], "usage": {"All": [self._service.credits_used]}})

    async def models(self, request: web.Request) -> web.Response:
        return self._answer(request, [_model(model) for model in MODELS.values()])

    async def voices(self, request: web.Request) -> web.Response:
        return self._answer(request, {"voices": [_voice(voice) for voice in self._service.options.voices]})

    async def voice(self, request: web.Request) -> web.Response:
        voice_id = request.match_info["voice_id"]
        for voice in self._service.options.voices:
            if voice.voice_id == voice_id:
                return self._answer(request, _voice(voice))
        self._service.check_http_key(request.headers, of_account=True)
        raise RefusedError(errors.voice_not_found(voice_id))

    async def token(self, request: web.Request) -> web.Response:
        token_type = request.match_info["token_type"]
        if token_type not in TOKEN_TYPES:
            message = f"Input should be one of {', '.join(TOKEN_TYPES)}"
            detail = {"loc": ["path", "token_type"], "msg": message, "type": "enum"}
            return web.json_response({"detail": [detail]}, status=422)
        self._service.check_http_key(request.headers)
        rng = self._service.chance(self._service.name("token"))
        token = self._service.mint_token(rng) if token_type == "tts_websocket" else f"sutkn_{rng.getrandbits(128):032x}"
        return web.json_response({"token": token}, headers=answer_headers(self._service, rng))

    def _answer(self, request: web.Request, body: object) -> web.Response:
        self._service.check_http_key(request.headers, of_account=True)
        rng = self._service.chance(self._service.name("account"))
        return web.json_response(body, headers=answer_headers(self._service, rng))

    def _subscription(self) -> dict[str, object]:
        options = self._service.options
        return {
            "tier": options.tier.name.lower(),
            "character_count": self._service.credits_used,
            "character_limit": options.credit_limit,
            "max_credit_limit_extension": 0,
            "can_extend_character_limit": False,
            "allowed_to_extend_character_limit": False,
            "next_character_count_reset_unix": NEXT_RESET_UNIX,
            "voice_slots_used": 0,
            "professional_voice_slots_used": 0,
            "professional_voice_slots_used_in_workspace": 0,
            "voice_limit": _VOICE_LIMIT,
            "voice_add_edit_counter": 0,
            "professional_voice_limit": 1,
            "can_extend_voice_limit": False,
            "can_use_instant_voice_cloning": True,
            "can_use_professional_voice_cloning": True,
            "current_overage": {"amount": "0", "currency": "usd"},
            "currency": "usd",
            "status": "active",
        }


def _model(model: Model) -> dict[str, object]:
    return {
        "model_id": model.model_id,
        "name": model.name,
        "can_do_text_to_speech": True,
        "can_do_voice_conversion": False,
        "can_be_finetuned": False,
        "requires_alpha_access": False,
        "maximum_text_length_per_request": model.longest_text,
        "concurrency_group": "standard" if model.credits_per_character == 1 else "turbo",
        "model_rates": {"character_cost_multiplier": model.credits_per_character},
        "languages": [{"language_id": language, "name": language} for language in model.languages],
    }


def _voice(voice: Voice) -> dict[str, object]:
    return {
        "voice_id": voice.voice_id,
        "name": voice.name,
        "category": "premade",
        "labels": {},
        "available_for_tiers": [],
    }
