"""Speakback: a self-hosted voice conversation server that answers like a person."""

import os

# Read once, when numpy loads its BLAS: so they are set here, before anything of ours can import it. On arrays as small
# as ours more threads gain nothing, and they spin while they wait, on cores that the models want: the one product in
# `audio/mel.py` takes 0.4 ms of processor time with one thread and 5 to 9 ms with two.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

__version__ = "0.1.0"
