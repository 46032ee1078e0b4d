"""The page's static files: read once, compressed once, and named by a hash of them all.

A file is found in a table or not at all: no path of a request ever reaches the file system.
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CONTENT_TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
"""What is served, by the end of its name; other files in the folder are not."""
COMPRESSED_ALREADY = frozenset({".png"})
GZIP_LEVEL = 9


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, as it is sent."""

    content_type: str
    plain: bytes
    gzipped: bytes | None
    """None where that would be no smaller."""


@dataclass(frozen=True, slots=True)
class Assets:
    """All files, by their path below the folder, with `/` between names."""

    version: str
    """Changes with any content or name."""
    by_path: Mapping[str, Asset]


def read_assets(folder: Path) -> Assets:
    """All that is to be served of `folder`. Blocks. Raises `OSError`."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix in CONTENT_TYPES and path.is_file())
    contents = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    return Assets(_version(contents), {name: _asset(name, content) for name, content in contents.items()})


def _version(contents: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in contents.items():
        digest.update(f"{name}\n{len(content)}\n".encode() + content)
    return digest.hexdigest()[:12]


def _asset(name: str, content: bytes) -> Asset:
    suffix = Path(name).suffix
    zipped = None if suffix in COMPRESSED_ALREADY else gzip.compress(content, GZIP_LEVEL, mtime=0)
    smaller = zipped if zipped is not None and len(zipped) < len(content) else None
    return Asset(CONTENT_TYPES[suffix], content, smaller)


def takes_gzip(accept_encoding: str | None) -> bool:
    """Whether who sent that header takes what is compressed. Pure."""
    for offer in (accept_encoding or "").split(","):
        coding, _, weight = offer.partition(";")
        if coding.strip().lower() in ("gzip", "*"):
            return weight.replace(" ", "").lower() not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
