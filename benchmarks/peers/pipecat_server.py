"""A Pipecat server with stub services, run by Pipecat's own environment: `pipecat_server VAD_ONLY|TURN_MODEL`.

A pipeline for each WebSocket, all in one process, put together as Pipecat's documentation has it; only the
services are ours (`stubs.py`), and the simplest serializer: PCM16 and nothing else, both ways.
"""

import asyncio
import socket
import sys
from collections.abc import AsyncGenerator

import uvicorn
from fastapi import FastAPI, WebSocket
from loguru import logger
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import (
    Frame,
    InputAudioRawFrame,
    InterruptionFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    OutputAudioRawFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair, LLMUserAggregatorParams
from pipecat.processors.frame_processor import FrameDirection
from pipecat.serializers.base_serializer import FrameSerializer
from pipecat.services.llm_service import LLMService
from pipecat.services.settings import LLMSettings, STTSettings, TTSSettings
from pipecat.services.stt_service import SegmentedSTTService
from pipecat.services.tts_service import TTSService
from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams, FastAPIWebsocketTransport
from pipecat.turns.user_stop import SpeechTimeoutUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.utils.time import time_now_iso8601
from pipecat.workers.runner import WorkerRunner

from benchmarks.peers import stubs
from benchmarks.peers.loop_lag import LagProbe
from benchmarks.peers.wires import INTERRUPTED

CHUNK = stubs.tone_pcm16(stubs.CHUNK_S)


class RawSerializer(FrameSerializer):
    """PCM16 in binary messages; an interruption is one word of text."""

    async def serialize(self, frame: Frame) -> str | bytes | None:
        """See `FrameSerializer`."""
        if isinstance(frame, OutputAudioRawFrame):
            return frame.audio
        return INTERRUPTED if isinstance(frame, InterruptionFrame) else None

    async def deserialize(self, data: str | bytes) -> Frame | None:
        """See `FrameSerializer`."""
        if isinstance(data, str):
            return None
        return InputAudioRawFrame(audio=data, sample_rate=stubs.EAR_HZ, num_channels=1)


class StubStt(SegmentedSTTService):
    """The same words for every segment."""

    def __init__(self) -> None:
        super().__init__(settings=STTSettings(model=None, language=None), ttfs_p99_latency=stubs.STT_TTFS_P99_S)

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame, None]:
        """See `SegmentedSTTService`."""
        await asyncio.sleep(stubs.STT_S)
        yield TranscriptionFrame(stubs.HEARD, "", time_now_iso8601())


class StubLlm(LLMService):
    """The same reply to everything."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """See `LLMService`."""
        await super().process_frame(frame, direction)
        if not isinstance(frame, LLMContextFrame):
            await self.push_frame(frame, direction)
            return
        await self.push_frame(LLMFullResponseStartFrame())
        try:
            await asyncio.sleep(stubs.FIRST_TOKEN_S)
            for token in stubs.TOKENS:
                await self.push_frame(LLMTextFrame(token))
                await asyncio.sleep(stubs.TOKEN_S)
        finally:
            await self.push_frame(LLMFullResponseEndFrame())


class StubTts(TTSService):
    """A tone."""

    def __init__(self) -> None:
        settings = TTSSettings(model=None, voice=None, language=None)
        super().__init__(push_start_frame=True, push_stop_frames=True, sample_rate=stubs.VOICE_HZ, settings=settings)

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame, None]:
        """See `TTSService`."""
        await asyncio.sleep(stubs.FIRST_CHUNK_S)
        for _ in range(stubs.chunks_of(text)):
            yield TTSAudioRawFrame(CHUNK, stubs.VOICE_HZ, 1, context_id=context_id)


def stub_llm() -> StubLlm:
    """One whose settings say that there is nothing to set."""
    settings = LLMSettings(
        model=None,
        system_instruction=None,
        temperature=None,
        max_tokens=None,
        top_p=None,
        top_k=None,
        frequency_penalty=None,
        presence_penalty=None,
        seed=None,
        filter_incomplete_user_turns=False,
        user_turn_completion_config=None,
    )
    return StubLlm(settings=settings)


def turn_strategies(mode: str) -> UserTurnStrategies:
    """Silence alone and no wait beyond the VAD's, or Pipecat's defaults (its VAD and Smart Turn)."""
    if mode == "VAD_ONLY":
        return UserTurnStrategies(stop=[SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=0)])
    return UserTurnStrategies()


async def converse(websocket: WebSocket, mode: str) -> None:
    """One conversation, until its client leaves."""
    transport = FastAPIWebsocketTransport(
        websocket,
        FastAPIWebsocketParams(audio_in_enabled=True, audio_out_enabled=True, serializer=RawSerializer()),
    )
    aggregators = LLMContextAggregatorPair(
        LLMContext(),
        user_params=LLMUserAggregatorParams(
            vad_analyzer=SileroVADAnalyzer(), user_turn_strategies=turn_strategies(mode)
        ),
    )
    pipeline = Pipeline(
        [
            transport.input(),
            StubStt(),
            aggregators.user(),
            stub_llm(),
            StubTts(),
            transport.output(),
            aggregators.assistant(),
        ]
    )
    params = PipelineParams(audio_in_sample_rate=stubs.EAR_HZ, audio_out_sample_rate=stubs.VOICE_HZ)
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(PipelineWorker(pipeline, params=params))

    @transport.event_handler("on_client_disconnected")
    async def on_client_disconnected(*_: object) -> None:
        await runner.cancel()

    await runner.run()


def application(mode: str) -> FastAPI:
    """One route: a WebSocket is a conversation."""
    app = FastAPI()

    @app.websocket("/ws")
    async def conversation(websocket: WebSocket) -> None:
        await websocket.accept()
        await converse(websocket, mode)

    return app


async def serve(mode: str) -> None:
    """Serve on a free port of loopback, and say which."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application(mode), log_level="warning", ws_per_message_deflate=False))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110 - uvicorn tells it in no other way
        await asyncio.sleep(0.01)
    probe = LagProbe()
    probe.start()
    print(f"ready {listener.getsockname()[1]}", flush=True)
    await serving


if __name__ == "__main__":
    import uvloop

    logger.remove()
    logger.add(sys.stderr, level="WARNING")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(sys.argv[1]))
