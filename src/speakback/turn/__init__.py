"""The pure turn-taking core: no I/O, no clock, no tasks. Start reading at `tables.py`."""
