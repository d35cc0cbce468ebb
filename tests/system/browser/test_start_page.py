"""The start page of `python -m hpsearch ui`, in a real browser."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow.server
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.harness.browser import EVIL, PATIENCE_SECONDS, Site
from tests.harness.commands import call_here

See = Callable[[str], Any]


@pytest.fixture
def address(site: Site) -> str:
    return site.address


def row_of(study: str) -> str:
    return f"//tr[@data-key='{study}/1']"


def test_ui_says_where_the_page_is(site: Site) -> None:
    address = site.address
    assert site.lines[0] == f"starting on {address} (Ctrl-C stops the server)"
    assert f"Studies on {address}/studies, MLflow on {address}" in site.lines
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until and not (site.opened.exists() and site.opened.read_text()):
        time.sleep(0.05)  # it is opened last
    assert site.opened.read_text().strip() == f"{address}/studies"


def test_ui_serves_the_stores(site: Site) -> None:
    asked = urllib.request.Request(
        f"{site.address}/api/2.0/mlflow/experiments/search",
        data=b'{"max_results": 10}',
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(asked, timeout=60) as answer:
        found = json.load(answer)
    assert "small" in [experiment["name"] for experiment in found["experiments"]]
    with urllib.request.urlopen(f"{site.address}/studies", timeout=60) as page:
        assert "small" in page.read().decode()


def test_what_mlflow_s_pages_begin_with_is_fetched_early_and_kept(site: Site) -> None:
    with urllib.request.urlopen(f"{site.address}/studies", timeout=60) as page:
        files = re.findall(r'<link rel="prefetch" href="([^"]+)">', page.read().decode())
    assert [name.rpartition(".")[2] for name in files] == ["js", "css"]
    with urllib.request.urlopen(site.address, timeout=60) as page:
        first = page.read().decode()
    for file in files:
        assert file.lstrip("/") in first
        with urllib.request.urlopen(f"{site.address}{file}", timeout=60) as answer:
            assert "max-age=2419200" in answer.headers["Cache-Control"]
            assert len(answer.read()) > 100_000
    beside = "../../handlers.py"
    assert (Path(mlflow.server.__file__).parent / "js/build" / beside).is_file()
    for name in ("none.js", beside, beside.replace(".", "%2e", 2), beside.replace("/", "%2f")):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{site.address}/static-files/{name}", timeout=60)
    foreign = urllib.request.Request(f"{site.address}{files[0]}", headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(foreign, timeout=60)


def test_a_port_that_is_taken_is_said(site: Site) -> None:
    port = site.address.rpartition(":")[2]
    taken = call_here("ui", "--home", str(site.home), "--port", port)
    assert taken.returncode == 1
    assert "choose another port with --port" in taken.stderr


def test_from_the_page_it_is_one_click_to_the_best_trial_s_curve_and_none_to_the_test_score(
    browser: Any, see: See, address: str, site: Site
) -> None:
    browser.get(f"{address}/studies")
    row = see(row_of("small")).text
    assert re.search(
        r"0\.\d{4}\n0\.\d{4} … 0\.\d{4}\nvalidation_accuracy over 3 fresh splits", row
    )
    assert re.search(r"0\.\d{4}\n0\.\d{4} … [01]\.\d{4}\ntest_accuracy over 2 refits", row)
    kept = browser.execute_script("return {...localStorage}")
    assert kept["mlflow.workflowType_v1"] == '"machine_learning"'
    assert kept["mlflow.assistant.fab.autoOpenedOnFirstLoad_v1"] == "true"
    see(f"""{row_of("small")}//a[text()="Best trial's curve"]""").click()
    result = json.loads((site.home / "studies/small/1/artifacts/result.json").read_text())
    see(f"//a[starts-with(text(), 'trial-{result['result']['best_number']:03}')]")
    see("//*[contains(@class, 'scatterlayer')]//*[contains(@class, 'js-line')]")


def test_the_study_s_name_leads_to_its_trials(browser: Any, see: See, address: str) -> None:
    browser.get(f"{address}/studies")
    see(f"{row_of('small')}//a[text()='small']").click()
    see("//*[text()='21']")  # matching runs
    assert "workflowType=machine_learning" in browser.current_url


def test_a_printed_address_opens_the_trials_in_a_browser_that_was_never_here(
    browser: Any, see: See, address: str
) -> None:
    browser.get(f"{address}/studies/static/studies.css")
    browser.execute_script("localStorage.clear()")
    browser.get(f"{address}/s/small")
    see("//*[text()='21']")
    kept = browser.execute_script("return {...localStorage}")
    assert kept["mlflow.workflowType_v1"] == '"machine_learning"'
    assert kept["mlflow.assistant.fab.autoOpenedOnFirstLoad_v1"] == "true"
    browser.back()
    assert "/s/small" not in browser.current_url  # which would lead here again


