"""Typed settings from speakback.toml and the environment, with the origin of every value."""

from speakback.config.contradictions import bind_problem
from speakback.config.load import LoadedSettings, Origin, load_settings
from speakback.config.refusals import ConfigError
from speakback.config.resume import ResumeSettings
from speakback.config.sections import (
    EndOfTurnSettings,
    LlmSettings,
    LogSettings,
    ServerSettings,
    Settings,
    SttSettings,
    TraceSettings,
    TtsSettings,
    TurnSettings,
    VadSettings,
    WeightsSettings,
)

__all__ = [
    "ConfigError",
    "EndOfTurnSettings",
    "LlmSettings",
    "LoadedSettings",
    "LogSettings",
    "Origin",
    "ResumeSettings",
    "ServerSettings",
    "Settings",
    "SttSettings",
    "TraceSettings",
    "TtsSettings",
    "TurnSettings",
    "VadSettings",
    "WeightsSettings",
    "bind_problem",
    "load_settings",
]
