"""observe/population.py"""

import asyncio
import gc
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from speakback.observe.logging import bind_session
from speakback.observe.memory import Held
from speakback.observe.population import Population, kind_of, kind_of_work, owner_of, task_name


@dataclass
class Conversation:
    """Holds what it is told to."""

    bytes: int = 0
    is_behind: bool = False

    def held(self) -> Held:
        return Held(heard=self.bytes)


@dataclass
class Findings:
    """What was left behind, by kind."""

    kinds: list[str] = field(default_factory=list)
    found: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, kind: str) -> None:
        self.kinds.append(kind)
        self.found.set()


async def looked_after() -> None:
    """Let the loop turn as often as a check without a grace needs."""
    for _ in range(4):
        await asyncio.sleep(0)


async def wait_for_ever() -> None:
    await asyncio.Event().wait()


async def test_a_task_that_outlives_its_session_is_a_defect_that_is_named() -> None:
    findings = Findings()
    population = Population(findings, grace_s=0)
    with population.session("sess_1", Conversation(), lambda: False):
        leaked = asyncio.create_task(wait_for_ever(), name=task_name("Reply._play", "sess_1"))
        await asyncio.sleep(0)
    with capture_logs() as lines:
        await findings.found.wait()
    assert findings.kinds == ["task"]
    (line,) = lines
    assert line["session_id"] == "sess_1"
    assert line["task"] == "Reply._play"
    assert "test_population.py" in line["place"]
    assert "wait_for_ever" in line["place"]
    leaked.cancel()


async def test_a_socket_that_outlives_its_session_is_a_defect() -> None:
    findings = Findings()
    with Population(findings, grace_s=0).session("sess_1", Conversation(), lambda: True):
        pass
    await findings.found.wait()
    assert findings.kinds == ["socket"]


async def test_what_ends_within_the_grace_is_not() -> None:
    findings = Findings()
    ending = asyncio.Event()
    with Population(findings, grace_s=0).session("sess_1", Conversation(), lambda: not ending.is_set()):
        late = asyncio.create_task(ending.wait(), name=task_name("late", "sess_1"))
    asyncio.get_running_loop().call_soon(ending.set)  # after the first look, before the judgement
    await looked_after()
    assert late.done()
    assert not findings.kinds


async def test_other_sessions_and_the_servers_own_tasks_are_left_alone() -> None:
    findings = Findings()
    population = Population(findings, grace_s=0)
    others = [
        asyncio.create_task(wait_for_ever(), name=name) for name in ("read@sess_2", "pool-keeper", "read@sess_11")
    ]
    with population.session("sess_1", Conversation(), lambda: False):
        pass
    await looked_after()
    assert not findings.kinds
    for task in others:
        task.cancel()


async def test_sessions_that_end_together_are_looked_after_together() -> None:
    findings = Findings()
    population = Population(findings, grace_s=0)
    leaked = []
    for number in range(3):
        with population.session(f"sess_{number}", Conversation(), lambda: False):
            leaked.append(asyncio.create_task(wait_for_ever(), name=f"read@sess_{number}"))
    await looked_after()
    assert findings.kinds == ["task"] * 3
    for task in leaked:
        task.cancel()


async def test_what_is_alive_is_counted() -> None:
    population = Population(Findings())
    task = asyncio.create_task(wait_for_ever(), name=task_name("read", "sess_1"))
    with (
        population.session("sess_1", Conversation(3, is_behind=True), lambda: True),
        population.session("sess_2", Conversation(4), lambda: False),
    ):
        assert population.tasks()["read"] == 1
        assert population.open_sockets == 1
        assert population.clients_behind == 1
        assert [session.holder.held().total for session in population.sessions] == [3, 4]
    assert not population.sessions
    assert population.open_sockets == 0
    task.cancel()


async def test_a_conversation_is_counted_until_it_is_freed() -> None:
    population = Population(Findings(), grace_s=0)
    conversation = Conversation()
    with population.session("sess_1", conversation, lambda: False):
        pass
    await looked_after()
    assert population.objects == 1
    del conversation
    gc.collect()
    assert population.objects == 0


@pytest.mark.parametrize(
    ("name", "kind", "owner"),
    [("read@sess_1", "read", "sess_1"), ("pool-keeper", "pool-keeper", ""), ("Task-12", "unnamed", "")],
)
def test_a_name_tells_kind_and_owner(name: str, kind: str, owner: str) -> None:
    assert (kind_of(name), owner_of(name)) == (kind, owner)


async def test_a_task_belongs_to_the_session_of_the_task_that_begins_it() -> None:
    async def begin() -> str:
        return task_name("inner")

    assert await asyncio.create_task(begin(), name=task_name("outer", "sess_7")) == "inner@sess_7"
    assert task_name("alone") == "alone"


async def test_or_to_the_one_that_its_log_lines_are_bound_to() -> None:
    with bind_session("sess_8", "corr-1"):
        assert task_name("read") == "read@sess_8"


async def test_a_task_of_one_function_is_called_by_its_name() -> None:
    work = wait_for_ever()
    assert kind_of_work(work) == "wait_for_ever"
    work.close()


async def test_a_session_that_goes_on_on_another_connection_is_not_over() -> None:
    findings = Findings()
    population = Population(findings, grace_s=0)
    first, second = Conversation(), Conversation()
    with population.session("sess_1", first, lambda: False):
        again = population.session("sess_1", second, lambda: True)
        again.__enter__()
    task = asyncio.create_task(wait_for_ever(), name=task_name("read", "sess_1"))
    await looked_after()
    assert not findings.kinds
    assert len(population.sessions) == 1
    del first
    gc.collect()
    assert population.objects == 1
    again.__exit__(None, None, None)
    await findings.found.wait()
    assert "task" in findings.kinds
    task.cancel()
