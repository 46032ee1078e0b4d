import asyncio

from speakback.providers.urgency import Purpose, Urgency, present_purpose, urgent


def test_whoever_waits_for_an_answer_comes_before_what_may_be_in_vain() -> None:
    by_urgency = sorted(Urgency)
    assert by_urgency[0] is Urgency.COMMITTED
    assert [each for each in by_urgency if each.may_be_in_vain] == [Urgency.DRAFT, Urgency.PARTIAL, Urgency.WARMING]
    assert by_urgency[-3:] == [Urgency.DRAFT, Urgency.PARTIAL, Urgency.WARMING]
    assert Urgency.FIRST_CLAUSE.label == "first_clause"


async def test_it_holds_within_and_for_tasks_begun_within() -> None:
    async def asked() -> Urgency:
        await asyncio.sleep(0)
        return present_purpose().urgency

    with urgent(Urgency.DRAFT):
        task = asyncio.create_task(asked())
        with urgent(Urgency.COMMITTED):
            assert await asked() is Urgency.COMMITTED
        assert present_purpose().urgency is Urgency.DRAFT
    assert await task is Urgency.DRAFT
    assert present_purpose().urgency is Urgency.LATER_CLAUSES, "what is used where nobody said anything"


async def test_a_purpose_may_turn_out_otherwise_while_the_work_is_under_way() -> None:
    purpose = Purpose(Urgency.DRAFT)
    began, go_on = asyncio.Event(), asyncio.Event()

    async def asked() -> Urgency:
        began.set()
        await go_on.wait()
        return present_purpose().urgency

    with urgent(purpose):
        task = asyncio.create_task(asked())
    await began.wait()
    purpose.become(Urgency.FIRST_CLAUSE)
    go_on.set()
    assert await task is Urgency.FIRST_CLAUSE


def test_hastening_never_slows_down_and_only_changes_are_told() -> None:
    purpose, told = Purpose(Urgency.PARTIAL), list[Urgency]()
    purpose.on_change(lambda: told.append(purpose.urgency))
    for urgency in (Urgency.PAUSE, Urgency.PARTIAL, Urgency.PAUSE, Urgency.COMMITTED):
        purpose.hasten(urgency)
    assert told == [Urgency.PAUSE, Urgency.COMMITTED]


def test_what_nobody_gave_a_purpose_shares_none() -> None:
    present_purpose().become(Urgency.COMMITTED)
    assert present_purpose().urgency is Urgency.LATER_CLAUSES
