"""Measurements on this machine, a file each: `python -m benchmarks [NAME …]`. They need no recordings."""
