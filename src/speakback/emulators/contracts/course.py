"""Runs contracts, one after the other, at the addresses there are, and compares what came."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from speakback.emulators.contracts.contract import Contract, Outcome, Service, Verdict
from speakback.emulators.contracts.recording import Recording
from speakback.emulators.contracts.redaction import redacted
from speakback.emulators.contracts.shape import Difference, differences
from speakback.emulators.contracts.site import Address, BrokenContractError, Equipment, Site
from speakback.providers.link.failures import LinkError, LinkRefused


class Side(Enum):
    """Where an exchange was held."""

    LIVE = "live"
    EMULATOR = "emulator"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one contract, at each side where it was tried."""

    contract: Contract
    outcomes: Mapping[Side, Outcome]
    differences: tuple[Difference, ...] = ()
    """Between the sides, where it was tried at both."""

    @property
    def is_broken(self) -> bool:
        return any(outcome.verdict is Verdict.BROKEN for outcome in self.outcomes.values())


Addresses = Mapping[Service, Mapping[Side, Address]]
Keep = Callable[[Contract, Side, Recording], None]
"""Saves what went over the wire; called in a thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What is to be tried, where and how."""

    contracts: Sequence[Contract]
    addresses: Addresses
    equipment: Equipment
    keep: Keep
    runs_slow: bool = False
    keeps_audio: bool = False

    async def run(self) -> AsyncIterator[Result]:
        """Each result as soon as it is there. The slow ones, which only wait, are held together at the end."""
        shut: dict[tuple[Service, Side], str] = {}
        slow = [contract for contract in self.contracts if contract.is_slow]
        for batch in [*([contract] for contract in self.contracts if not contract.is_slow), slow]:
            for result in await asyncio.gather(*(self._hold(contract, shut) for contract in batch)):
                shut |= _shut_by(result)
                yield result

    async def _hold(self, contract: Contract, shut: Mapping[tuple[Service, Side], str]) -> Result:
        sides = self.addresses[contract.service]
        if contract.is_slow and not self.runs_slow:
            return Result(contract, dict.fromkeys(sides, Outcome(Verdict.NOT_RUN, "it is slow; --slow runs it")))
        tries = await asyncio.gather(*(self._try(contract, side, shut.get((contract.service, side))) for side in sides))
        tried = dict(zip(sides, tries, strict=True))
        return Result(contract, {side: outcome for side, (outcome, _) in tried.items()}, _compared(tried))

    async def _try(self, contract: Contract, side: Side, shut: str | None) -> tuple[Outcome, Recording | None]:
        if shut is not None:
            return Outcome(Verdict.NOT_RUN, shut), None
        address = self.addresses[contract.service][side]
        keys = tuple(one.api_key for sides in self.addresses.values() for one in sides.values())
        recording = Recording(keys, self.keeps_audio)
        why = await _attempt(contract, Site(address, self.equipment, recording))
        await asyncio.to_thread(self.keep, contract, side, recording)
        if why is None:
            return Outcome(Verdict.HOLDS), recording
        return Outcome(Verdict.BROKEN, redacted(why, keys)), recording


async def _attempt(contract: Contract, site: Site) -> str | None:
    """Why it does not hold, or None."""
    try:
        await contract.attempt(site)
    except LinkRefused as refused:
        return f"the upgrade was refused with HTTP {refused.status}"
    except (BrokenContractError, LinkError) as problem:
        return str(problem)
    return None


def _shut_by(result: Result) -> dict[tuple[Service, Side], str]:
    """Where nothing more is to be tried after this, and why."""
    contract = result.contract
    broken = [side for side, outcome in result.outcomes.items() if outcome.verdict is Verdict.BROKEN]
    return {(contract.service, side): f"{contract.name} does not hold" for side in broken if contract.is_gate}


def _compared(tried: Mapping[Side, tuple[Outcome, Recording | None]]) -> tuple[Difference, ...]:
    live, emulator = (tried.get(side, (None, None))[1] for side in (Side.LIVE, Side.EMULATOR))
    return () if live is None or emulator is None else differences(live.frames, emulator.frames)
