"""The engine is closed to everyone outside this process, silent, and says clearly why it cannot start."""

import os
import signal
import socket
from pathlib import Path

import pytest

from speakback.providers.adapters.llama_server import GGUF_MAGIC, LlamaOptions, start_closed_server, start_server
from speakback.providers.errors import ProviderError
from speakback.weights import resolve

MODEL = "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"
SMALL = LlamaOptions(context_tokens=512, threads=1, parallel=1, cache_mib=0)


def model_path() -> Path:
    return resolve("qwen2.5-coder-0.5b") / MODEL


def ask(path: Path, request: str, key: str | None = None) -> bytes:
    authorization = f"Authorization: Bearer {key}\r\n" if key else ""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(f"{request} HTTP/1.1\r\nHost: x\r\n{authorization}Content-Length: 0\r\n\r\n".encode())
        return client.recv(200)


def listening_tcp_inodes() -> set[str]:
    """TCP sockets this process listens on."""
    own = {os.readlink(entry.path) for entry in os.scandir("/proc/self/fd") if entry.is_symlink() and _exists(entry)}
    rows = [
        row.split()
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for row in Path(table).read_text(encoding="ascii").splitlines()[1:]
    ]
    return {row[9] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in own}


def _exists(entry: os.DirEntry[str]) -> bool:
    return os.path.lexists(entry.path)


def test_even_with_its_socket_in_hand_nothing_answers_without_the_key(tmp_path: Path) -> None:
    server = start_server(model_path(), SMALL, tmp_path)
    (address,) = tmp_path.iterdir()
    gets = ("/v1/models", "/slots", "/props", "/metrics")
    for request in (*(f"GET {path}" for path in gets), "POST /completion", "POST /v1/chat/completions"):
        assert b" 401 " in ask(address, request), request
        assert b" 401 " in ask(address, request, key="guess"), request
    del server


def test_no_address_is_left_to_connect_to(capfd: pytest.CaptureFixture[str]) -> None:
    before = listening_tcp_inodes()
    signals = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    server = start_closed_server(model_path(), SMALL)
    address = server.listening_address
    assert address.startswith("unix://")
    assert not Path(address.removeprefix("unix://")).exists()
    assert listening_tcp_inodes() == before
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == signals
    del server
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot read the model"),
        (b"", "is not a GGUF file"),
        (b"<html>not found</html>", "is not a GGUF file"),
        (GGUF_MAGIC + b"\x03\x00\x00\x00" + b"\xff" * 64, "cannot load"),
    ],
)
def test_a_bad_file_is_refused_in_words(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    model = tmp_path / "model.gguf"
    if content is not None:
        model.write_bytes(content)
    with pytest.raises(ProviderError, match=sentence):
        start_closed_server(model, SMALL)


def test_a_file_cut_short_is_refused_in_words(tmp_path: Path) -> None:
    with model_path().open("rb") as whole:
        head = whole.read(20_000_000)
    (tmp_path / "model.gguf").write_bytes(head)
    with pytest.raises(ProviderError, match="cannot load"):
        start_closed_server(tmp_path / "model.gguf", SMALL)
