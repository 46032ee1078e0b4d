"""Writes docs/metrics.md from the metrics themselves.

From the project's root: `python -m speakback.observe.metrics_page`. A test holds the page to what this would write.
"""

from collections.abc import Iterator
from pathlib import Path

from speakback.observe.metrics import Metrics

PAGE_PATH = Path("docs/metrics.md")

_HEAD = """\
# Metrics

<!-- Written by `python -m speakback.observe.metrics_page`; change src/speakback/observe/metrics.py instead. -->

`GET /metrics` answers in Prometheus' text format; where the server has API keys it needs one. Each process has metrics
of its own: with `server.workers` above 1, whichever process takes the request answers. No metric holds speech or
secrets, and no label comes from a client.

A histogram has `_bucket`, `_sum` and `_count`. Gauges that say *recent*, and those of load, are measured twice a
second; what is alive and what conversations hold is counted when the page is asked for.

| name | type | labels | meaning |
|---|---|---|---|
"""

_TAIL = """\
| `process_cpu_seconds_total` | counter | | Processor time of this process. |
| `process_resident_memory_bytes` | gauge | | Memory of this process that is in RAM. |
| `process_virtual_memory_bytes` | gauge | | Its address space. |
| `process_start_time_seconds` | gauge | | When it started, in Unix time. |
| `process_open_fds` | gauge | | Its open files and sockets. |
| `process_max_fds` | gauge | | How many it may have. |

The `process_` metrics need Linux.

## What to look at

- **Room**: `speakback_admitting` is 0 while new conversations are refused, as `/readyz` then says, and
  `speakback_refused_total` counts them by reason: `sessions` (all seats are taken), `joining` (too many at once), or a
  limit of the section `[admission]` in docs/configuration.md: `loop_lag`, `queue_wait`, `cpu`, `memory`.
- **A stall**: `speakback_loop_stalls_total` rises, and the log says `the event loop was blocked`, for how long, and
  by which lines of code.
- **A leak**: `speakback_left_behind_total` is above 0, with a line in the log for each; or `speakback_session_objects`
  stays above `speakback_sessions`; or `process_resident_memory_bytes` grows while
  `speakback_session_held_bytes` does not.
"""


def metrics_page() -> str:
    """The text of docs/metrics.md."""
    return _HEAD + "".join(_rows()) + _TAIL


def _rows() -> Iterator[str]:
    for metric in Metrics().described:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        yield f"| `{metric.name}` | {metric.kind} | {labels} | {metric.meaning} |\n".replace("|  |", "| |")


if __name__ == "__main__":
    PAGE_PATH.write_text(metrics_page(), encoding="utf-8")
