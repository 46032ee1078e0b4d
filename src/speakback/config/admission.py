"""The settings of who is let in while the server is busy."""

from pydantic import Field

from speakback.config.section import Section


class AdmissionSettings(Section):
    """How busy the server may be when one more conversation is let in.

    It is measured twice a second. A server that refused lets in again once it is a fifth below the limits.
    """

    max_loop_lag_ms: float = Field(
        default=30.0,
        gt=0,
        description="By how much the event loop may be late at one moment in ten, over 10 s.",
    )
    max_queue_wait_ms: float = Field(
        default=250.0,
        gt=0,
        description="How long a call that someone waits for may wait for a worker of its model, nine times in ten.",
    )
    max_cpu_share: float = Field(
        default=0.85,
        gt=0,
        le=1,
        description="How busy the event loop's core may be, and all cores with this process (with several workers: "
        "with anything), over 3 s. 1: whatever it is.",
    )
    max_memory_mb: int | None = Field(
        default=None,
        ge=64,
        description="Memory a process may take. Not set: nine tenths of the machine's, or of its container's, divided "
        "by the workers.",
        examples=[4096],
    )
    max_joins_per_s: float = Field(
        default=40.0,
        ge=2,
        description="Conversations that may begin in a second: what they cost shows in the measurements only later.",
    )
