"""A real browser in front of a real MLflow server on a finished study."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hpsearch import run_study
from hpsearch.records.layout import Home
from tests.harness.browser import EVIL, PATIENCE_SECONDS, Site, shown_runs, started_ui
from tests.harness.figures import drawn_figures
from tests.harness.stores import new_home
from tests.harness.study_files import SMALL, TINY


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """`python -m hpsearch ui` on a study of 21 trials, some of them diverged, on a smaller one
    that is called `wide`, and on one whose name is HTML."""
    folder = tmp_path_factory.mktemp("browser")
    home = new_home(folder / "home")
    wide = TINY.replace('name = "small"', 'name = "wide"', 1)
    (folder / "small.toml").write_text(SMALL)
    (folder / "wide.toml").write_text(wide.replace("hidden = 12", "hidden = 30"))
    with drawn_figures():
        run_study(folder / "small.toml", home=home, workers=0)
    run_study(folder / "wide.toml", home=home, workers=0)
    evil = Home(home).study(EVIL).run(1).path
    evil.mkdir(parents=True)
    (evil / "study.json").write_text(f'{{"id": "x", "file": {{"name": "{EVIL}"}}}}')
    opened, opener = folder / "opened", folder / "opener"
    opener.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    opener.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BROWSER", str(opener))
        with started_ui(home, "--open") as (address, lines):
            yield Site(address, lines, shown_runs(home), home, opened)


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    """Debian's Chromium without a display."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("NO BROWSER TESTS: apt-get install chromium chromium-driver")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(flag)
    options.add_argument("--window-size=1600,1400")
    options.binary_location = chromium
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield opened
    opened.quit()


@pytest.fixture
def see(browser: Any) -> Callable[[str], Any]:
    """see(xpath): the first visible element, waited for."""
    from selenium.common.exceptions import StaleElementReferenceException
    from selenium.webdriver.common.by import By

    def see(xpath: str) -> Any:
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            try:
                for found in browser.find_elements(By.XPATH, xpath):
                    if found.is_displayed():
                        return found
            except StaleElementReferenceException:  # the page was drawn again meanwhile
                continue
            time.sleep(0.1)
        raise AssertionError(f"{xpath} must be seen on {browser.current_url}")

    return see
