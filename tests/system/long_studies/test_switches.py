"""Booleans have one spelling wherever a person reads a hyperparameter."""

from __future__ import annotations

import re
from pathlib import Path

from hpsearch import plan_study, run_study
from tests.harness.commands import call_here
from tests.harness.programs import study_of_shell
from tests.harness.stores import new_home

SCRIPT = 'echo "{\\"epoch\\": $2, \\"loss\\": $1}"'
OTHER_SPELLING = re.compile(r"\b(True|False)\b|>(yes|no)<")


def test_a_switch_is_true_or_false(tmp_path: Path) -> None:
    path = study_of_shell(tmp_path, SCRIPT, "probe = false", "dry_start = 0")
    text = path.read_text().replace('"{folder}"]', '"{folder}", ["--fast", "{fast?}"]]')
    fast = "fast = { choices = [true, false], default = false }"
    path.write_text(text.replace("lr = {", f"{fast}\nlr = {{"))
    assert plan_study(path, trials=0).searched["fast"] == "one of true, false"
    home = new_home(tmp_path / "home")
    more = ["stages.0.trials=24", "stages.1.trials=12"]
    report = run_study(path, overrides=more, home=home, workers=0)
    switch = "true" if report.result.best_params["fast"] else "false"
    shown = call_here("show", "small", "--home", str(home)).stdout
    assert f"fast = {switch}" in shown
    assert "true, false" in shown  # the declared range
    assert not OTHER_SPELLING.search(shown)
    done = call_here("report", "small", "--home", str(home))
    assert done.returncode == 0, done.stderr
    page = (Path(report.result.folder) / "report.html").read_text()
    assert f">{switch}<" in page
    assert not OTHER_SPELLING.search(re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL))
