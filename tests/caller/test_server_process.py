"""Which settings a server of its own gets."""

from pathlib import Path

from speakback.caller.server_process import default_environ
from speakback.config import Settings, load_settings


def test_no_setting_of_the_user_reaches_a_server_with_defaults(tmp_path: Path) -> None:
    users = {
        "HOME": "/home/someone",
        "SPEAKBACK_CONFIG": str(tmp_path / "mine.toml"),
        "SPEAKBACK_API_KEY": "the-callers",
        "SPEAKBACK_TTS__SPEED": "1.5",
        "SPEAKBACK_WEIGHTS__DIRECTORY": str(tmp_path),
    }
    environ = default_environ(users)
    loaded = load_settings(None, environ)
    assert environ["HOME"] == "/home/someone"
    assert "SPEAKBACK_API_KEY" not in environ
    assert loaded.settings.weights.directory == tmp_path
    assert loaded.settings.model_copy(update={"weights": Settings().weights}) == Settings()
    assert loaded.path != Path("speakback.toml")
