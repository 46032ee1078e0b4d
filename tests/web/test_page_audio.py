"""static/audio/, static/line/: the page's pure parts, run in the browser that they are for.

The checks are written in the modules' own language, in `checks/`; each file gives what failed, by name.
"""

from pathlib import Path

import pytest

from speakback.web.page import Page as Site
from tests.web.browser import Tab
from tests.web.serving import pages

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]

CHECKS = Path(__file__).parent / "checks"


@pytest.mark.parametrize(("name", "at_least"), [("resample", 6), ("jitter", 18), ("parts", 20)])
async def test_the_checks_in(name: str, at_least: int, tab: Tab, site: Site) -> None:
    source = (CHECKS / "common.js").read_text(encoding="utf-8") + (CHECKS / f"{name}.js").read_text(encoding="utf-8")
    async with pages(site) as served:
        await tab.page.goto(f"{served.address}/connect")
        found = await tab.page.evaluate(f"async () => {{ {source} }}")
    assert found["failed"] == {}
    assert found["ran"] >= at_least
