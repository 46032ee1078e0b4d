from pathlib import Path

import onnxruntime as ort
import pytest
from hibari.voices import voice_path

from speakback.providers.adapters.onnx_graph import with_output


@pytest.fixture(scope="module")
def model() -> bytes:
    return Path(voice_path("heart")).read_bytes()


def outputs(model: bytes) -> list[str]:
    return [output.name for output in ort.InferenceSession(model, providers=["CPUExecutionProvider"]).get_outputs()]


def test_an_inner_tensor_becomes_the_last_output(model: bytes) -> None:
    assert outputs(with_output(model, "/Clip_output_0")) == [*outputs(model), "/Clip_output_0"]


def test_a_tensor_that_the_graph_does_not_have_is_refused_when_the_model_is_loaded(model: bytes) -> None:
    with pytest.raises(Exception, match="no_such_tensor"):
        outputs(with_output(model, "no_such_tensor" * 20))
