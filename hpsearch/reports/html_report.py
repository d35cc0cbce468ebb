"""report.html: the story of a study in one file, for people without the server."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import pandas as pd

from hpsearch.reports.charts import Chart
from hpsearch.reports.plotly_charts import to_plotly
from hpsearch.reports.study_view import StudyView
from hpsearch.study.code_checks import code_warnings, repeat_texts

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 1180px; margin: 2em auto;
       padding: 0 1.2em; }
h1 { font-size: 1.6em; margin-bottom: 0; } h2 { font-size: 1.15em; margin: 2em 0 .3em; }
p.what { color: #555; margin: 0 0 .6em; } .wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; }
th, td { padding: .25em .7em; text-align: right; border-bottom: 1px solid #e4e4e4;
         white-space: nowrap; }
th { background: #f6f6f6; } td:first-child, th:first-child, td.text, th.text { text-align: left; }
td.text { white-space: normal; min-width: 14em; max-width: 40em; }
img { max-width: 100%; } p.verdict { margin: 1em 0 .2em; }
dl { display: grid; grid-template-columns: max-content auto; gap: .2em 1em; }
dt { color: #555; } dd { margin: 0; }
.warning { background: #fff4e0; padding: .5em .8em; border-left: 3px solid #f0a020; }
"""


LONG = 30  # characters; longer texts are wrapped, and stand on the left

Section = tuple[str, str, pd.DataFrame | str]  # heading, a sentence on it, a table or HTML


def html_report(view: StudyView, charts: Sequence[Chart], sections: Sequence[Section]) -> str:
    """The whole page; nothing in it is fetched from anywhere."""
    from plotly.offline import get_plotlyjs

    result = view.result
    parts = [f"<h1>{escape(result.study)}</h1>", _summary(view)]
    if result.optimistic:
        parts.append(f'<p class="warning">Optimistic: {escape(result.optimistic)}.</p>')
    if result.saw_test:
        text = escape(f"Optimistic test scores: {result.saw_test}.")
        parts.append(f'<p class="warning">{text}</p>')
    if result.unmet:
        missed = escape("; ".join(result.unmet))
        parts.append(f'<p class="warning">The winner misses {missed}.</p>')
    if result.ended:
        parts.append(f'<p class="warning">The search was ended by {escape(result.ended)}.</p>')
    warned = [one["text"] for one in result.fidelity if one["predicts"] is False]
    parts += [f'<p class="warning">{escape(text)}.</p>' for text in (*warned, *result.alarms)]
    overtuned = [one.text for one in view.incumbents if one.warns]
    told = (*overtuned, *code_warnings(view.folder))
    parts += [f'<p class="warning">{escape(text)}.</p>' for text in told]
    parts += [
        _section(heading, what, content if isinstance(content, str) else _table(content))
        for heading, what, content in sections
    ]
    for chart in charts:
        figure = to_plotly(chart).to_html(
            full_html=False, include_plotlyjs=False, config={"displaylogo": False}
        )
        parts.append(_section(chart.title, chart.what, figure))
    body = "\n".join(parts)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(result.study)}</title><style>{STYLE}</style>"
        f"<script>{get_plotlyjs()}</script></head>\n<body>\n{body}\n</body></html>\n"
    )


def _section(heading: str, what: str, content: str) -> str:
    return (
        f'<h2>{escape(heading)}</h2>\n<p class="what">{escape(what)}</p>\n'
        f'<div class="wide">{content}</div>'
    )


def _table(table: pd.DataFrame) -> str:
    texts = {name: [_cell(value) for value in table[name]] for name in table.columns}
    long = {name for name, cells in texts.items() if max(map(len, cells), default=0) > LONG}
    marks = {name: ' class="text"' if name in long else "" for name in texts}
    head = "".join(f"<th{marks[name]}>{escape(str(name))}</th>" for name in texts)
    rows = (
        "".join(f"<td{marks[name]}>{escape(texts[name][row])}</td>" for name in texts)
        for row in range(len(table))
    )
    body = "".join(f"<tr>{row}</tr>\n" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table>"


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.5g}"  # NaN is what pandas fills gaps with
    return "" if value is None else str(value)


def claims_html(claims: Sequence[Mapping[str, str]], artifacts: Path) -> str:
    """Each claim with its verdict, what it rests on, and its figure among the artifacts."""
    parts = []
    for claim in claims:
        parts.append(
            f'<p class="verdict"><b>{escape(claim["text"])}: {escape(claim["verdict"])}.</b></p>'
            f"<p>{escape(claim['detail'])}</p>"
        )
        if claim.get("figure"):
            drawn = base64.b64encode((artifacts / claim["figure"]).read_bytes()).decode()
            parts.append(f'<img alt="" src="data:image/png;base64,{drawn}">')
    return "\n".join(parts)


def lines_html(lines: Sequence[str]) -> str:
    """A list of sentences."""
    return f"<ul>{''.join(f'<li>{escape(line)}.</li>' for line in lines)}</ul>"


def _summary(view: StudyView) -> str:
    result = view.result
    params = ", ".join(f"{name} = {value}" for name, value in result.searched.items())
    counts = ", ".join(f"{n} {outcome}" for outcome, n in result.counts.items())
    rows = [
        ("trials", "; ".join(filter(None, [counts, result.tried_text]))),
        ("winner", f"trial {result.best_number}: {params}"),
        (f"{result.objective}, confirmed", str(result.validation)),
    ]
    rows += [
        (f"{name} on the test set", str(estimate))
        for name, estimate in result.test.items()
        if "/" not in name
    ]
    if result.untested:
        rows.append(("not tested", result.untested))
    rows += [*result.outer_lines, *result.comparisons]
    if result.intervals:
        rows.append(("95 % intervals", result.intervals))
    rows += [("program", text) for text in repeat_texts(view.folder)]
    rows.append(("test set", f"used for {result.test_uses} configuration(s), after the search"))
    items = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in rows)
    return f"<dl>{items}</dl>"
