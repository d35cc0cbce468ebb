"""The prepared views of a study, in a browser that was never there."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.by import By

from hpsearch.records.outcome import Outcome
from hpsearch.records.run_folder import RunFolder
from hpsearch.tracking.links import run_page
from hpsearch.tracking.markdown import code, plain
from hpsearch.tracking.views import View, pages_of
from tests.harness.browser import Site
from tests.harness.projection import PARENT, add, make, projector, runs

See = Callable[[str], Any]
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture
def fresh(browser: Any, site: Site) -> Any:
    """The browser without anything that MLflow remembers in it."""
    browser.get(f"{site.address}/health")
    browser.execute_script("localStorage.clear(); sessionStorage.clear()")
    browser.delete_all_cookies()
    return browser


def shown(browser: Any) -> str:
    return str(browser.find_element(By.TAG_NAME, "body").text)


def link(see: See, heading: str) -> str:
    return str(see(f"//a[text()='{heading}']").get_attribute("href"))


def keep(browser: Any, folder: Path, name: str) -> None:
    """A picture of the page, to be looked at by a person."""
    browser.save_screenshot(str(folder / f"{name}.png"))


def test_the_note_leads_to_trials_with_scores_to_curves_and_to_a_trial(
    fresh: Any, see: See, site: Site, tmp_path: Path
) -> None:
    parent, best = site.runs["small"], next(n for n in site.runs if n.endswith("-winner"))
    info = parent.info
    fresh.get(
        f"{site.address}/#/experiments/{info.experiment_id}/runs/{info.run_id}"
        "?workflowType=machine_learning"
    )
    see("//*[contains(text(), 'won:')]")
    trials, curves = link(see, "Trials, best first"), link(see, "Curves")
    tests, troubles = link(see, "Fresh splits and test"), link(see, "Failed and diverged")
    keep(fresh, tmp_path, "parent")

    fresh.get(trials)
    see(f"//*[text()='{best}']")
    run = site.runs[best]
    for column in ("objective", "learning_rate", "trainer"):
        see(f"//*[contains(@class, 'ag-header')]//*[text()='{column}']")
    see(f"//*[@role='gridcell']//*[text()='{run.data.metrics['objective']:.12g}']")
    see(f"//*[@role='gridcell']//*[text()='{run.data.params['learning_rate']}']")
    first = re.findall(r"^trial-\S+$", shown(fresh), flags=re.MULTILINE)[0]
    ranked = [r for r in site.runs.values() if r.data.tags["hpsearch.kind"] == "trial"]
    top = max(ranked, key=lambda one: one.data.metrics.get("objective", -1.0))
    assert first == top.info.run_name
    keep(fresh, tmp_path, "trials")

    fresh.get("about:blank")
    fresh.get(curves)
    see("//*[text()='The search']")
    see("//*[contains(@class, 'scatterlayer')]//*[contains(@class, 'js-line')]")
    see("//*[text()='learning_rate vs. objective']")
    for title in ("validation_accuracy", "Parallel Coordinates"):
        see(f"//*[text()='{title}']")
    keep(fresh, tmp_path, "curves")

    fresh.get("about:blank")
    fresh.get(tests)
    see("//*[contains(@class, 'ag-header')]//*[text()='test_accuracy']")
    see("//*[@role='gridcell']//*[text()='confirmation']")
    fresh.get("about:blank")
    fresh.get(troubles)
    see("//*[@role='gridcell']//*[starts-with(text(), 'loss not finite')]")
    keep(fresh, tmp_path, "troubles")

    see("//a[contains(., '-diverged')]").click()
    see("//*[starts-with(text(), 'Diverged: loss not finite')]")
    fresh.back()  # the same runs in the same order; MLflow keeps no columns of a shared view
    see("//a[contains(., '-diverged')]")


def test_names_choices_and_errors_with_html_are_shown_as_text(
    fresh: Any, see: See, site: Site, run_folder: RunFolder
) -> None:
    good, bad = make(0, Outcome.COMPLETE), make(1, Outcome.FAILED)
    good.params = {EVIL: "<b>bold</b>", "lr": 0.1}
    bad.params, bad.reason = {EVIL: "<i>other</i>", "lr": 0.2}, f"ValueError: {EVIL}"
    add(run_folder, good, bad)
    note = f"**Trial 0 won:** {plain(EVIL)}\n\n{code(EVIL)} = {plain('<b>bold</b>')}"
    tags = PARENT["tags"] | {"mlflow.note.content": note}  # type: ignore[operator]
    look = PARENT["look"] | {"parameters": [EVIL, "lr"], "lengths": [3]}  # type: ignore[operator]
    more = {"tags": tags, "look": look, "about": plain(EVIL)}
    run_folder.write_json(run_folder.files.parent, PARENT | more)
    projector(run_folder, site.home).catch_up()
    pages, found = pages_of(run_folder), runs(site.home)
    assert pages is not None
    failed = found["trial-001-failed"].info
    trial = run_page(failed.experiment_id, failed.run_id)
    for page, text in (
        (pages.run, EVIL),
        (pages.views[View.TRIALS], "<b>bold</b>"),
        (pages.views[View.CURVES], "The search"),
        (pages.views[View.TROUBLES], f"ValueError: {EVIL}"),
        (trial, f"Failed: ValueError: {EVIL}"),
    ):
        fresh.get("about:blank")
        fresh.get(f"{site.address}/{page}")
        see(f"//*[contains(text(), '{text}')]")
        assert not fresh.find_elements(By.XPATH, "//img[@src='x'] | //b[text()='bold']")
