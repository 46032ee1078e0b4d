"""gateway/page.py"""

import ast
import re
from html import unescape

from speakback.gateway.page import connect_page


def test_the_page_holds_this_servers_addresses() -> None:
    page = connect_page("https://voice.example", needs_key=True, model="echo")
    assert "wss://voice.example/v1/realtime" in page
    assert "https://voice.example/v1" in page
    assert "API key" in page


def test_the_snippet_is_python() -> None:
    page = connect_page("http://127.0.0.1:8765", needs_key=False, model="llama")
    snippet = re.search("<pre>(.*?)</pre>", page, re.DOTALL)
    assert snippet is not None
    ast.parse(unescape(snippet[1]))
    assert "none-needed" in snippet[1]


def test_everything_put_into_the_page_is_escaped() -> None:
    page = connect_page('http://"><script>alert(1)</script>', needs_key=False, model="<b>x</b>")
    assert "<script" not in page
    assert "<b>" not in page