def test_the_report_has_its_figures_and_nothing_else_of_the_server(
    browser: Any, see: See, address: str
) -> None:
    browser.get(f"{address}/studies")
    see(f"{row_of('small')}//a[text()='Report']").click()
    see("//h1[text()='small']")
    figure = browser.find_element(By.TAG_NAME, "figure")
    browser.execute_script("arguments[0].scrollIntoView()", figure)
    see("//*[contains(@class, 'js-plotly-plot')]//*[contains(@class, 'main-svg')]")
    assert browser.execute_script("return self.origin") == "null"
    asked = "fetch(arguments[0]).then(() => arguments[1]('got it'), () => arguments[1]('refused'))"
    assert browser.execute_async_script(asked, f"{address}/version") == "refused"


def test_html_in_a_name_is_text(browser: Any, see: See, address: str) -> None:
    browser.get(f"{address}/studies")
    see("//*[contains(@class, 'unreadable')]")
    assert EVIL in browser.find_element(By.TAG_NAME, "table").text
    assert browser.find_elements(By.TAG_NAME, "img") == []
    assert browser.title == "Studies · hpsearch"


def test_the_keys_lead_past_the_head_to_filter_and_studies(
    browser: Any, see: See, address: str
) -> None:
    browser.get(f"{address}/studies")
    see("//input[@id='filter']")

    def press(keys: str) -> Any:
        browser.switch_to.active_element.send_keys(keys)
        return browser.switch_to.active_element

    assert press(Keys.TAB).text == "Skip to the studies"
    assert press(Keys.ENTER).get_attribute("id") == "studies"
    assert press(Keys.TAB).get_attribute("id") == "filter"
    press("small fin")
    see("//*[text()='1 of 3 shown']")
    assert press(Keys.TAB).text == "small"
    names = [press(Keys.TAB).accessible_name for _ in range(2)]
    assert names[0] in ("Trials of small", "1 warning of small", "2 warnings of small")


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [("wide", 1500, "light"), ("narrow", 1000, "dark"), ("phone", 400, "light")],
)
def test_the_page_fits_its_window_and_takes_the_reader_s_colours(
    browser: Any, see: See, address: str, tmp_path: Path, name: str, width: int, scheme: str
) -> None:
    size = {"width": width, "height": 1400, "deviceScaleFactor": 1, "mobile": width < 500}
    colours = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    try:
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", colours)
        browser.get(f"{address}/studies")
        see("//*[contains(@class, 'unreadable')]")
        browser.save_screenshot(str(tmp_path / f"{name}.png"))  # to be looked at by a person
        wide = "return document.documentElement.scrollWidth - innerWidth"
        assert browser.execute_script(wide) <= 0
        page = browser.find_element(By.TAG_NAME, "body").value_of_css_property("background-color")
        lightness = sum(map(int, re.findall(r"\d+", page)[:3])) / 3
        assert (lightness > 128) == (scheme == "light")
        for text in ("Best score", "Test score", "Trials"):
            label = f"//td[@data-label='{text}']" if width < 1150 else f"//th[text()='{text}']"
            see(label)
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_a_study_that_runs_is_followed_without_a_reload(
    browser: Any, see: See, address: str, site: Site
) -> None:
    browser.get(f"{address}/studies")
    see(row_of("small"))
    browser.execute_script("window.kept = true")
    command = [
        sys.executable,
        "-m",
        "hpsearch",
        "study",
        str(site.home.parent / "small.toml"),
        "--home",
    ]
    command += [str(site.home), "--workers", "1", "--set", 'name="growing"']
    command += ["--set", "stages.2.epochs=100000"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        see(f"{row_of('growing')}//*[contains(@class, 'running')]")
        see(f"{row_of('growing')}//progress")
        see(f"{row_of('growing')}//*[text()='stage 3 of 3']")
        see(f"{row_of('growing')}//*[contains(text(), 'left')]")
        see("//*[@id='headline'][contains(text(), '1 running')]")
        first = browser.find_element(By.CSS_SELECTOR, "#rows > tr")
        assert first.get_attribute("data-key") == "growing/1"
        details = see(f"{row_of('growing')}//a[text()='Trials']")
        browser.execute_script("arguments[0].focus()", details)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    see(f"{row_of('growing')}//*[contains(@class, 'interrupted')]")
    assert browser.switch_to.active_element.accessible_name == "Trials of growing"
    until = time.monotonic() + PATIENCE_SECONDS
    told = browser.find_element(By.ID, "told")
    while not told.get_attribute("textContent") and time.monotonic() < until:
        time.sleep(0.1)
    assert "growing/1 is interrupted" in told.get_attribute("textContent")
    assert browser.execute_script("return window.kept") is True
