"""Every contract, in the order in which a first key should be tried: each service's cheapest and most telling first."""

from speakback.emulators.contracts.contract import Contract
from speakback.emulators.contracts.elevenlabs import ELEVENLABS
from speakback.emulators.contracts.groq import GROQ

CONTRACTS: tuple[Contract, ...] = (*GROQ, *ELEVENLABS)
