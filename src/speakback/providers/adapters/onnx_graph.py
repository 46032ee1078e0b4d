"""One surgery on an ONNX model file: make an inner tensor one of its outputs.

A protobuf message may hold a single message field twice; a parser then merges the two and joins
their lists (the protobuf encoding guide, "Last One Wins"). So a model file followed by a second,
tiny `graph` that holds nothing but one more `output` is a valid model with that output: nothing is
parsed or rewritten, and the `onnx` package is not needed. Field numbers are those of onnx.proto3.
"""

_MODEL_GRAPH = 7
_GRAPH_OUTPUT = 12
_VALUE_INFO_NAME = 1
_LENGTH_DELIMITED = 2


def with_output(model: bytes, tensor: str) -> bytes:
    """The model with `tensor` after its own outputs. That the tensor exists is checked when it is loaded."""
    value_info = _field(_VALUE_INFO_NAME, tensor.encode())
    return model + _field(_MODEL_GRAPH, _field(_GRAPH_OUTPUT, value_info))


def _field(number: int, payload: bytes) -> bytes:
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(len(payload)) + payload


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
