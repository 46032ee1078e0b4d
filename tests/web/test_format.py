"""static/audio/format.js, line/wire.js, audio/jitter.js: where page and server must mean the same, they do."""

import pytest

from speakback.audio import playout
from speakback.gateway import binary
from speakback.gateway.realtime.session_view import OWN_EVENTS
from speakback.timebase import LEDGER_FRAME_MS, VOICE_HZ, ms_to_samples
from speakback.web.page import Page as Site
from tests.web.browser import Tab
from tests.web.serving import pages

pytestmark = pytest.mark.asyncio(loop_scope="session")

CONSTANTS = """async () => {
  const [format, wire, jitter] = await Promise.all(
    ['audio/format.js', 'line/wire.js', 'audio/jitter.js'].map((path) => import(`/static/any/${path}`)));
  const { VERSION, USER_AUDIO, AGENT_AUDIO, EVENTS } = wire;
  const { DUCKED_GAIN, DUCK_RAMP_SAMPLES } = jitter;
  return { ...format, VERSION, USER_AUDIO, AGENT_AUDIO, EVENTS, DUCKED_GAIN, DUCK_RAMP_SAMPLES };
}"""


async def test_page_and_server_agree(tab: Tab, site: Site) -> None:
    async with pages(site) as served:
        await tab.page.goto(f"{served.address}/connect")
        found = await tab.page.evaluate(CONSTANTS)
    assert set(found.pop("EVENTS")) <= set(OWN_EVENTS)
    assert found.pop("DUCKED_GAIN") == pytest.approx(playout.DUCKED_GAIN)
    assert found == {
        "VOICE_HZ": VOICE_HZ,
        "SAMPLES_PER_MS": ms_to_samples(1, VOICE_HZ),
        "FRAME_MS": LEDGER_FRAME_MS,
        "FRAME_SAMPLES": ms_to_samples(LEDGER_FRAME_MS, VOICE_HZ),
        "HEADER_BYTES": binary.HEADER_BYTES,
        "VERSION": binary.VERSION,
        "USER_AUDIO": binary.Kind.USER_AUDIO,
        "AGENT_AUDIO": binary.Kind.AGENT_AUDIO,
        "DUCK_RAMP_SAMPLES": playout.DUCK_RAMP_SAMPLES,
    }
