"""What goes wrong with weights."""


class WeightsError(Exception):
    """Weights are missing and could not be had; the message says what, from where, and what to do."""
