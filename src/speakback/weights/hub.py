"""Files from the Hugging Face hub, over plain HTTPS."""

import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from urllib.parse import quote

from speakback.weights.cache import CHUNK_BYTES
from speakback.weights.model_files import HubFile
from speakback.weights.progress import Progress

TIMEOUT_S = 5.0
"""To connect, and for each read: where the hub is closed off, the carrier should not wait long."""


class HubUnavailableError(Exception):
    """The hub did not give the file; the message says why in a few words."""


class Hub:
    """The hub, asked no more once it could not be reached in this process."""

    def __init__(self, endpoint: str | None = None) -> None:
        """`endpoint`: else `HF_ENDPOINT`, the variable that users of a mirror already set, else the hub itself."""
        self._endpoint = (endpoint or os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")
        self._unreachable: str | None = None

    @property
    def gave_up(self) -> bool:
        """True once the hub could not be reached."""
        return self._unreachable is not None

    def download(self, file: HubFile, size_bytes: int, target: Path, progress: Progress) -> None:
        """Write the file to `target`. Raises `HubUnavailableError`; what it delivers is not verified."""
        if self._unreachable is not None:
            raise HubUnavailableError(self._unreachable)
        progress.begin(f"{file.repository} {file.path.rpartition('/')[2]}", size_bytes)
        with open(target, "wb") as out:
            for chunk in self._chunks(file):
                out.write(chunk)
                progress.reached(out.tell())

    def _chunks(self, file: HubFile) -> Iterator[bytes]:
        url = f"{self._endpoint}/{file.repository}/resolve/{quote(file.revision)}/{quote(file.path)}"
        try:
            with urllib.request.urlopen(url, timeout=TIMEOUT_S) as response:
                while chunk := response.read(CHUNK_BYTES):
                    yield chunk
        except urllib.error.HTTPError as error:
            error.close()
            raise HubUnavailableError(f"the hub answered {error.code} for {file.repository}/{file.path}") from None
        except (OSError, HTTPException) as error:
            self._unreachable = f"the Hugging Face hub could not be reached ({type(error).__name__})"
            raise HubUnavailableError(self._unreachable) from None
