"""Requests for speech over HTTP: eight endpoints, and what each may be asked."""

import asyncio
from dataclasses import replace
from functools import partial

from aiohttp import web
from pydantic import ValidationError

from speakback.emulators.elevenlabs import errors
from speakback.emulators.elevenlabs.catalogue import Model
from speakback.emulators.elevenlabs.errors import RefusedError
from speakback.emulators.elevenlabs.formats import DEFAULT, STREAMED, WHOLE
from speakback.emulators.elevenlabs.http_answers import refuse_by_fault
from speakback.emulators.elevenlabs.http_bodies import (
    DialogueBody,
    SpeechBody,
    unprocessable,
    unprocessable_query,
)
from speakback.emulators.elevenlabs.http_speech_answer import Order, Shape, SpeechAnswer
from speakback.emulators.elevenlabs.query import check_gate, check_language, known_model
from speakback.emulators.elevenlabs.service import Service
from speakback.emulators.faults import Fault

_FORMATS = {True: STREAMED, False: WHOLE}


async def answer_speech(service: Service, shape: Shape, request: web.Request) -> web.StreamResponse:
    """Answer one request for speech. Raises `RefusedError`."""
    arrived_s = asyncio.get_running_loop().time()
    name = service.name("http")
    rng = service.chance(name)
    service.check_http_key(request.headers)
    refuse_by_fault(service.options.faults, rng)
    try:
        body = await _body(request, shape)
    except ValidationError as problem:
        return web.json_response(unprocessable(problem), status=422)
    format_name = request.query.get("output_format", DEFAULT)
    if format_name not in _FORMATS[shape.is_stream]:
        known = ", ".join(_FORMATS[shape.is_stream])
        return web.json_response(unprocessable_query("output_format", f"Input should be one of {known}"), status=422)
    model = _checked_model(service, shape, body)
    _check_voices(service, body.voice_ids or [request.match_info["voice_id"]])
    check_gate(format_name, service.options.tier)
    await service.admit(model)
    with service.generating(name):
        quota_is_out = service.options.faults.strike(rng, Fault.QUOTA) is not None
        cost = service.charge(model, body.spoken, quota_is_out=quota_is_out)
        order = Order(body.spoken, model, WHOLE[format_name], cost)
        return await SpeechAnswer(service, shape, request, rng, order).give(arrived_s)


async def _body(request: web.Request, shape: Shape) -> SpeechBody | DialogueBody:
    raw = await request.read()
    return DialogueBody.model_validate_json(raw) if shape.is_dialogue else SpeechBody.model_validate_json(raw)


def _checked_model(service: Service, shape: Shape, body: SpeechBody | DialogueBody) -> Model:
    guesses = service.options.guesses
    default = guesses.default_dialogue_model if shape.is_dialogue else guesses.default_model
    model = known_model(body.model_id or default)
    check_language(model, body.language_code)
    _check_text(model, body)
    if shape.is_dialogue and not model.is_dialogue:
        raise RefusedError(errors.unsupported_model(f"Model '{model.model_id}' cannot do text to dialogue."))
    return model


def _check_text(model: Model, body: SpeechBody | DialogueBody) -> None:
    if model.is_dialogue and body.has_neighbours:
        message = f"previous_text and next_text are not supported with the '{model.model_id}' model."
        raise RefusedError(errors.unsupported_model(message))
    if len(body.spoken) > model.longest_text:
        raise RefusedError(errors.text_too_long(len(body.spoken), model.longest_text))


def _check_voices(service: Service, voice_ids: list[str]) -> None:
    for voice_id in voice_ids:
        if not service.has_voice(voice_id):
            raise RefusedError(errors.voice_not_found(voice_id))


_SHAPES = {
    "/stream": Shape(is_stream=True, has_times=False),
    "/stream/with-timestamps": Shape(is_stream=True, has_times=True),
    "": Shape(is_stream=False, has_times=False),
    "/with-timestamps": Shape(is_stream=False, has_times=True),
}


def speech_routes(service: Service) -> list[web.RouteDef]:
    """Four endpoints each for text to speech and text to dialogue."""
    return [
        web.post(f"{path}{suffix}", partial(answer_speech, service, replace(shape, is_dialogue=is_dialogue)))
        for path, is_dialogue in (("/v1/text-to-speech/{voice_id}", False), ("/v1/text-to-dialogue", True))
        for suffix, shape in _SHAPES.items()
    ]
