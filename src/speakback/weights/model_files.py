"""The shape of the registry: what a set of weights is made of and where its files can be had."""

from dataclasses import dataclass


@dataclass(frozen=True)
class HubFile:
    """One file of a Hugging Face repository at a fixed revision."""

    repository: str
    path: str
    revision: str


@dataclass(frozen=True)
class Wheel:
    """A pure-data wheel on the Python package index, named exactly."""

    distribution: str
    version: str
    size_bytes: int
    """Size of the wheel itself; only the progress bar uses it."""

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"


@dataclass(frozen=True)
class Member:
    """One file inside a wheel."""

    wheel: Wheel
    path: str


@dataclass(frozen=True)
class ModelFile:
    """One file a model needs, pinned by its content."""

    name: str
    sha256: str
    size_bytes: int
    carrier: tuple[Member, ...]
    """The members that, joined in this order, are the file."""
    hub: HubFile | None = None
    """None where the hub holds no byte-identical copy."""


@dataclass(frozen=True)
class Weights:
    """The files of one model; they lie together in one directory."""

    id: str
    what: str
    licence: str
    files: tuple[ModelFile, ...]
    own_model_key: str | None = None
    """The setting that names a model of the user's own instead, where there is one."""

    @property
    def size_bytes(self) -> int:
        """Bytes on disk once fetched."""
        return sum(file.size_bytes for file in self.files)
