"""web/assets.py, and the static files that there are."""

import gzip
from pathlib import Path

import pytest

from speakback.web.assets import CONTENT_TYPES, read_assets, takes_gzip
from speakback.web.page import FOLDER


def folder(root: Path, **contents: str) -> Path:
    for name, content in contents.items():
        (root / name.replace("_", ".")).write_text(content)
    return root


def test_files_are_found_by_their_path_and_what_is_not_served_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    folder(tmp_path / "model", talk_js="export {};")
    folder(tmp_path, style_css="a {}", notes_md="no", _hidden="no")
    assets = read_assets(tmp_path)
    assert set(assets.by_path) == {"model/talk.js", "style.css"}
    assert assets.by_path["model/talk.js"].content_type == "text/javascript; charset=utf-8"


def test_the_version_changes_with_contents_and_names(tmp_path: Path) -> None:
    versions = [read_assets(folder(tmp_path, a_js="1")).version, read_assets(folder(tmp_path, a_js="2")).version]
    (tmp_path / "a.js").rename(tmp_path / "b.js")
    versions.append(read_assets(tmp_path).version)
    assert len(set(versions)) == 3
    assert read_assets(tmp_path).version == versions[-1]


def test_what_is_compressed_is_the_same_and_smaller_or_not_compressed(tmp_path: Path) -> None:
    assets = read_assets(folder(tmp_path, long_js="x" * 1000, short_js="x"))
    long, short = assets.by_path["long.js"], assets.by_path["short.js"]
    assert long.gzipped is not None
    assert gzip.decompress(long.gzipped) == long.plain
    assert short.gzipped is None


@pytest.mark.parametrize(
    ("header", "takes"),
    [
        (None, False),
        ("", False),
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("*", True),
        ("br", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000, br", False),
        ("x-gzipped", False),
    ],
)
def test_who_takes_gzip(header: str | None, takes: bool) -> None:
    assert takes_gzip(header) is takes


def test_each_file_of_the_page_is_served() -> None:
    served = read_assets(FOLDER / "static").by_path
    files = [path for path in (FOLDER / "static").rglob("*") if path.is_file()]
    assert {path.relative_to(FOLDER / "static").as_posix() for path in files} == set(served)
    assert {path.suffix for path in files} <= set(CONTENT_TYPES)


def test_htmx_has_its_licence_beside_it() -> None:
    served = read_assets(FOLDER / "static").by_path
    assert b"Zero-Clause BSD" in served["htmx-LICENSE.txt"].plain
    assert b'version:"2.0.11"' in served["htmx.min.js"].plain, "docs/page.md names it, too"
