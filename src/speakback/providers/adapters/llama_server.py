"""Starts llama.cpp's server inside this process, silent and closed to everyone else.

xllamacpp always opens its HTTP server, too. Here it listens on a Unix socket in a private directory (0700) that is
removed before the model is used, so there is no address left to connect to; as a second lock it asks for a random
key that nobody is told. Calls from Python go through the object and need neither.
"""

import ctypes
import os
import secrets
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# Read by OpenMP when it is loaded. Its threads spin at barriers by default; on cores that are shared with anything
# (our other models, a noisy neighbour) that costs most of the speed: measured 2 tokens/s spinning, 8 sleeping.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import xllamacpp  # noqa: E402

from speakback.providers.errors import ProviderError  # noqa: E402

GGUF_MAGIC = b"GGUF"

SILENT = -1
"""llama.cpp's log level below errors: its messages may quote the prompt."""


@dataclass(frozen=True, slots=True)
class LlamaOptions:
    """How a model is run.

    `parallel` replies are written at once, each with a window of `context_tokens`; what more sessions there are
    keep their caches in `cache_mib` of memory. `batch_tokens` are read between two looks at whether the call was
    cancelled, and it is what a long prompt delays another session's next token by.
    """

    context_tokens: int = 4096
    threads: int = 1
    parallel: int = 4
    batch_tokens: int = 32
    cache_mib: int = 256


def start_server(model: Path, options: LlamaOptions, socket_directory: Path) -> xllamacpp.Server:
    """Load the model (seconds; blocks). Raises `ProviderError` in words for the operator."""
    _check_file(model)
    try:
        with _signals_kept():
            server = xllamacpp.Server(_parameters(model, options, socket_directory))
    except RuntimeError as error:
        raise ProviderError(
            "llm",
            "llama",
            f"llama.cpp cannot load {model}: the file is damaged, of a kind it does not know, or there is not "
            "enough memory for it; check its checksum and the free memory",
        ) from error
    _wait_for_its_loop(server)
    return server


def start_closed_server(model: Path, options: LlamaOptions) -> xllamacpp.Server:
    """`start_server` with nowhere to connect to. Raises `ProviderError`."""
    with tempfile.TemporaryDirectory(prefix="speakback-") as directory:
        return start_server(model, options, Path(directory))


def _wait_for_its_loop(server: xllamacpp.Server) -> None:
    """Return when the server's own thread answers.

    The constructor returns a moment before that thread's loop begins; a server freed in between loses the order to
    stop and is waited for without end, with the GIL held (xllamacpp 2026.10: `out.set_value` before `start_loop`).
    """
    server.handle_metrics()  # the cheapest call that the loop itself answers


def _check_file(model: Path) -> None:
    try:
        with model.open("rb") as file:
            magic = file.read(len(GGUF_MAGIC))
    except OSError as error:
        raise ProviderError("llm", "llama", f"cannot read the model {model} ({error.strerror})") from error
    if magic != GGUF_MAGIC:
        raise ProviderError("llm", "llama", f"{model} is not a GGUF file; llm.model_path names a chat model in GGUF")


def _parameters(model: Path, options: LlamaOptions, socket_directory: Path) -> xllamacpp.CommonParams:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model)
    parameters.hostnames = [str(socket_directory / "llama.sock")]
    parameters.api_keys = [secrets.token_urlsafe(32)]
    parameters.endpoint_slots = parameters.endpoint_props = parameters.ui = False
    parameters.endpoint_metrics = True  # see _wait_for_its_loop
    parameters.n_threads_http = 1
    parameters.verbosity = SILENT
    parameters.n_parallel = options.parallel
    parameters.n_ctx = options.context_tokens * options.parallel
    parameters.kv_unified = False
    parameters.n_batch = parameters.n_ubatch = options.batch_tokens
    parameters.cache_ram_mib = options.cache_mib
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = options.threads
    parameters.use_jinja = True
    parameters.enable_reasoning = 0  # thinking before speaking is seconds of silence
    return parameters


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Some releases of llama.cpp's server take over SIGINT and SIGTERM; the process's own ways are put back."""
    if not hasattr(signal, "pthread_kill"):  # not POSIX: no sigaction
        yield
        return
    libc = ctypes.CDLL(None)
    kept = {number: ctypes.create_string_buffer(512) for number in (signal.SIGINT, signal.SIGTERM)}
    for number, action in kept.items():
        libc.sigaction(int(number), None, action)
    try:
        yield
    finally:
        for number, action in kept.items():
            libc.sigaction(int(number), action, None)
