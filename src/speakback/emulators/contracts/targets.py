"""Which services can be asked for real: those with a key, at their own addresses. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import SecretStr

from speakback.config import Settings
from speakback.emulators.contracts.contract import LABELS, Service
from speakback.emulators.contracts.site import Address
from speakback.providers.adapters.elevenlabs.options import DEFAULT_BASE_URL, REGION_HOSTS
from speakback.providers.services import elevenlabs_url

HOSTS: Mapping[Service, frozenset[str | None]] = {
    "groq": frozenset({"api.groq.com"}),
    "elevenlabs": frozenset({urlsplit(DEFAULT_BASE_URL).hostname, *REGION_HOSTS.values()}),
}
"""The services' own."""


@dataclass(frozen=True, slots=True)
class Target:
    """One service; `live` is None where only the emulator is asked, for the reason `why`."""

    service: Service
    live: Address | None
    why: str = ""

    @property
    def label(self) -> str:
        return LABELS[self.service]


def targets(settings: Settings) -> tuple[Target, ...]:
    """Of both services, as they are configured."""
    groq, voice = settings.groq, settings.elevenlabs
    return (
        _target("groq", groq.base_url, groq.api_key),
        _target("elevenlabs", elevenlabs_url(settings), voice.api_key),
    )


def _target(service: Service, base_url: str, key: SecretStr | None) -> Target:
    label, parts = LABELS[service], urlsplit(base_url)
    if key is None:
        return Target(service, None, f"no key for {label}")
    if parts.scheme != "https" or parts.hostname not in HOSTS[service]:
        return Target(service, None, f"{parts.scheme}://{parts.hostname} is not {label}'s own address")
    return Target(service, Address(base_url=base_url, api_key=key.get_secret_value()))
