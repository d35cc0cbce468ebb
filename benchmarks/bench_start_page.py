"""How long the start page takes to appear and to be complete with many studies, in a browser.

    python benchmarks/bench_start_page.py --studies 500 --home /tmp/start_page

Makes a home with copies of one study: of every ten, nine are finished and one was interrupted,
whose trials are read one by one. Then it starts `python -m hpsearch ui` on the home and Debian's
Chromium without a display, and measures the milliseconds until the first paint, as the browser
reports it; until the filter accepts a letter; and until no study is "being read" any more. At the
first visit, the server has read nothing. A screenshot is saved in the home.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from bench_pages import FLAGS, FUNCTION, until
from bench_scale import STUDY
from selenium import webdriver

from hpsearch import run_study

sys.path.insert(0, str(Path(__file__).parents[1]))  # tests/ is not installed

from tests.harness.browser import started_ui

PAINT = (
    "const found = performance.getEntriesByName('first-contentful-paint');"
    "return found.length ? found[0].startTime : 0"
)
KEPT = ("*.json", "*.jsonl", "stages", "artifacts/*.json", "artifacts/study.toml")


def copies(home: Path, original: Path, studies: int) -> None:
    """Make the studies that the home lacks. A record's digest depends on its folder's name, not on
    its study's, so that a copy is valid."""
    for number in range(studies):
        run = home / "studies" / f"study-{number:04}" / "1"
        if run.exists():
            continue
        for pattern in (*KEPT, *(["trials"] if number % 10 == 0 else [])):
            for path in original.glob(pattern):
                place = run / path.relative_to(original)
                place.parent.mkdir(parents=True, exist_ok=True)
                if path.is_dir():
                    shutil.copytree(path, place)
                else:
                    shutil.copy2(path, place)
        if number % 10 == 0:
            (run / "artifacts/result.json").unlink()


def visit(browser: Any, address: str) -> tuple[float, float, float]:
    """Milliseconds until the first paint, the first key, and the last row."""
    browser.get("about:blank")
    started = time.perf_counter()
    browser.get(f"{address}/studies")
    paint = until(lambda: browser.execute_script(PAINT))
    browser.find_element("id", "filter").send_keys("x")
    until(lambda: browser.find_element("id", "filtered").text.startswith("0 of"))
    typed = 1000 * (time.perf_counter() - started)
    until(lambda: "being read" not in browser.find_element("id", "headline").text)
    return paint, typed, 1000 * (time.perf_counter() - started)


def main() -> None:
    """Make the studies, open the page, print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--home", type=Path, required=True, help="folder of stores")
    parser.add_argument("--studies", type=int, default=500)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    home = given.home.absolute()
    home.mkdir(parents=True, exist_ok=True)
    (home / "noop.py").write_text(FUNCTION)
    text = (STUDY % given.trials).replace("epochs = 1\n", "epochs = 10\n")
    (home / "pages.toml").write_text(text)
    run_study(home / "pages.toml", home=home)
    copies(home, home / "studies/scale/1", given.studies)
    options = webdriver.ChromeOptions()
    for flag in (*FLAGS, "--window-size=1600,1400"):
        options.add_argument(flag)
    options.binary_location = shutil.which("chromium") or ""
    driver = webdriver.ChromeService(shutil.which("chromedriver"))
    with started_ui(home) as (address, _), webdriver.Chrome(options, driver) as browser:
        print(f"{given.studies} studies of {given.trials} trials; ms until")
        print("         first paint  a letter is taken  all are read")
        for number in range(given.repeats):
            paint, typed, read = visit(browser, address)
            print(f"visit {number + 1}  {paint:11.0f}  {typed:17.0f}  {read:12.0f}", flush=True)
        browser.save_screenshot(str(home / "start-page.png"))


if __name__ == "__main__":
    main()
