"""Configuration: sources and their order, refusals with their place, and secrets that stay secret."""

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speakback.config import ConfigError, LoadedSettings, Origin, ServerSettings, Settings, bind_problem, load_settings
from speakback.config.api_keys import KEY_PREFIX, key_hash, new_api_key
from speakback.config.catalogue import KEYS, VARIABLES
from speakback.config.pages import EXAMPLE_PATH, PAGE_PATH, configuration_page, example_file

ROOT = Path(__file__).parents[1]
SECRET = "sk-never-to-be-seen"
AWKWARD = "\x00\n\"'=,[]{}#.-+_ 019aeinft\u00e9\u2028"


@pytest.fixture(autouse=True)
def _empty_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(text: str, name: str = "speakback.toml") -> Path:
    path = Path(name)
    path.write_text(text, encoding="utf-8")
    return path


def refusals(path: Path | None = None, **variables: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load_settings(path, variables)
    assert SECRET not in str(caught.value)
    return caught.value.problems


class TestSources:
    def test_nothing_configured_gives_the_defaults(self) -> None:
        loaded = load_settings(None, {"PATH": "/bin"})
        assert loaded.settings == Settings()
        assert loaded.path is None
        assert set(loaded.origins) == set(KEYS)
        assert set(loaded.origins.values()) == {Origin("default")}

    def test_each_source_wins_over_the_one_before(self) -> None:
        written('[server]\nport = 1\nhost = "::1"\nmax_sessions = 3\n')
        loaded = load_settings(
            None,
            {"SPEAKBACK_SERVER__PORT": "2", "SPEAKBACK_SERVER__HOST": "127.0.0.2"},
            {"server.port": 4, "server.host": None},
        )
        server = loaded.settings.server
        assert (server.port, server.host, server.max_sessions) == (4, "127.0.0.2", 3)
        assert loaded.origins["server.port"] == Origin("command line", "--port")
        assert loaded.origins["server.host"] == Origin("environment", "SPEAKBACK_SERVER__HOST")
        assert loaded.origins["server.max_sessions"] == Origin("file", "speakback.toml")
        assert loaded.origins["llm.provider"] == Origin("default")

    def test_the_option_names_the_file_before_the_variable_does(self) -> None:
        a, b = written("[tts]\nspeed = 1.5\n", "a.toml"), written("[tts]\nspeed = 0.5\n", "b.toml")
        written("[tts]\nspeed = 2.0\n")
        assert load_settings(a, {"SPEAKBACK_CONFIG": str(b)}).settings.tts.speed == 1.5
        assert load_settings(None, {"SPEAKBACK_CONFIG": str(b)}).settings.tts.speed == 0.5
        assert load_settings(None, {}).settings.tts.speed == 2.0

    @pytest.mark.parametrize(
        ("variable", "text", "value"),
        [
            ("SPEAKBACK_SERVER__PORT", "9000", 9000),
            ("SPEAKBACK_SERVER__IDLE_TIMEOUT_S", "30", 30.0),
            ("SPEAKBACK_TTS__SPEED", "1.25", 1.25),
            ("SPEAKBACK_TTS__VOICE", "1", "1"),
            ("SPEAKBACK_LLM__PROVIDER", "echo", "echo"),
            ("SPEAKBACK_LLM__MODEL", "", ""),
            ("SPEAKBACK_STT__MODEL_PATH", "models/w", Path("models/w")),
            ("SPEAKBACK_SERVER__API_KEY_HASHES", f"{'a' * 64}, {'b' * 64}", ("a" * 64, "b" * 64)),
            ("SPEAKBACK_SERVER__API_KEY_HASHES", "", ()),
            ("SPEAKBACK_TURN__OVERRIDES", "{ a = 1, b = 0.5, c = true }", {"a": 1, "b": 0.5, "c": True}),
        ],
    )  # fmt: skip
    def test_a_variable_is_read_as_its_key_needs(self, variable: str, text: str, value: object) -> None:
        key = VARIABLES[variable]
        found = getattr(getattr(load_settings(None, {variable: text}).settings, key.section), key.name)
        assert found == value
        assert type(found) is type(value)

    def test_an_empty_variable_unsets_what_may_be_unset(self) -> None:
        written("[server]\nidle_timeout_s = 60\n[llm]\napi_key = 'x'\n")
        variables = {"SPEAKBACK_SERVER__IDLE_TIMEOUT_S": "", "SPEAKBACK_LLM__API_KEY": ""}
        loaded = load_settings(None, variables)
        assert loaded.settings.server.idle_timeout_s is None
        assert loaded.settings.llm.api_key is None
        assert loaded.origins["llm.api_key"] == Origin("environment", "SPEAKBACK_LLM__API_KEY")

    def test_a_path_may_begin_at_home(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", "/home/someone")
        written("[llm]\nmodel_path = '~/chat.gguf'\n")
        assert load_settings(None, {}).settings.llm.model_path == Path("/home/someone/chat.gguf")


class TestFileRefusals:
    def test_a_named_file_must_exist(self) -> None:
        assert refusals(Path("gone.toml")) == ("gone.toml: there is no such file.",)
        assert refusals(SPEAKBACK_CONFIG="gone.toml") == ("gone.toml: there is no such file.",)

    def test_a_directory_is_no_file(self, tmp_path: Path) -> None:
        (problem,) = refusals(tmp_path)
        assert problem.startswith(f"{tmp_path}: cannot be read")

    def test_malformed_toml_names_file_and_line(self) -> None:
        (problem,) = refusals(written(f'[llm]\napi_key = "{SECRET}\n'))
        assert problem.startswith("speakback.toml: is not valid TOML:")
        assert "line 2" in problem

    def test_bytes_that_are_no_text(self) -> None:
        Path("speakback.toml").write_bytes(b"\xff\xfe")
        assert refusals() == ("speakback.toml: is not UTF-8 text.",)

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("[serve]\n", "speakback.toml: there is no section [serve]; the nearest known section is server."),
            ("server = 3\n", "speakback.toml, server: must be a table; write [server] and its keys below."),
            (
                "[server]\nprot = 1\n",
                "speakback.toml, server.prot: there is no such key; the nearest known one is server.port.",
            ),
            (
                "[stt]\nbase_url = 'x'\n",
                "speakback.toml, stt.base_url: there is no such key; the nearest known one is llm.base_url.",
            ),
            (
                "[server]\nport = 99999\n",
                "speakback.toml, server.port: must be a whole number from 0 to 65535, not 99999.",
            ),
            (
                "[server]\nport = '80'\n",
                'speakback.toml, server.port: must be a whole number from 0 to 65535, not "80".',
            ),
            (
                "[server]\nport = true\n",
                "speakback.toml, server.port: must be a whole number from 0 to 65535, not true.",
            ),
            (
                "[vad]\nthreshold = nan\n",
                "speakback.toml, vad.threshold: must be a number above 0 and below 1, not NaN.",
            ),
            (
                "[server]\nsend_timeout_s = inf\n",
                "speakback.toml, server.send_timeout_s: must be a number above 0, not",
            ),
            (
                "[server]\nvoice = 'x'\n",
                "speakback.toml, server.voice: there is no such key; the nearest known one is tts.voice.",
            ),
            ("[log]\nlevel = 'loud'\n", 'speakback.toml, log.level: must be "debug" or "info" or "warning" or "error"'),
            ("[turn.overrides]\na = [1]\n", "speakback.toml, turn.overrides: must be a table of names"),
            ("[server]\nhost = ''\n", 'speakback.toml, server.host: must be a text that is not empty, not "".'),
        ],
    )
    def test_what_is_wrong_what_is_allowed_and_where(self, text: str, problem: str) -> None:
        (found,) = refusals(written(text))
        assert found.startswith(problem)

    def test_every_problem_is_listed_at_once(self) -> None:
        problems = refusals(
            written("[serve]\n[server]\nport = -1\nprot = 1\n[tts]\nspeed = 9\n"),
            SPEAKBACK_LLM__PROVDER="x",
            SPEAKBACK_VAD__PREROLL_MS="long",
        )
        assert len(problems) == 6


