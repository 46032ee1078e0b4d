"""How long people take to answer, as the page draws it: `static/human-gaps.json`, made from the human baseline.

`python -m speakback.web.human_gaps` prints the file; a test holds it to the baseline of today.
"""

import json
import sys

import numpy as np

from speakback.evaluate.baseline import Quantity, load_baseline

QUANTITY = Quantity.FTO_TURN
FIRST_MS, LAST_MS, STEP_MS = -2000, 4000, 25
BANDWIDTH_MS = 60
"""Of the Gaussian kernel: smooths the corpus's grid of 10 ms, and hardly widens a spread of 570 ms."""
COLUMN_MS = 100
"""What a share is of: the answers that fall within so many milliseconds around a point."""


def human_gaps() -> str:
    """The file's text: the smoothed density of gaps between turns (under 0: overlaps), with its source."""
    baseline = load_baseline()
    people = baseline.distributions[QUANTITY]
    if people.reference is None:
        raise ValueError(f"the baseline has no reference for {QUANTITY.value}")
    points_ms = np.arange(FIRST_MS, LAST_MS + STEP_MS, STEP_MS, dtype=np.float64)
    away = (points_ms[:, None] - people.reference.quantiles_ms[None, :]) / BANDWIDTH_MS
    density = np.exp(-(away**2) / 2).mean(axis=1) / (BANDWIDTH_MS * np.sqrt(2 * np.pi))
    file = {
        "version": 1,
        "quantity": QUANTITY.value,
        "description": people.description,
        "source": baseline.title,
        "citation": baseline.citation,
        "caveats": list(baseline.caveats),
        "n": people.n,
        "curve_of": "the half of the corpus that scores are measured to; n and percentiles are of all of it",
        "percentiles_ms": {str(percent): people.percentile_ms(percent) for percent in (5, 25, 50, 75, 95)},
        "bandwidth_ms": BANDWIDTH_MS,
        "first_ms": FIRST_MS,
        "step_ms": STEP_MS,
        "column_ms": COLUMN_MS,
        "share_per_column": [round(float(share) * COLUMN_MS, 5) for share in density],
    }
    return json.dumps(file, indent=1) + "\n"


def main() -> None:
    """Print the file."""
    sys.stdout.write(human_gaps())


if __name__ == "__main__":
    main()
