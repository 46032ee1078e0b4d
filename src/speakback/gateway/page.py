"""The plain page at `/`: how to connect, with this server's own address in it. Pure."""

from html import escape
from string import Template

_PAGE = Template(
    """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Speakback</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem; }
  pre { background: #f4f4f4; color: #111; padding: 1rem; overflow-x: auto; border-radius: 6px; }
</style>
<h1>Speakback is running</h1>
<p>It speaks the OpenAI Realtime protocol over WebSocket at <code>$websocket</code>.</p>
<p>$key_note</p>
<h2>From Python</h2>
<pre>$snippet</pre>
<p>Or stream a recording from a terminal: <code>speakback call FILE.wav --url $websocket</code></p>
<p><a href="/healthz">/healthz</a> says whether the server is alive, <a href="/readyz">/readyz</a> whether it is
ready for a session.</p>
</html>
"""
)

_SNIPPET = Template(
    """# pip install "openai[realtime]"
import asyncio

from openai import AsyncOpenAI

client = AsyncOpenAI(api_key="$key", base_url="$base")


async def main() -> None:
    async with client.realtime.connect(model="$model") as connection:
        await connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
        await connection.conversation.item.create(
            item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello!"}]}
        )
        await connection.response.create()
        async for event in connection:
            if event.type == "response.output_text.delta":
                print(event.delta, end="", flush=True)
            elif event.type == "response.done":
                break


asyncio.run(main())"""
)


def connect_page(origin: str, *, needs_key: bool, model: str) -> str:
    """The page's HTML. `origin` is the server's address as the browser knows it, such as
    `http://127.0.0.1:8765`: text from outside, so it is escaped.
    """
    websocket = f"ws{origin.removeprefix('http')}/v1/realtime"
    snippet = _SNIPPET.substitute(key="YOUR-KEY" if needs_key else "none-needed", base=f"{origin}/v1", model=model)
    note = (
        "It asks for an API key, sent as <code>Authorization: Bearer</code>."
        if needs_key
        else "No API key is configured, so it answers this machine only."
    )
    return _PAGE.substitute(websocket=escape(websocket), key_note=note, snippet=escape(snippet))