class TestVariableRefusals:
    def test_an_unknown_variable(self) -> None:
        assert refusals(SPEAKBACK_LLM__PROVDER="echo") == (
            "SPEAKBACK_LLM__PROVDER: no setting belongs to this variable; "
            "the nearest known variable is SPEAKBACK_LLM__PROVIDER.",
        )

    def test_a_wrong_value_names_the_variable(self) -> None:
        assert refusals(SPEAKBACK_STT__THREADS="many") == (
            'SPEAKBACK_STT__THREADS: must be a whole number from 1 to 64, not "many".',
        )

    def test_toml_smuggled_into_a_variable_stays_text(self) -> None:
        (problem,) = refusals(SPEAKBACK_STT__THREADS="2\nvalue2 = 3")
        assert problem.startswith("SPEAKBACK_STT__THREADS: must be")

    def test_the_callers_key_is_not_mistaken_for_a_setting(self) -> None:
        assert load_settings(None, {"SPEAKBACK_API_KEY": SECRET}).settings == Settings()

    def test_kubernetes_links_are_not_mistaken_for_settings(self) -> None:
        links = {
            "SPEAKBACK_SERVICE_HOST": "10.0.0.1",
            "SPEAKBACK_SERVICE_PORT_HTTP": "8765",
            "SPEAKBACK_PORT": "tcp://10.0.0.1:8765",
            "SPEAKBACK_PORT_8765_TCP_ADDR": "10.0.0.1",
        }
        assert load_settings(None, links).settings == Settings()
        assert refusals(SPEAKBACK_PORT="8765")


