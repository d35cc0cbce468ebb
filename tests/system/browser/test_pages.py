"""What a person sees in the MLflow UI, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from selenium.webdriver.common.by import By

from tests.harness.browser import Site

See = Callable[[str], Any]
IMAGE = "data:image/svg+xml,"


def names(browser: Any) -> list[str]:
    """The trials of the run table, from the top."""
    text = browser.find_element(By.TAG_NAME, "body").text
    return re.findall(r"^trial-\d+\S*$", text, flags=re.MULTILINE)


def best_first(site: Site) -> list[str]:
    done = [run for run in site.runs.values() if run.data.tags["hpsearch.kind"] == "trial"]
    done = [run for run in done if "objective" in run.data.metrics]
    ranked = sorted(done, key=lambda run: -run.data.metrics["objective"])
    return [str(run.info.run_name) for run in ranked]


def test_the_page_that_ui_names_has_the_best_trials_on_top(
    browser: Any, see: See, site: Site
) -> None:
    browser.get(site.page)
    see("//*[text()='21']")  # matching runs: the trials, without parent, seeds and refits
    best = best_first(site)
    see(f"//*[text()='{best[0]}']")
    shown = names(browser)
    scores = [site.runs[name].data.metrics.get("objective") for name in shown]
    there = [score for score in scores if score is not None]
    assert shown[0] == best[0]
    assert there == sorted(there, reverse=True)
    assert scores[: len(there)] == there  # none without a score among them: failures come last


def test_the_study_s_note_leads_to_its_trials(browser: Any, see: See, site: Site) -> None:
    parent = site.runs["small"].info
    browser.get(f"{site.address}/#/experiments/{parent.experiment_id}/runs/{parent.run_id}")
    see("//*[contains(text(), 'A small study.')]")
    see("//*[contains(text(), 'digits')]")  # the data set
    link = see("//a[text()='Trials, best first']")
    browser.get(link.get_attribute("href"))
    see(f"//*[text()='{best_first(site)[0]}']")


def test_a_trial_has_its_curves(browser: Any, see: See, site: Site) -> None:
    trial = site.runs[best_first(site)[0]].info
    page = f"{site.address}/#/experiments/{trial.experiment_id}/runs/{trial.run_id}"
    browser.get(f"{page}/model-metrics")
    search = see("//input[contains(@placeholder, 'Search metric')]")
    search.send_keys("^validation_accuracy$")
    see("//*[contains(@class, 'scatterlayer')]//*[contains(@class, 'js-line')]")


def test_the_report_is_shown_in_place_with_its_figures(browser: Any, see: See, site: Site) -> None:
    parent = site.runs["small"].info
    page = f"{site.address}/#/experiments/{parent.experiment_id}/runs/{parent.run_id}"
    browser.get(f"{page}/artifacts/report.html")
    browser.switch_to.frame(see("//iframe"))
    try:
        see("//h1[text()='small']")
        figures = browser.find_elements(By.CSS_SELECTOR, "figure")
        assert len(figures) >= 7
        shown = browser.find_elements(By.CSS_SELECTOR, "figure > .drawn")  # without a script
        assert [image.get_attribute("src")[: len(IMAGE)] for image in shown] == [IMAGE] * len(
            figures
        )
        # It comes alive where it is seen, also in MLflow's frame, which has no origin.
        browser.execute_script("arguments[0].scrollIntoView()", figures[0])
        see("//*[contains(@class, 'js-plotly-plot')]//*[contains(@class, 'main-svg')]")
    finally:
        browser.switch_to.default_content()


def test_ten_trials_are_compared(browser: Any, see: See, site: Site) -> None:
    note = site.runs["small"].data.tags["mlflow.note.content"]
    link = re.search(r"\[The best 10 compared\]\((.*?)\)", note)
    assert link is not None
    browser.get(f"{site.address}/{link[1]}")
    see("//*[contains(text(), 'Comparing 10 Runs')]")
    see(f"//*[text()='{best_first(site)[0]}']")
