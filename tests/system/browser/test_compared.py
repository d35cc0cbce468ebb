"""Two studies side by side in MLflow, and their page, in a browser that was never there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hpsearch import StudyComparison, compare_studies
from tests.harness.browser import Site
from tests.harness.figures import drawn_figures

See = Callable[[str], Any]


@pytest.fixture(scope="module")
def compared(site: Site, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, StudyComparison]:
    """The page that compares two studies of the site, and what was compared."""
    page = tmp_path_factory.mktemp("compared") / "compared.html"
    with drawn_figures():
        return page, compare_studies(["small", "wide"], home=site.home, html=page)


def test_one_table_has_the_trials_of_both_and_one_page_their_curves(
    browser: Any, see: See, site: Site, compared: tuple[Path, StudyComparison], tmp_path: Path
) -> None:
    pages = compared[1].pages
    assert pages is not None
    browser.get(f"{site.address}/{pages.trials}")
    see("//*[text()='Displaying Runs from 2 Experiments']")
    for column in ("Experiment Name", "objective", "learning_rate"):
        see(f"//*[contains(@class, 'ag-header')]//*[text()='{column}']")
    for study in ("small", "wide"):
        see(f"//*[@role='gridcell']//*[text()='{study}']")
    browser.save_screenshot(str(tmp_path / "trials.png"))
    browser.get("about:blank")
    browser.get(f"{site.address}/{pages.curves}")
    see("//*[text()='The search']")
    see("//*[contains(@class, 'scatterlayer')]//*[contains(@class, 'js-line')]")
    browser.save_screenshot(str(tmp_path / "curves.png"))


def test_the_page_shows_who_leads_and_what_differs_at_any_width(
    browser: Any, see: See, compared: tuple[Path, StudyComparison], tmp_path: Path
) -> None:
    for width in (1400, 420):
        browser.set_window_size(width, 1200)
        browser.get(compared[0].as_uri())
        first = compared[1].found.studies[0].name
        see(f"//p[starts-with(., '{first} has the best confirmed validation_accuracy')]")
        see("//figure[@id='compared']//img")
        see("//td[text()='network.hidden']")
        wide = browser.execute_script("return document.documentElement.scrollWidth")
        assert wide <= browser.execute_script("return window.innerWidth")
        browser.save_screenshot(str(tmp_path / f"page-{width}.png"))
    browser.set_window_size(1600, 1400)
