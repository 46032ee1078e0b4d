"""All that the page is made of, read once at the start: templates, ready to be filled in, and static files."""

from dataclasses import dataclass
from pathlib import Path

from jinja2 import DictLoader, Environment, StrictUndefined

from speakback import __version__
from speakback.web.assets import Assets, read_assets
from speakback.web.modules import needed_by

FOLDER = Path(__file__).parent
ENTRY = "app.js"


@dataclass(frozen=True, slots=True)
class Page:
    """The files of the page; see `read_page`."""

    templates: Environment
    assets: Assets
    modules: tuple[str, ...]
    """The paths below `static` of all scripts that the page needs to begin, for its head: so they are fetched side by
    side, not one after the other as each names the next."""

    @property
    def static(self) -> str:
        """Where its static files are: `{{ static }}/app.js`."""
        return f"/static/{self.assets.version}"

    def render(self, template: str, **context: object) -> str:
        """The template filled in. Every one has `static`, `modules` and `version` besides; a name that it lacks is an
        error."""
        filling = {**context, "static": self.static, "modules": self.modules, "version": __version__}
        return self.templates.get_template(template).render(filling)


def read_page(folder: Path = FOLDER) -> Page:
    """The page in that folder. Blocks. Raises `OSError`; `TemplateError` for a template that cannot be read."""
    sources = {path.name: path.read_text("utf-8") for path in sorted((folder / "templates").glob("*.html"))}
    templates = Environment(
        loader=DictLoader(sources),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    for name in sources:
        templates.get_template(name)  # compiled now: a mistake shows at the start, and no request waits for it
    assets = read_assets(folder / "static")
    scripts = {name: asset.plain.decode() for name, asset in assets.by_path.items() if name.endswith(".js")}
    return Page(templates, assets, needed_by(ENTRY, scripts))