class TestContradictions:
    def test_openai_needs_an_address_and_a_model(self) -> None:
        assert refusals(SPEAKBACK_LLM__PROVIDER="openai") == (
            'llm.provider is "openai", which needs llm.base_url and llm.model to be set too.',
        )
        (problem,) = refusals(SPEAKBACK_LLM__PROVIDER="openai", SPEAKBACK_LLM__BASE_URL="http://127.0.0.1:1/v1")
        assert "needs llm.model to be set" in problem

    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "voice.example.org", ""])
    def test_an_open_server_stays_on_loopback(self, host: str) -> None:
        server = ServerSettings.model_construct(host=host)
        problem = bind_problem(Settings.model_construct(server=server))
        assert problem is not None
        assert "speakback key" in problem
        assert "binds to loopback only" in problem

    @pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
    def test_loopback_needs_no_key(self, host: str) -> None:
        assert bind_problem(Settings(server=ServerSettings(host=host))) is None

    @pytest.mark.parametrize("variable", ["SPEAKBACK_SERVER__API_KEYS", "SPEAKBACK_SERVER__API_KEY_HASHES"])
    def test_a_key_opens_the_way_out(self, variable: str) -> None:
        load_settings(None, {variable: "a" * 64, "SPEAKBACK_SERVER__HOST": "0.0.0.0"})
        assert refusals(SPEAKBACK_SERVER__HOST="0.0.0.0")

    @pytest.mark.parametrize(
        ("text", "names"),
        [
            ("[vad]\nthreshold = 0.3\n", "vad.release_threshold"),
            ("[stt]\nlanguage = 'de'\n", "stt.language"),
            ("[llm]\nmax_tokens = 600\ncontext_tokens = 600\n", "llm.max_tokens"),
        ],
    )
    def test_values_that_cannot_stand_together(self, text: str, names: str) -> None:
        (problem,) = refusals(written(text))
        assert problem.startswith(names)


class TestSecrets:
    @pytest.mark.parametrize(
        "text",
        [
            f"[server]\napi_key_hashes = ['{SECRET}']\n",
            f"[server]\napi_keys = ['{SECRET}']\n",
            f"[llm]\napi_key = ['{SECRET}']\n",
            f"[llm]\nbase_url = 'https://user:{SECRET}@example.org/v1'\n",
            f"[llm]\nbase_url = 'https://example.org/v1?key={SECRET}'\n",
            f"llm = '{SECRET}'\n",
            f"[llm]\napikey = '{SECRET}'\n",
        ],
    )
    def test_a_refusal_does_not_repeat_a_secret(self, text: str) -> None:
        assert refusals(written(text))  # `refusals` looks for the secret

    def test_refused_keys_of_a_variable_are_not_repeated(self) -> None:
        assert refusals(SPEAKBACK_SERVER__API_KEYS=f"{SECRET},,")

    def test_plain_keys_belong_into_the_environment(self) -> None:
        (problem,) = refusals(written(f"[server]\napi_keys = ['{SECRET}']\n"))
        assert "only by the variable SPEAKBACK_SERVER__API_KEYS" in problem

    def test_settings_do_not_show_secrets(self) -> None:
        variables = {"SPEAKBACK_SERVER__API_KEYS": SECRET, "SPEAKBACK_LLM__API_KEY": SECRET}
        loaded = load_settings(None, variables)
        assert isinstance(loaded, LoadedSettings)
        for shown in (repr(loaded), str(loaded.settings), loaded.settings.model_dump_json()):
            assert SECRET not in shown
        assert loaded.settings.llm.api_key is not None
        assert loaded.settings.llm.api_key.get_secret_value() == SECRET

    def test_plain_keys_and_hashes_are_accepted_alike_and_once(self) -> None:
        variables = {
            "SPEAKBACK_SERVER__API_KEYS": f"{SECRET}, other",
            "SPEAKBACK_SERVER__API_KEY_HASHES": f"{key_hash(SECRET)},{'c' * 64}",
        }
        server = load_settings(None, variables).settings.server
        assert server.accepted_key_hashes == (key_hash(SECRET), "c" * 64, key_hash("other"))

    def test_new_keys_differ_and_fit_a_header(self) -> None:
        keys = {new_api_key() for _ in range(50)}
        assert len(keys) == 50
        assert all(re.fullmatch(rf"{KEY_PREFIX}[A-Za-z0-9_-]{{43}}", key) for key in keys)


