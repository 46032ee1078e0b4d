"""The real model: streaming, cancelling, and what its cache keeps. Judged by token counts, never by time."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import replace

import pytest

from speakback.providers.adapters.llama import Llama
from speakback.providers.adapters.llama_chunks import Chunk, ChunkReader
from speakback.providers.adapters.llama_server import LlamaOptions
from speakback.providers.errors import ProviderError
from speakback.providers.llm import LanguageModel, LlmDelta, Message, Prompt, TextDelta, Tool, ToolCall, Usage
from speakback.providers.urgency import Urgency, urgent
from speakback.providers.workers import Workers
from speakback.weights import resolve

WEATHER = Tool(
    "get_weather",
    "Current weather of a city",
    '{"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}',
)


@pytest.fixture(scope="module")
def llama() -> Iterator[Llama]:
    options = LlamaOptions(context_tokens=256, threads=1, parallel=2, batch_tokens=16)
    path = resolve("qwen2.5-coder-0.5b") / "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"
    model = Llama(path, options)
    yield model
    asyncio.run(model.aclose())


def talk(*texts: str, system: str = "Answer in one short sentence.") -> Prompt:
    """A talk in which user and agent take turns, the user first."""
    roles = ("user", "assistant")
    turns = tuple(Message(roles[i % 2], text) for i, text in enumerate(texts))  # type: ignore[arg-type]
    return Prompt((Message("system", system), *turns), max_tokens=3, temperature=0)


async def reply(model: LanguageModel, prompt: Prompt) -> tuple[str, Usage]:
    deltas = [delta async for delta in model.stream(prompt)]
    usage = deltas[-1]
    assert isinstance(usage, Usage)
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)), usage


async def test_it_streams_text_and_ends_with_the_usage(llama: Llama) -> None:
    prompt = replace(talk("What is the capital of France?"), max_tokens=12)
    deltas = [delta async for delta in llama.stream(prompt)]
    texts = [delta.text for delta in deltas if isinstance(delta, TextDelta)]
    assert len(texts) > 3
    assert "Paris" in "".join(texts)
    usage = deltas[-1]
    assert isinstance(usage, Usage)
    assert usage.prompt_tokens > 20
    assert usage.completion_tokens >= len(texts)
    assert not usage.stopped_at_limit


async def test_it_says_when_the_reply_was_cut(llama: Llama) -> None:
    _, usage = await reply(llama, talk("Tell me a long story."))
    assert usage.stopped_at_limit
    assert usage.completion_tokens == 3


async def test_warming_reads_unfinished_words_for_the_later_reply(llama: Llama) -> None:
    words = "I would like to know which trains go from the old harbour to the airport"
    finished = talk(words + " on Sunday evenings?", system="You work for the railways.")
    await llama.warm(talk(words, system="You work for the railways."))
    _, usage = await reply(llama, finished)
    assert usage.cached_tokens is not None
    new_tokens = usage.prompt_tokens - usage.cached_tokens
    assert new_tokens <= 12  # " on Sunday evenings?", and the template's closing


async def test_what_only_the_model_is_told_costs_no_more_than_its_own_words(llama: Llama) -> None:
    asked = talk("How does milk keep?", "For five to", "What? I do not understand.", system="You run a shop.")
    await llama.warm(asked)
    told = replace(asked, messages=(*asked.messages, Message("system", "Say it in other words: seven days.")))
    _, usage = await reply(llama, told)
    assert usage.cached_tokens is not None
    assert usage.prompt_tokens - usage.cached_tokens <= 32  # the words, their marking and the template's closing
    assert usage.cached_tokens >= 30  # all before


async def test_the_reply_itself_stays_in_the_cache(llama: Llama) -> None:
    first = talk("Name a river in Africa.", system="You teach geography.")
    said, before = await reply(llama, first)
    second = talk("Name a river in Africa.", said, "And one in Asia.", system="You teach geography.")
    _, usage = await reply(llama, second)
    assert usage.cached_tokens is not None
    assert usage.cached_tokens >= before.prompt_tokens + before.completion_tokens - 1


@pytest.mark.slow
async def test_three_talks_in_turn_keep_their_caches_in_two_places(llama: Llama) -> None:
    stories = [f"{name} is my {kin}. " * 4 for name, kin in (("Ada", "aunt"), ("Bo", "brother"), ("Cy", "cousin"))]
    for story in stories:
        await reply(llama, talk(story + "Who?"))
    for story in stories:
        _, usage = await reply(llama, talk(story + "Why?"))
        assert usage.cached_tokens is not None
        assert usage.prompt_tokens - usage.cached_tokens <= 10


async def test_closing_the_iterator_frees_the_model(llama: Llama) -> None:
    endless = replace(talk("Count to one thousand, one number after the other."), max_tokens=120)
    async with aclosing(llama.stream(endless)) as deltas:
        assert isinstance(await anext(deltas), TextDelta)
    text, _ = await reply(llama, talk("What is two plus two?"))
    assert text


async def test_cancelling_the_task_frees_the_model(llama: Llama) -> None:
    started = asyncio.Event()

    async def speak() -> None:
        async for _ in llama.stream(replace(talk("Recite the alphabet, again and again."), max_tokens=120)):
            started.set()

    task = asyncio.create_task(speak())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await reply(llama, talk("What is two plus two?")))[0]


async def test_a_long_prompt_is_given_up_while_it_is_read(llama: Llama, monkeypatch: pytest.MonkeyPatch) -> None:
    long = talk("the quick brown fox jumps over the lazy dog " * 12, system="You love foxes.")
    reading = asyncio.Event()
    read = ChunkReader.read

    def read_and_tell(reader: ChunkReader, chunk: Chunk) -> Iterator[LlmDelta]:
        if "prompt_progress" in chunk:
            reading.set()
        return read(reader, chunk)

    monkeypatch.setattr(ChunkReader, "read", read_and_tell)
    task = asyncio.create_task(llama.warm(long))
    await reading.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    _, usage = await reply(llama, replace(long, max_tokens=1))
    assert usage.cached_tokens is not None
    assert 0 < usage.cached_tokens < usage.prompt_tokens // 2


async def test_two_replies_are_written_at_once(llama: Llama) -> None:
    first = llama.stream(replace(talk("Count to one hundred."), max_tokens=120))
    async with aclosing(first):
        await anext(first)
        assert (await reply(llama, talk("What is two plus two?")))[0]
        assert isinstance(await anext(first), TextDelta)


async def test_drafts_leave_a_place_for_a_reply_and_give_theirs_back_when_they_are_dropped(llama: Llama) -> None:
    began = asyncio.Event()

    async def draft_without_end() -> None:
        async for _ in llama.stream(replace(talk("Count to one thousand, number by number."), max_tokens=120)):
            began.set()

    with urgent(Urgency.DRAFT):
        first = asyncio.create_task(draft_without_end())
        await began.wait()
        dropped, waiting = (asyncio.create_task(reply(llama, talk("What is three plus three?"))) for _ in range(2))
    assert (await reply(llama, talk("What is two plus two?")))[0]
    assert not dropped.done()
    dropped.cancel()
    await asyncio.wait([dropped])
    assert not first.done()
    assert not waiting.done()
    first.cancel()
    await asyncio.wait([first])
    assert (await waiting)[0]


async def test_a_reply_that_is_never_begun_says_why(llama: Llama, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = Workers("llm", "llama", threads=1)
    await closed.aclose()
    monkeypatch.setattr(llama, "_workers", closed)
    with pytest.raises(ProviderError, match="is closed"):
        await reply(llama, talk("Hello"))


async def test_a_tool_call_is_a_call_and_not_speech(llama: Llama) -> None:
    prompt = replace(
        talk("What is the weather in Paris right now?", system="Use tools when they help."),
        tools=(WEATHER,),
        max_tokens=40,
    )
    deltas = [delta async for delta in llama.stream(prompt)]
    assert [type(delta) for delta in deltas] == [ToolCall, Usage]
    call = deltas[0]
    assert isinstance(call, ToolCall)
    assert (call.name, call.arguments) == ("get_weather", '{"city": "Paris"}')
    assert call.call_id


async def test_tool_parameters_that_are_no_object_are_refused(llama: Llama) -> None:
    prompt = replace(talk("Hello"), tools=(Tool("x", "y", "[]"),))
    with pytest.raises(ProviderError, match="not a JSON object"):
        await reply(llama, prompt)


@pytest.mark.slow
async def test_a_long_talk_goes_on_without_its_oldest_turns(llama: Llama) -> None:
    turns = [f"Turn {i}. " + "and so on " * 5 for i in range(61)]
    text, usage = await reply(llama, talk(*turns))
    assert text
    assert usage.prompt_tokens < 256


async def test_a_talk_whose_size_was_underestimated_goes_on_too(llama: Llama) -> None:
    turns = ["7" * 80] * 7  # a token a digit
    text, usage = await reply(llama, talk(*turns))
    assert text
    assert usage.prompt_tokens < 256


async def test_a_single_message_beyond_the_window_is_refused_in_words(llama: Llama) -> None:
    with pytest.raises(ProviderError, match="exceed the context window of 256 tokens") as refusal:
        await reply(llama, talk("private " * 300))
    assert "private" not in str(refusal.value)


async def test_a_long_talk_is_cut_at_the_same_place_for_warming_and_for_the_reply(
    llama: Llama, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Prompt] = []

    async def seen(prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        asked.append(prompt)
        nothing: list[Chunk] = []
        for chunk in nothing:
            yield chunk

    monkeypatch.setattr(llama, "_chunks", seen)
    for length in range(1, 24, 2):  # through the place where the window of 256 tokens is full
        prompt = replace(talk(*(f"And what is number {number} like?" for number in range(length))), max_tokens=40)
        fitted = next(llama._fitting(prompt))
        await llama.warm(replace(prompt, max_tokens=40))
        assert asked[-1].messages == fitted.messages
        assert asked[-1].max_tokens == 1
