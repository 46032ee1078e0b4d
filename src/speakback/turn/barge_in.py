"""Barge-in: what the agent does when the user starts to speak over it."""

from enum import Enum


class BargeIn(Enum):
    """Who yields when both speak.

    Part of every strategy; the graded verdicts (duck, hold, decide, go on) are to join these two.
    """

    IMMEDIATE = "immediate"
    """The agent stops as soon as the VAD is sure of voice."""
    NEVER = "never"
    """The agent speaks to its end; what the user says meanwhile is a turn that waits."""
