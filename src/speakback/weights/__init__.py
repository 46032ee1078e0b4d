"""Model files: what they are, where they come from, and where they lie on this machine.

Reading order: `model_files` (the shape), `registry` (the data), `places` (`resolve`), then `cache`,
`hub` and `carrier`, one place each.
"""

from speakback.weights.errors import WeightsError
from speakback.weights.model_files import ModelFile, Weights
from speakback.weights.places import resolve
from speakback.weights.registry import DEFAULT_WEIGHTS, DEMO_WEIGHTS, GROUPS, REGISTRY, TEST_WEIGHTS

__all__ = [
    "DEFAULT_WEIGHTS",
    "DEMO_WEIGHTS",
    "GROUPS",
    "REGISTRY",
    "TEST_WEIGHTS",
    "ModelFile",
    "Weights",
    "WeightsError",
    "resolve",
]
