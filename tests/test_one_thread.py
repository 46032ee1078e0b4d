"""The arithmetic under numpy gets one thread, and that before it is loaded, when it can still be told."""

import os
import subprocess
import sys

import pytest

TOLD = "import sys, speakback, os; print('numpy' in sys.modules, os.environ['OPENBLAS_NUM_THREADS'])"


@pytest.mark.parametrize(("given", "told"), [({}, "False 1"), ({"OPENBLAS_NUM_THREADS": "3"}, "False 3")])
def test_the_package_tells_it_first_and_keeps_what_an_operator_chose(given: dict[str, str], told: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")} | given
    answer = subprocess.run([sys.executable, "-c", TOLD], env=environment, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == told
