"""A worker without models: it answers everyone with its process id, and what it is told first stands in a file.

    python stub_worker.py PORT [--refuses FILE] [--stubborn] [--told FILE] --worker-link N

Where there is a file such as `--refuses` names, it does not start, once: it removes the file. A stubborn one does not
leave until it is hurried or killed.
"""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from speakback.supervisor.link import Word, link_of_worker


async def work(port: int, link_number: int, stubborn: bool, told: Path | None) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"{os.getpid()}\n".encode())
        await reader.read()  # the line stays open for as long as this process lives
        writer.close()

    async with link_of_worker(link_number) as link:
        server = await asyncio.start_server(answer, "127.0.0.1", port, reuse_port=True)
        link.say(Word.READY)
        word = await link.hear()
        if told is not None and word is not None:
            with told.open("a") as file:
                file.write(f"{word.name}\n")
        while word is not None and stubborn and word is not Word.HURRY:
            word = await link.hear()
        server.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--refuses", type=Path)
    parser.add_argument("--stubborn", action="store_true")
    parser.add_argument("--told", type=Path)
    parser.add_argument("--worker-link", type=int)
    asked = parser.parse_args()
    if asked.refuses is not None and asked.refuses.exists():
        asked.refuses.unlink()
        sys.exit(2)
    asyncio.run(work(asked.port, asked.worker_link, asked.stubborn, asked.told))


if __name__ == "__main__":
    main()
