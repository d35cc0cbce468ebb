"""The documents as pages for a browser without a network."""

from __future__ import annotations

import html
import os
import re
import webbrowser
from pathlib import Path
from urllib.parse import unquote

import pytest

from hpsearch.errors import HpsearchError
from hpsearch.shipped.pages import START, page_of, topics, write_pages
from tests.harness.commands import call_here
from tests.harness.documents import REPOSITORY


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All pages."""
    written = tmp_path_factory.mktemp("pages")
    write_pages(written)
    return written


def test_every_page_of_the_index_is_found(folder: Path) -> None:
    index = (REPOSITORY / "docs/README.md").read_text()
    names = re.findall(r"\]\(([\w/-]+)\.md\)", index)
    assert len(names) > 30
    assert set(names) <= set(topics())
    for name in names:
        assert (folder / page_of(name)).is_file()
        assert page_of(name) == f"docs/{name}.html"
    assert page_of(None) == START
    assert "<title>hpsearch: documentation - hpsearch</title>" in (folder / START).read_text()


def test_every_link_leads_to_a_file_and_a_heading(folder: Path) -> None:
    pages = sorted(folder.rglob("*.html"))
    text = {page: page.read_text() for page in pages}
    for page in pages:
        for link in re.findall(r'(?:href|src)="([^"]*)"', text[page]):
            path, _, heading = unquote(html.unescape(link)).partition("#")
            if path.startswith(("http:", "https:", "mailto:")):
                continue
            linked = Path(os.path.normpath(page.parent / path)) if path else page
            assert linked.is_file(), f"{page} links to {link}"
            assert not heading or f'id="{heading}"' in text[linked], f"{page} links to {link}"


def test_pages_that_are_current_are_left_alone(tmp_path: Path) -> None:
    write_pages(tmp_path)
    page = tmp_path / START
    (tmp_path / page_of("tables")).write_text("of an older version")
    before = page.stat().st_ino
    write_pages(tmp_path)
    assert page.stat().st_ino == before
    assert "<h1" in (tmp_path / page_of("tables")).read_text()


def test_a_page_is_found_by_its_last_name_and_as_a_document_names_it() -> None:
    assert page_of("outcomes") == "docs/reference/outcomes.html"
    assert page_of("docs/reference/commands.md") == "docs/reference/commands.html"
    assert page_of("Commands") == "docs/commands.html"


def test_an_unknown_topic_names_the_nearest() -> None:
    with pytest.raises(HpsearchError, match=r"got 'tabels' \(did you mean 'tables'\?\)"):
        page_of("tabels")


def test_the_command_prints_the_path_and_opens_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    page = tmp_path / "docs/tables.html"
    assert call_here("docs", "tables", "--to", str(tmp_path)).stdout == f"{page}\n"
    assert opened == [page.as_uri()]
    assert call_here("docs", "tables", "--to", str(tmp_path), "--print").stdout == f"{page}\n"
    assert len(opened) == 1
    assert page.is_file()


def test_topics_are_listed_with_their_titles() -> None:
    assert "tables  Tables\n" in call_here("docs", "--topics").stdout
