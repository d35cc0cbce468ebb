"""The page of a report: what it holds, that nothing in it is markup, and how small it is."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pandas as pd
import pytest

from hpsearch.reports.answer import Answer, Score
from hpsearch.reports.charts import WINNER, Axis, Chart, Panel, Series, color_of
from hpsearch.reports.marks import harmless
from hpsearch.reports.page.document import document, table_of
from hpsearch.reports.page.plotly import to_plotly
from hpsearch.reports.png_charts import svg_of
from hpsearch.reports.sections import Chapter, Section

EVIL = "</script><script>alert('\"1%#&')</script>"
BARS = Series("", ["first", EVIL], [1.0, 2.0], "bars", low=[0.5, 1.5], top=[2.0, 2.5])
CHART = Chart("named", EVIL, EVIL, [Panel([BARS], EVIL, "share")])
ANSWER = Answer(
    EVIL,
    f"{EVIL} is the winner.",
    [Score(EVIL, "0.9", "0.8 … 1.0")],
    [EVIL],
    pd.DataFrame([{"parameter": EVIL, "winner": EVIL}]),
    [(EVIL, EVIL)],
    [(EVIL, EVIL)],
)
TABLE = pd.DataFrame({EVIL: [EVIL, ""], "score": [0.123456, float("nan")], "n": [1, 20]})


class Seen(HTMLParser):
    """The elements of a page, and what is read of it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.read: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.read.append(data)


def page_of(*, light: bool) -> str:
    sections = [Section(EVIL, EVIL, CHART), Section(EVIL, EVIL, TABLE, folded=True)]
    return document(ANSWER, [Chapter("Why?", sections)], {"named": svg_of(CHART)}, light=light)


@pytest.mark.parametrize("light", [True, False])
def test_texts_of_a_study_are_shown_and_run_nothing(light: bool) -> None:
    seen = Seen(page_of(light=light))
    scripts = [attrs for tag, attrs in seen.elements if tag == "script"]
    assert len(scripts) == (1 if light else 3)
    # Title, name, sentence, score, warning, parameter, winner, four of terms and their texts,
    # two headings and sentences, a column and a cell.
    assert sum(EVIL in text for text in seen.read) >= 16
    (image,) = (attrs for tag, attrs in seen.elements if tag == "img")
    assert EVIL in (image["alt"] or "")
    drawn = image["src"] or ""
    assert drawn.startswith("data:image/svg+xml,<svg ")
    assert "<script" not in drawn
    assert "#" not in drawn  # it would end the address


def test_a_light_page_has_what_can_be_read_alone() -> None:
    light, whole = page_of(light=True), page_of(light=False)
    assert len(light) < 40_000
    assert 1e6 < len(whole) < 3e6
    assert "Plotly.newPlot" in whole
    assert 'class="live"' not in light


def test_a_figure_is_plain_data_that_a_script_can_hold() -> None:
    (text,) = re.findall(r'<script type="application/json">(.*?)</script>', page_of(light=False))
    figure = json.loads(text)
    assert figure["data"][0]["y"] == ["first", harmless(EVIL)]
    assert figure["layout"]["yaxis"]["categoryarray"] == [harmless(EVIL), "first"]  # from below


def test_numbers_have_the_digits_that_are_read_and_sort_as_numbers() -> None:
    table = table_of(TABLE)
    assert table.numbers == [False, True, True]
    assert [cell.text for cell in table.rows[0]] == [EVIL, "0.1235", "1"]
    assert float(table.rows[0][1].order) == 0.123456
    assert table.rows[1][1].text == ""


def test_the_winner_alone_has_its_colour() -> None:
    others = {color_of(number) for number in range(20) if number != WINNER} | {color_of(None)}
    assert color_of(WINNER) not in others


def test_bars_of_a_timeline_lie_where_their_worker_is() -> None:
    kinds = [Series(name, [0.0], [1.0], "spans", top=[2.0]) for name in ("trials", "tests")]
    figure = to_plotly(Chart("workers", "", "", [Panel(kinds, "seconds", "worker")]))
    assert figure["layout"]["barmode"] == "overlay"
    assert [trace["base"] for trace in figure["data"]] == [[0.0], [0.0]]


@pytest.mark.parametrize(("name", "least"), [("a", 600), ("alternating-gradient, 10", 900)])
def test_names_of_a_second_panel_have_room_beside_the_first(name: str, least: int) -> None:
    cases = [Series("", [name, "b"], [0.1, 0.2], "intervals", low=[0, 0], top=[1, 1])]
    panels = [Panel(cases, "score", "") for _ in range(2)]
    assert least < to_plotly(Chart("cases", "", "", panels))["least"] < least + 150


def test_trials_without_a_parameter_cross_its_axis_below_it() -> None:
    axes = [Axis("rate", [1.0, float("nan")]), Axis("score", [0.1, 0.2])]
    (lines,) = to_plotly(Chart("lines", "", "", axes=axes))["data"]
    rate, _ = lines["dimensions"]
    assert rate["values"][1] < min(1.0, rate["range"][1])


def test_digits_that_are_read_stay_as_they_are() -> None:
    ticks = Series(
        "", [f'x="y"  {0.915 + 0.005 * n:.3f}' for n in range(3)], [1.0, 2.0, 3.0], "bars"
    )
    page = document(
        ANSWER,
        [Chapter("Why?", [Section("", "", Chart("named", "", "", [Panel([ticks], "", "")]))])],
        {"named": svg_of(Chart("named", "", "", [Panel([ticks], "", "")]))},
        light=True,
    )
    assert all(f">x=%22y%22  {text}<" in page for text in ("0.915", "0.920", "0.925"))


def test_whole_numbers_are_shown_in_full_and_infinities_sort() -> None:
    table = table_of(
        pd.DataFrame({"trial": [12345.0, float("nan")], "loss": [float("inf"), 1e-5]})
    )
    assert [cell.text for cell in table.rows[0]] == ["12345", "inf"]
    assert table.rows[0][1].order == "Infinity"
    assert table.rows[1][1].text == "1e-05"


@pytest.mark.parametrize("name", ["a$ \\foo $b", "$x_$", "y" * 90])
def test_any_name_is_drawn_as_it_is(name: str) -> None:
    bars = Series(name, [name, "b"], [1.0, 2.0], "bars", low=[0.5, 1.5], top=[2.0, 2.5])
    two = [Panel([bars], name, name, title=name)] * 2
    assert b"<svg" in svg_of(Chart("named", name, "", two, shade_label=name))
    lines = [Axis(name, [0.0, 1.0], [0.0, 1.0], [name, "b"]), Axis(name, [0.0, 1.0])]
    assert b"<svg" in svg_of(Chart("named", name, "", axes=lines))


def test_tags_in_names_are_no_markup_for_plotly() -> None:
    link = '<a href="https://example.org">x</a>'
    points = Series(link, [link], [1.0], notes=[link])
    text = json.dumps(to_plotly(Chart("named", "", "", [Panel([points], link, link, title=link)])))
    assert "<a" not in text
    assert text.count("&lt;a") >= 6
