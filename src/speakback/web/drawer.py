"""The drawer's form: its fields in, the `session.update` they stand for or what is wrong with each out. Pure.

Nothing is checked here that `session.update` checks: its own code reads the patch, and its words stand beside the
field.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite

from speakback.gateway.realtime.client_events import SessionUpdate, read
from speakback.gateway.realtime.refusal import Refusal
from speakback.gateway.realtime.session_object import WireObject
from speakback.gateway.realtime.session_view import SessionView, first_view, patched
from speakback.providers.chain.entry import Pin, UnknownPin, ordered
from speakback.turn.strategies import Value
from speakback.web.choices import Choices, RoleChoice, StrategyChoice
from speakback.web.sliders import Slider, written

ON = "on"
"""What a browser sends of a box that is ticked; of one that is not it sends nothing."""


class Experiment(StrEnum):
    """What has become of the wish for the expressive voice. That the service refused it is known to a session only."""

    NOT_CONFIGURED = "not-configured"
    ASKED = "asked"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Drawer:
    """The form as it is to be shown. Everything is by the name of its field."""

    values: Mapping[str, str]
    errors: Mapping[str, str]
    strategy: StrategyChoice
    """The one whose numbers are shown."""
    voice_field: str
    voices: tuple[str, ...]
    """Of the provider that is chosen to speak."""
    experiment: Experiment
    speaker: str
    """The model that speaks, or stands in for the experiment where that is asked for."""
    patch: WireObject | None
    """The `session` of a `session.update`; None where something is wrong."""


def slider_field(strategy: StrategyChoice, slider: Slider) -> str:
    """The name of a number's field: each strategy has its own, so that none takes over another's numbers."""
    return f"{strategy.name}.{slider.path}"


def untouched(choices: Choices) -> Mapping[str, str]:
    """The fields of who has chosen nothing."""
    experiment = {} if choices.expressive.why_not else {"expressive": ON}
    return {"strategy": choices.strategies[0].name, **experiment}


def drawn(form: Mapping[str, str], choices: Choices) -> Drawer:
    """What the fields say; one that is left out stands as the server has it (a box: is not ticked).

    Fields of strategies and providers that are not chosen count for nothing.
    """
    reading = _Reading(form, choices)
    providers = {role.role: reading.pin(role) for role in choices.roles}
    voice_field = f"{reading.chosen('tts')}.voice"
    voices = choices.offer.voices_of(reading.chosen("tts"))
    voice = reading.value(voice_field, voices[0])
    spoken: WireObject = {"audio": {"output": {"voice": voice}}}
    reading.tried(spoken, voice_field)
    strategy = choices.strategy(reading.value("strategy", choices.strategies[0].name))
    wish = reading.strategy(strategy)
    patch: WireObject = {**spoken, "speakback": {"providers": providers, "strategy": wish}}
    return Drawer(
        values=reading.values,
        errors=reading.errors,
        strategy=strategy,
        voice_field=voice_field,
        voices=voices,
        experiment=_experiment(reading, choices),
        speaker=choices.role("tts").named(reading.chosen("tts")).model,
        patch=None if reading.errors else patch,
    )


def _experiment(reading: "_Reading", choices: Choices) -> Experiment:
    if choices.expressive.why_not:
        return Experiment.NOT_CONFIGURED
    speaks_first = reading.chosen("tts") == choices.role("tts").providers[0].name
    return Experiment.ASKED if speaks_first and reading.values["expressive"] == ON else Experiment.OFF


@dataclass
class _Reading:
    """One form being read."""

    form: Mapping[str, str]
    choices: Choices
    values: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    view: SessionView = field(init=False)
    """What the session would be, by what was read so far."""

    def __post_init__(self) -> None:
        self.view = first_view(self.choices.offer)

    def value(self, name: str, otherwise: str) -> str:
        """What the field says."""
        self.values[name] = self.form.get(name, otherwise)
        return self.values[name]

    def chosen(self, role: str) -> str:
        """The provider that was chosen for a role. To be asked once its pin was read."""
        return self.values[role]

    def pin(self, role: RoleChoice) -> WireObject | None:
        """Who is to be asked first; None: as the server has it."""
        first = role.providers[0].name
        name = self.value(role.role, first)
        region = self.value(f"{role.role}.region", "")
        skips_experiment = role.role == "tts" and self._skips_experiment(name == first)
        provider = None if name == first and not skips_experiment else name
        pin: WireObject | None = {"provider": provider, "region": region or None} if provider or region else None
        self.tried({"speakback": {"providers": {role.role: pin}}}, role.role)
        self._check_pin(role, getattr(self.view.settings.pins, role.role))
        return pin

    def strategy(self, strategy: StrategyChoice) -> WireObject:
        """The strategy with the numbers that were moved; each of them that is wrong is told, not only the first."""
        fields = {slider.path: slider_field(strategy, slider) for slider in strategy.sliders}
        moved = self._moved(strategy)
        while True:
            overrides = dict(strategy.overrides) | moved
            wish: WireObject = {"name": self.values["strategy"], "overrides": overrides}
            problem = self._refusal({"speakback": {"strategy": wish}})
            culprit = next((path for path in moved if problem is not None and path in problem), None)
            if problem is not None:
                self.errors[fields.get(culprit or "", "strategy")] = problem
            if culprit is None:
                return wish
            del moved[culprit]

    def tried(self, patch: WireObject, name: str) -> None:
        """Have `session.update` take the patch; if it refuses, its words belong to the field of that name."""
        problem = self._refusal(patch)
        if problem is not None:
            self.errors.setdefault(name, problem)

    # ---- within -------------------------------------------------------------------------------

    def _refusal(self, patch: WireObject) -> str | None:
        try:
            event = read(json.dumps({"type": "session.update", "session": patch}).encode())
            assert isinstance(event, SessionUpdate)
            self.view = patched(self.view, event.session)
        except Refusal as refusal:
            return refusal.message
        return None

    def _moved(self, strategy: StrategyChoice) -> dict[str, Value]:
        """The numbers that stand elsewhere than where the server has them."""
        moved: dict[str, Value] = {}
        for slider in strategy.sliders:
            name = slider_field(strategy, slider)
            number = _number(self.value(name, written(slider.value)))
            if number is None:
                self.errors[name] = "This must be a number."
            elif number != slider.value:
                moved[slider.path] = number
        return moved

    def _skips_experiment(self, is_first: bool) -> bool:
        """Whether the experiment would be asked, and is not wanted."""
        if self.choices.expressive.why_not:
            return False
        self.values["expressive"] = self.form.get("expressive", "")
        return is_first and self.values["expressive"] != ON

    def _check_pin(self, role: RoleChoice, pin: Pin) -> None:
        try:
            ordered(role.role, role.entries, pin)
        except UnknownPin as problem:
            is_known = pin.provider is None or any(entry.name == pin.provider for entry in role.entries)
            is_elsewhere = is_known and pin.region is not None
            self.errors.setdefault(f"{role.role}.region" if is_elsewhere else role.role, str(problem))


def _number(text: str) -> int | float | None:
    """A whole number where it is written as one; None for what is no number."""
    with suppress(ValueError):
        return int(text)
    with suppress(ValueError):
        number = float(text)
        return number if isfinite(number) else None
    return None
