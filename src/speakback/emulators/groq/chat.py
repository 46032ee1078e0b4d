"""`POST /openai/v1/chat/completions`."""

from contextlib import aclosing
from random import Random
from zlib import crc32

from aiohttp import web

from speakback.emulators.faults import Fault
from speakback.emulators.groq.answers import send_broken, stall
from speakback.emulators.groq.call import BEFORE_ANSWER, Call, refuse, slowness_ms
from speakback.emulators.groq.chat_body import Completion
from speakback.emulators.groq.chat_faults import SERVER_ERROR, breaking_off
from speakback.emulators.groq.chat_pieces import Piece, Reasoning, pace_of, prompt_tokens
from speakback.emulators.groq.chat_reply import Chat, Written
from speakback.emulators.groq.chat_request import ChatRequest, parse
from speakback.emulators.groq.errors import unknown_model, unsuited_model
from speakback.emulators.groq.models import Kind, found
from speakback.emulators.groq.rate_limits import RPD, RPM, TPD, TPM
from speakback.emulators.groq.wire import DONE, completion_id, event, json_text
from speakback.providers.errors import ProviderError
from speakback.providers.llm import ToolCall

_POSSIBLE = (*BEFORE_ANSWER, Fault.SLOW_FIRST_BYTE, Fault.STALLED, Fault.NOT_JSON, Fault.SILENT_SUCCESS)
POSSIBLE_IN_STREAM = (*_POSSIBLE, Fault.ERROR_IN_STREAM, Fault.NO_DONE)
POSSIBLE_IN_BODY = (*_POSSIBLE, Fault.LYING_CONTENT_LENGTH)

_BREAKING = (Fault.STALLED, Fault.NOT_JSON, Fault.ERROR_IN_STREAM, Fault.NO_DONE)
_BREAKS_BY_TOKEN = 8


async def chat(call: Call, request: web.Request) -> web.StreamResponse:
    """Answer one request. Raises `GroqError`, and `ProviderError` where nothing is sent yet."""
    asked = parse(await request.read())
    model = found(call.options.models, asked.model)
    if model is None:
        raise unknown_model(asked.model)
    if model.kind is not Kind.CHAT:
        raise unsuited_model(asked.model, Kind.CHAT.value)
    fault = call.strike(*(POSSIBLE_IN_STREAM if asked.is_streamed else POSSIBLE_IN_BODY))
    refuse(fault, call, asked.model, TPD, is_flex=asked.is_flex)
    in_prompt = prompt_tokens(asked)
    reserved = in_prompt + (asked.max_tokens or 0)
    amounts = {RPM: 1, RPD: 1, TPM: reserved, TPD: reserved}
    call.limits.admit(asked.model, amounts, call.options.now_s())
    first_ms = call.options.profile.first_token.draw_ms(call.rng) + slowness_ms(fault)
    pace = pace_of(call.options.profile, model, first_ms)
    held = Chat(call, asked, model, fault, pace, _completion(call, asked), in_prompt, Written())
    try:
        return await (_stream(held, request) if asked.is_streamed else _whole(held, request))
    finally:
        over = in_prompt + held.written.tokens - reserved
        for window in (TPM, TPD):
            call.limits.settle(asked.model, window, over, call.options.now_s())


def _completion(call: Call, asked: ChatRequest) -> Completion:
    rng: Random = call.rng
    seed = asked.seed if asked.seed is not None else rng.randrange(2**31)
    fingerprint = f"fp_{crc32(asked.model.encode()):010x}"
    created = int(call.options.wall_s())
    return Completion(completion_id(rng), created, asked.model, fingerprint, call.request_id, seed)


async def _whole(held: Chat, request: web.Request) -> web.StreamResponse:
    async for _ in held.pieces():
        pass
    await held.call.until(held.pace.due_ms(held.written.tokens))
    written, form = held.written, held.asked.reasoning
    body = held.completion.whole(
        f"<think>{written.reasoning}</think>{written.content}" if form == "raw" else written.content,
        written.reasoning if form == "parsed" else "",
        tuple(written.calls),
        held.finish(),
        held.spent(),
    )
    headers = held.call.headers(held.asked.model)
    if held.fault in (Fault.STALLED, Fault.NOT_JSON, Fault.LYING_CONTENT_LENGTH):
        return await send_broken(request, held.fault, json_text(body).encode(), "application/json", headers)
    return web.Response(text=json_text(body), content_type="application/json", headers=headers)


async def _stream(held: Chat, request: web.Request) -> web.StreamResponse:
    await held.call.until(held.pace.first_ms)
    response = web.StreamResponse(headers=held.call.headers(held.asked.model))
    response.content_type = "text/event-stream"
    response.headers["cache-control"] = "no-cache"
    await response.prepare(request)
    breaks_at = held.call.rng.randint(1, _BREAKS_BY_TOKEN) if held.fault in _BREAKING else None
    try:
        await response.write(event(held.completion.first()))
        await _stream_pieces(held, response, breaks_at)
        if held.fault in _BREAKING:
            await _break_off(held, response, held.fault)
        else:
            await _end(held, response)
    except ProviderError:
        await response.write(event(SERVER_ERROR, "error"))
    except ConnectionError:
        pass  # the client has gone, as clients do that cancel
    return response


async def _stream_pieces(held: Chat, response: web.StreamResponse, breaks_at: int | None) -> None:
    """All that is to be seen of the pieces; where the stream breaks, only what comes before token `breaks_at`."""
    shown = 0
    async with aclosing(held.pieces()) as made:
        async for piece in made:
            for chunk in _chunks(held, piece):
                await response.write(event(chunk))
            shown += not isinstance(piece, Reasoning)
            if shown == breaks_at:
                return


def _chunks(held: Chat, piece: Piece) -> list[dict[str, object]]:
    form, written, completion = held.asked.reasoning, held.written, held.completion
    if isinstance(piece, ToolCall):
        return [completion.tool_call(len(written.calls) - 1, piece)]
    if isinstance(piece, Reasoning):
        if form == "parsed":
            return [completion.reasoning(piece.text)]
        if form == "hidden":
            return []
        opening = "<think>" if written.reasoning_tokens == 1 else ""
        return [completion.content(opening + piece.text)]
    is_first = form == "raw" and written.reasoning_tokens and written.content == piece.text
    return [completion.content(("</think>" if is_first else "") + piece.text)]


async def _break_off(held: Chat, response: web.StreamResponse, fault: Fault) -> None:
    if fault is Fault.STALLED:
        await stall()
    last = breaking_off(fault, held.completion, held.call.rng, has_tools=bool(held.asked.tools))
    if last:
        await response.write(last)


async def _end(held: Chat, response: web.StreamResponse) -> None:
    spent = held.spent()
    await held.call.until(held.pace.due_ms(held.written.tokens))
    await response.write(event(held.completion.finish(held.finish(), spent)))
    if held.asked.with_usage:
        await response.write(event(held.completion.usage(spent)))
    await response.write(DONE)
