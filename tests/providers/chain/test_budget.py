"""The budget of second requests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speakback.providers.chain.budget import Budget, BudgetOptions, Cost


@given(st.floats(0, 1), st.integers(0, 5), st.integers(1, 400))
def test_the_share_is_kept(share: float, burst: int, requests: int) -> None:
    budget = Budget(BudgetOptions(share=share, burst=burst))
    taken = 0
    for _ in range(requests):
        budget.request()
        taken += budget.take()
    assert taken <= share * requests + burst + 1e-6
    assert taken >= int(share * requests - 1e-6) * (share > 0) - 1
    spent = budget.spent
    assert (spent.requests, spent.second_requests, spent.refused) == (requests, taken, requests - taken)


def test_all_may_be_doubled() -> None:
    budget = Budget(BudgetOptions(share=1.0, burst=0))
    for _ in range(50):
        budget.request()
        assert budget.take()


def test_what_could_not_wait_is_paid_for_later() -> None:
    budget = Budget(BudgetOptions(share=0.5, burst=1))
    budget.take_anyway()
    budget.take_anyway()
    for _ in range(3):
        budget.request()
        assert not budget.take()
    budget.request()
    assert budget.take()


def test_costs_add_up() -> None:
    budget = Budget(BudgetOptions())
    budget.waste(Cost(tokens=3))
    budget.waste(Cost(characters=5, audio_ms=7))
    assert budget.spent.wasted == Cost(3, 5, 7)


@pytest.mark.parametrize(("share", "burst"), [(-0.1, 1), (1.1, 1), (0.5, -1)])
def test_impossible_budgets(share: float, burst: float) -> None:
    with pytest.raises(ValueError, match="share"):
        BudgetOptions(share, burst)
