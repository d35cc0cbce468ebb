"""How long the MLflow UI takes to show a study of many trials, in a real browser.

    python benchmarks/bench_pages.py --trials 1000 --home /tmp/pages

Makes the study if the home has none: trials without work, with six parameters and ten epochs. Then
it starts `python -m hpsearch ui` on the home and Debian's Chromium without a display, and measures
the seconds from the request of a page until its main content is visible. The first visit of a
browser also loads MLflow's own program, of which the start page has fetched the largest part where
the browser was there before; later visits find it in the browser's cache. Screenshots are saved in
the home.
"""

from __future__ import annotations

import argparse
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench_scale import STUDY
from selenium import webdriver

from hpsearch import run_study, study_trials

sys.path.insert(0, str(Path(__file__).parents[1]))  # tests/ is not installed

NAME = "scale"
FUNCTION = """\
def train(params, data, seed):
    for epoch in range(1, 11):
        yield {'validation_accuracy': params['x'] * (1 - 1 / (epoch + 1))}
"""
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
PATIENCE = 120  # seconds
READING = 1.0  # seconds from the start page to a click


@contextmanager
def served(home: Path) -> Iterator[str]:
    """Serve the UI; yields the address of the study's sorted run table."""
    command = [sys.executable, "-m", "hpsearch", "ui", "--home", str(home)]
    with socket.socket() as probe:  # a port that nobody listens on
        probe.bind(("127.0.0.1", 0))
        command += ["--port", str(probe.getsockname()[1])]
    with (home / "ui.log").open("w+") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            page = until(lambda: page_of(home / "ui.log"), process)
            until(lambda: answers(f"{site_of(page)}/health"), process)
            yield page
        finally:
            process.terminate()
            process.wait()


def page_of(log: Path) -> str:
    """The address that `ui` printed for the study, "" before that."""
    lines = log.read_text().splitlines()
    return next(
        (line.removeprefix(f"{NAME}: ") for line in lines if line.startswith(f"{NAME}: ")), ""
    )


def site_of(page: str) -> str:
    """http://host:port of the short address of a study's trials."""
    return page.rpartition("/s/")[0]


def answers(address: str) -> bool:
    """Whether a server answers."""
    try:
        urllib.request.urlopen(address, timeout=5).close()
    except OSError:
        return False
    return True


def until(look: Callable[[], Any], process: subprocess.Popen[bytes] | None = None) -> Any:
    """The first value of `look` that is not empty; gives up if the process has ended."""
    started = time.monotonic()
    while not (found := look()):
        ended = process is not None and process.poll() is not None
        if ended or time.monotonic() - started > PATIENCE:
            raise TimeoutError(f"nothing was to be seen within {PATIENCE} s, or ever")
        time.sleep(0.02)
    return found


def visit(browser: Any, page: str, text: str) -> float:
    """Seconds until a page shows a text."""
    browser.get("about:blank")
    started = time.perf_counter()
    browser.get(page)
    shown = re.compile(rf"\b{text}\b")  # not trial-51 in trial-512
    until(lambda: shown.search(browser.execute_script("return document.body.innerText")))
    return time.perf_counter() - started


def main() -> None:
    """Make the study, open its pages, print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--home", type=Path, required=True, help="folder of stores")
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=7)
    given = parser.parse_args()
    home = given.home.absolute()
    home.mkdir(parents=True, exist_ok=True)
    (home / "noop.py").write_text(FUNCTION)
    text = (STUDY % given.trials).replace("epochs = 1\n", "epochs = 10\n")
    (home / "pages.toml").write_text(text)
    report = run_study(home / "pages.toml", home=home)
    table = study_trials(NAME, home=home)
    number = table.sort_values("score_10").iloc[-1]["trial"]
    best = f"trial-{number:0{max(3, len(str(given.trials - 1)))}}"
    options = webdriver.ChromeOptions()
    for flag in (*FLAGS, "--window-size=1600,1400"):
        options.add_argument(flag)
    options.binary_location = shutil.which("chromium") or ""
    driver = webdriver.ChromeService(shutil.which("chromedriver"))
    with served(home) as page:
        run = f"{site_of(page)}/#/experiments/{report.experiment_id}/runs/{report.parent_run_id}"
        pages = {"run table, best first": (page, best), "the study's note": (run, "won")}
        print(
            f"{given.trials} trials            first visit   after the start page   "
            f"later, median of {given.repeats} (s)"
        )
        for number, (name, (address, text)) in enumerate(pages.items()):
            with webdriver.Chrome(options=options, service=driver) as browser:
                first = visit(browser, address, text)
                seconds = [visit(browser, address, text) for _ in range(given.repeats)]
                browser.save_screenshot(str(home / f"page-{number}.png"))
            with webdriver.Chrome(options=options, service=driver) as browser:
                visit(browser, f"{site_of(page)}/studies", NAME)
                time.sleep(READING)
                second = visit(browser, address, text)
            later = statistics.median(seconds)
            print(f"{name:24} {first:8.1f}   {second:20.1f}   {later:8.1f}", flush=True)


if __name__ == "__main__":
    main()
