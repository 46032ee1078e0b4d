"""A world to test strategies in: simulated callers talk with the real turn core in virtual time."""
