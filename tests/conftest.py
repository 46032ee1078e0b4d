"""What every test has: a guard on the event loop. And where optional recordings lie."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from blockbuster import BlockBuster, blockbuster_ctx

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def blockbuster() -> Iterator[BlockBuster]:
    """A call that blocks the event loop raises `BlockingError`; other threads may block as they like."""
    with blockbuster_ctx() as guard:
        yield guard


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Recordings beside the repository that are not part of it; tests that want them are skipped without."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("recordings are not part of the repository: no ../shared/data here")
    return folder
