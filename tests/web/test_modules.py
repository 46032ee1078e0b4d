"""web/modules.py, and the modules that there are."""

from speakback.web.modules import imports, needed_by
from speakback.web.page import Page

APP = """/** import './not.js' */
import { a,
  b } from './model/a.js';
import './b.js';
const c = import('./late.js');
"""
A = """import * as b from "../b.js";
export { c } from './c.js';
export const d = './not.js';
"""
SOURCES = {
    "app.js": APP,
    "model/a.js": A,
    "model/c.js": "",
    "b.js": "import { a } from './model/a.js';\nimport { e } from './gone.js';",
    "late.js": "",
    "not.js": "",
}


def test_what_a_script_needs_is_found_once_each_nearest_first() -> None:
    assert needed_by("app.js", SOURCES) == ("app.js", "model/a.js", "b.js", "model/c.js")


def test_imports_are_named_from_the_folder_that_all_lie_in() -> None:
    assert imports("model/a.js", A) == ("b.js", "model/c.js")


def test_every_import_of_the_page_is_there(site: Page) -> None:
    scripts = {name: asset.plain.decode() for name, asset in site.assets.by_path.items() if name.endswith(".js")}
    wanted = {(name, path) for name, source in scripts.items() for path in imports(name, source)}
    assert wanted, "it has modules"
    assert {(name, path) for name, path in wanted if path not in scripts} == set()
