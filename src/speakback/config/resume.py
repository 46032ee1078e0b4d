"""Where conversations are kept between two connections."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from speakback.config.section import Allowed, FilePath, Section


def _of_redis(url: SecretStr) -> SecretStr:
    if urlsplit(url.get_secret_value()).scheme not in ("redis", "rediss", "unix"):
        raise ValueError("not the scheme of a Redis server")
    return url


RedisUrl = Annotated[SecretStr, AfterValidator(_of_redis), Allowed("a redis, rediss or unix URL")]


class ResumeSettings(Section):
    """Conversations that go on when a client reconnects with its token: what was said is kept for that, as text and
    for the open turn as sound (docs/resume.md)."""

    enabled: bool = Field(default=True, description="Whether clients that ask for it get a token.")
    store: Literal["memory", "file", "redis"] = Field(
        default="memory",
        description="memory: this process, and gone with it; file: a folder, for restarts and for the workers of one "
        "machine; redis: a server, for several machines.",
    )
    directory: FilePath | None = Field(
        default=None,
        description="Folder for file, which only this account may enter; made if need be.",
        examples=["/var/lib/speakback/resume"],
    )
    redis_url: RedisUrl | None = Field(
        default=None,
        description="Address for redis, with the password if there is one. Better set by its variable than in a file.",
        examples=["redis://:password@127.0.0.1:6379/0"],
    )
    keep_s: float = Field(
        default=120.0,
        ge=1,
        le=86_400,
        description="How long a conversation is kept behind the end of its connection; then it is gone.",
    )
