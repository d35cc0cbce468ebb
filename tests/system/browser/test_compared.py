"""Two studies side by side in MLflow, and their page, in a browser that was never there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hpsearch import StudyComparison, compare_studies, run_study
from tests.harness.browser import started_ui
from tests.harness.stores import new_home
from tests.harness.study_files import TINY

See = Callable[[str], Any]


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, StudyComparison]]:
    """The address of a server, and what was compared of its home; the page lies beside that."""
    folder = tmp_path_factory.mktemp("compared")
    home = new_home(folder / "home")
    for name, hidden in (("small", 12), ("wide", 30)):
        path = folder / f"{name}.toml"
        text = TINY.replace('name = "small"', f'name = "{name}"', 1)
        path.write_text(text.replace("hidden = 12", f"hidden = {hidden}"))
        run_study(path, home=home, workers=0)
    found = compare_studies(["small", "wide"], home=home, html=folder / "compared.html")
    with started_ui(home) as (address, _):
        yield address, found


def page_of(compared: tuple[str, StudyComparison], page: str) -> str:
    return f"{compared[0]}/{page}"


def test_one_table_has_the_trials_of_both_and_one_page_their_curves(
    browser: Any, see: See, compared: tuple[str, StudyComparison], tmp_path: Path
) -> None:
    pages = compared[1].pages
    assert pages is not None
    browser.get(page_of(compared, pages.trials))
    see("//*[text()='Displaying Runs from 2 Experiments']")
    for column in ("Experiment Name", "objective", "learning_rate"):
        see(f"//*[contains(@class, 'ag-header')]//*[text()='{column}']")
    for study in ("small", "wide"):
        see(f"//*[@role='gridcell']//*[text()='{study}']")
    browser.save_screenshot(str(tmp_path / "trials.png"))
    browser.get("about:blank")
    browser.get(page_of(compared, pages.curves))
    see("//*[text()='The search']")
    see("//*[contains(@class, 'scatterlayer')]//*[contains(@class, 'js-line')]")
    browser.save_screenshot(str(tmp_path / "curves.png"))


def test_the_page_shows_who_leads_and_what_differs_at_any_width(
    browser: Any, see: See, compared: tuple[str, StudyComparison], tmp_path: Path
) -> None:
    pages = compared[1].pages
    assert pages is not None
    home = Path(pages.tracking_uri.removeprefix("sqlite:///")).parent
    for width in (1400, 420):
        browser.set_window_size(width, 1200)
        browser.get((home.parent / "compared.html").as_uri())
        first = compared[1].found.studies[0].name
        see(f"//p[starts-with(., '{first} has the best confirmed validation_accuracy')]")
        see("//figure[@id='compared']//img")
        see("//td[text()='network.hidden']")
        wide = browser.execute_script("return document.documentElement.scrollWidth")
        assert wide <= browser.execute_script("return window.innerWidth")
        browser.save_screenshot(str(tmp_path / f"page-{width}.png"))
    browser.set_window_size(1600, 1400)
