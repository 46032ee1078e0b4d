"""The registry is consistent, and an unknown name is answered with the known ones."""

import re

import pytest

from speakback.config.catalogue import KEYS
from speakback.weights import GROUPS, REGISTRY, WeightsError, resolve


def test_an_unknown_id_names_the_known_ones() -> None:
    with pytest.raises(WeightsError, match=r"'whisper-huge'.*silero-vad, .*whisper-tiny\.en"):
        resolve("whisper-huge")


def test_groups_hold_registered_ids_and_do_not_hide_one() -> None:
    assert {weights_id for ids in GROUPS.values() for weights_id in ids} <= set(REGISTRY)
    assert not set(GROUPS) & set(REGISTRY)


def test_settings_for_models_of_ones_own_exist() -> None:
    named = {weights.own_model_key for weights in REGISTRY.values()} - {None}
    assert named == {key for key in KEYS if key.endswith(".model_path")}


@pytest.mark.parametrize("weights_id", REGISTRY)
def test_every_file_is_pinned_and_has_a_carrier(weights_id: str) -> None:
    weights = REGISTRY[weights_id]
    assert weights.licence
    assert len({file.name for file in weights.files}) == len(weights.files)
    for file in weights.files:
        assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
        assert file.size_bytes > 0
        assert file.carrier