class TestPages:
    @pytest.mark.parametrize(("path", "text"), [(PAGE_PATH, configuration_page()), (EXAMPLE_PATH, example_file())])
    def test_the_files_are_current(self, path: Path, text: str) -> None:
        assert (ROOT / path).read_text(encoding="utf-8") == text, "run python -m speakback.config.pages"

    def test_the_example_changes_nothing(self) -> None:
        assert load_settings(written(example_file()), {}).settings == Settings()

    def test_the_example_is_valid_with_every_key_on(self) -> None:
        everything = re.sub(r"^#(?=[a-z_]+ = )", "", example_file(), flags=re.MULTILINE)
        loaded = load_settings(written(everything), {})
        assert {name for name, origin in loaded.origins.items() if origin.kind == "default"} == {"server.api_keys"}
        assert tomllib.loads(everything)["server"]["port"] == 8765

    def test_every_key_is_described(self) -> None:
        assert all(key.description and key.allowed for key in KEYS.values())


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.sampled_from(sorted(VARIABLES)), st.text(AWKWARD, max_size=20), max_size=4))
def test_any_text_in_any_variable_is_taken_or_refused_but_never_crashes(variables: dict[str, str]) -> None:
    try:
        loaded = load_settings(None, variables)
    except ConfigError:
        pass
    else:
        assert {name for name, origin in loaded.origins.items() if origin.kind != "default"} == {
            VARIABLES[variable].dotted for variable in variables
        }


def test_the_keys_of_services_may_come_by_the_names_that_everyone_uses() -> None:
    loaded = load_settings(None, {"GROQ_API_KEY": "gsk_common"})
    assert loaded.settings.groq.api_key is not None
    assert loaded.settings.groq.api_key.get_secret_value() == "gsk_common"
    assert loaded.origins["groq.api_key"] == Origin("environment", "GROQ_API_KEY")


@pytest.mark.parametrize("variable", ["GROQ_API_KEY", "ELEVENLABS_API_KEY", "SPEAKBACK_LLM__API_KEY"])
@pytest.mark.parametrize(
    "key", [f" {SECRET}", f"{SECRET}\n", f"{SECRET} x", f"{SECRET}\u00e9", f"\u201c{SECRET}\u201d"]
)
def test_a_key_that_no_header_can_carry_is_refused_and_not_shown(variable: str, key: str) -> None:
    assert refusals(None, **{variable: key}) == (
        f"{variable}: must be a key, in ASCII and without spaces or line breaks (the value given is not shown).",
    )


@pytest.mark.parametrize("host", ["127.0.0.1:99999", "h:abc", "[::1", "a..b", "x" * 64 + ".example"])
@pytest.mark.parametrize("section", ["GROQ", "ELEVENLABS", "LLM"])
def test_an_address_that_is_none_is_refused(section: str, host: str) -> None:
    variable = f"SPEAKBACK_{section}__BASE_URL"
    (problem,) = refusals(None, **{variable: f"http://{host}/v1"})
    assert problem.startswith(f"{variable}: must be an http or https URL")


@pytest.mark.parametrize("url", ["http://[::1]:8790", "https://h", "http://h:8790/a/path/"])
def test_an_address_may_have_a_port_and_a_path(url: str) -> None:
    assert load_settings(None, {"SPEAKBACK_ELEVENLABS__BASE_URL": url}).settings.elevenlabs.base_url == url


def test_what_is_true_or_false_says_so() -> None:
    assert refusals(SPEAKBACK_ELEVENLABS__EXPRESSIVE="True") == (
        'SPEAKBACK_ELEVENLABS__EXPRESSIVE: must be true or false, not "True".',
    )


def test_our_own_name_of_a_key_counts_for_more() -> None:
    environ = {"SPEAKBACK_ELEVENLABS__API_KEY": "sk_ours", "ELEVENLABS_API_KEY": "sk_common"}
    key = load_settings(None, environ).settings.elevenlabs.api_key
    assert key is not None
    assert key.get_secret_value() == "sk_ours"


def test_an_empty_common_variable_is_no_key() -> None:
    assert load_settings(None, {"GROQ_API_KEY": ""}).settings.groq.api_key is None
