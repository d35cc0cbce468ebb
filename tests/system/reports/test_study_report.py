"""The report: every figure that a study has something for, in one page that needs no server."""

from __future__ import annotations

import base64
import gzip
import re
from pathlib import Path

import pytest

from hpsearch import run_study, write_study_report
from hpsearch.records.layout import Artifact
from hpsearch.records.result import Result
from hpsearch.records.run_folder import RunFolder
from hpsearch.reports.chapters import made_charts
from hpsearch.reports.study_report import write_report
from hpsearch.reports.study_view import StudyView
from tests.harness.commands import call_here
from tests.harness.stores import new_home
from tests.harness.study_files import SMALL

ONE = """\
# <b>One</b> trial of nothing but defaults.
name = "one"
objective = { metric = "validation_loss", direction = "minimize" }
data = { name = "digits", shots = 4 }
network = { name = "two-layer" }
space = { trainer = "sgd", learning_rate_policy = "cosine" }
stages = [{ trials = 1, epochs = 2 }]
confirmation = { top = 1, seeds = 2, test_seeds = 1 }
"""


def view_of(home: Path, study: str) -> StudyView:
    folder = RunFolder(home / "studies" / study / "1")
    return StudyView.of(
        folder,
        Result.from_dict(folder.read_json(folder.files.artifact(Artifact.RESULT))["result"]),
    )


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    (folder / "small.toml").write_text(SMALL)
    # By this rule, more than one of the trials that were the best so far are confirmed.
    overrides = ["sampler.rule=2"]
    home = new_home(folder / "home")
    run_study(folder / "small.toml", home=home, workers=0, overrides=overrides)
    return home


def test_all_figures_are_in_the_page_and_lie_beside_it_as_png(small: Path) -> None:
    page = write_study_report("small", home=small)
    text = page.read_text()
    figures = {path.stem for path in (page.parent / "figures").iterdir()}
    assert figures == {
        "optimization_history",
        "expected_best",
        "incumbents",
        "learning_curves",
        "parameter_importance",
        "parallel_coordinates",
        "slices",
        "narrowing",
        "divergence_map",
        "workers",
        "confirmed",
    } | ({"contour"} & figures)  # where enough trials have both parameters
    assert text.count('<div class="live"') == text.count("<figure id=") == len(figures)
    (packed,) = re.findall(r'id="plotly">([^<]+)<', text)  # once, for all figures
    assert b"plotly.js v" in gzip.decompress(base64.b64decode(packed))
    assert page.stat().st_size < 3e6
    head = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert not re.search(r"""(src|href)=["']?(https?:|//|/)""", head)


@pytest.mark.figures
def test_figures_for_a_paper_lie_beside_the_page(small: Path) -> None:
    where = ["report", "small", "--home", str(small)]
    done = call_here(*where, "--figures", "svg", "--width", "86mm")
    assert done.returncode == 0, done.stderr
    figures = Path(done.stdout.strip()).parent / "figures"
    drawn = {path.stem for path in figures.glob("*.svg")}
    assert drawn == {path.stem for path in figures.glob("*.png")}
    text = (figures / "optimization_history.svg").read_text()
    width = re.search(r'<svg [^>]*width="([\d.]+)pt"', text)
    assert width is not None
    assert float(width[1]) == pytest.approx(86 / 25.4 * 72, abs=0.01)
    assert ">validation_accuracy</text>" in text


@pytest.mark.parametrize(
    ("width", "why"),
    [
        ("3.4", "must be a number followed by one of in, cm, mm, pt, got '3.4'"),
        ("200in", "the width of figures must be from 1 to 40 inches, got 200"),
    ],
)
def test_what_is_no_width_is_refused(width: str, why: str, small: Path) -> None:
    done = call_here("report", "small", "--home", str(small), "--width", width)
    assert done.returncode in (1, 2)
    assert why in " ".join(done.stderr.split())


def test_failures_never_rank_first(small: Path) -> None:
    view = view_of(small, "small")
    assert any(r.outcome == "diverged" for r in view.records)
    stages = view.stage_table()
    assert stages["best trial"].tolist()[-1] == view.result.top[0]["number"]
    ranked = {r.number: r.outcome for r in view.records}
    assert all(ranked[n] != "diverged" for n in stages["best trial"])
    assert stages["newly drawn"].sum() == len(view.records)
    assert stages["best"].iloc[-1] == view.result.top[0]["score"]


def test_importance_names_what_made_the_difference(small: Path) -> None:
    found = view_of(small, "small").importance
    assert set(found) <= {"trainer", "learning_rate", "momentum"}
    assert sum(found.values()) == pytest.approx(1)
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_a_study_of_one_trial_has_a_report_too(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text(ONE)
    report = run_study(tmp_path / "one.toml", home=new_home(tmp_path / "home"), workers=0)
    view = view_of(tmp_path / "home", "one")
    made = [chart.name for charts in made_charts(view).values() for chart in charts]
    assert made == ["optimization_history", "learning_curves", "confirmed", "workers"]
    assert (Path(report.result.folder) / "report.html").exists()
    (record,) = view.records
    assert len(record.mean_learning_rates()) == 2
    assert record.peak_bytes > 0
    assert record.environment["version.numpy"]
    assert write_report(view.folder, view.result).name == "report.html"


def test_texts_of_a_study_are_no_markup(small: Path) -> None:
    view = view_of(small, "small")
    evil = Result.from_dict(view.result.as_dict() | {"optimistic": "<script>alert(1)</script>"})
    text = write_report(view.folder, evil).read_text()
    assert "<script>alert(1)" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_a_comparison_shows_its_arms_stages_and_claims(tmp_path: Path) -> None:
    path = tmp_path / "two.toml"
    path.write_text(
        ONE.replace('"one"', '"two"')
        .replace('trainer = "sgd"', 'trainer = { choices = ["sgd", "adam"] }')
        .replace(
            "[{ trials = 1, epochs = 2 }]",
            "[{ trials = 2, epochs = 1 }, { trials = 2, epochs = 2 }]",
        )
        + 'compare = ["trainer"]\nsampler = { repeats = true }\n'
        + '[[claims]]\ntext = "Adam < SGD"\ncheck = "drawn:check"\n'
    )
    (tmp_path / "drawn.py").write_text(
        "from matplotlib.figure import Figure\n"
        "from hpsearch.claims import Verdict\n"
        "def check(evidence):\n"
        "    return Verdict('holds', f'{len(evidence.runs)} runs', Figure())\n"
    )
    run_study(path, home=new_home(tmp_path / "home"), workers=0)
    view = view_of(tmp_path / "home", "two")
    stages = view.stage_table()
    assert stages["newly drawn"].sum() == len(view.records) == 6
    assert stages["promoted"].tolist() == [2, 0]  # one of each arm
    text = (Path(view.result.folder) / "report.html").read_text()
    assert "Adam &lt; SGD: holds." in text
    assert text.count('<img alt="Adam &lt; SGD" src="data:image/png;base64,') == 1
    for arm in view.result.arms:
        assert arm.validation is not None
        assert f"{arm.validation.mean:.4f} (" in text
