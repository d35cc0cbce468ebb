"""What runs, experiments and models say of themselves in MLflow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlflow
import pytest

from hpsearch.records.layout import Home
from hpsearch.records.outcome import Outcome
from hpsearch.records.run_folder import RunFolder
from hpsearch.tracking.markdown import code, plain
from hpsearch.tracking.notes import record_note
from tests.harness.projection import PARENT, add, make, projector, runs

NOTE = "mlflow.note.content"
LOOK: dict[str, Any] = {
    "direction": "maximize",
    "top": [],
    "metric": "validation_accuracy",
    "lengths": [1, 3],
    "parameters": ["lr"],
}


def write_parent(folder: RunFolder, look: Mapping[str, Any] = LOOK, **more: Any) -> None:
    folder.write_json(folder.files.parent, PARENT | {"look": {**LOOK, **look}} | more)


def client_of(home: Path) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(Home(home).tracking_uri)


def test_a_note_says_how_a_trial_ended_and_why() -> None:
    complete, pruned = make(0, Outcome.COMPLETE), make(1, Outcome.PRUNED)
    complete.scores = {1: 0.4, 3: 0.5}
    assert record_note(complete, LOOK) == (
        "Trained to the end (3 epochs): validation_accuracy 0.5. "
        "Drawn in stage 1 of 2, promoted to stage 2."
    )
    pruned.scores = {1: 0.4}
    assert record_note(pruned, LOOK) == (
        "Pruned after stage 1 (1 epoch, validation_accuracy 0.4): it was not promoted. "
        "Drawn in stage 1 of 2."
    )
    pruned.reason = "pruned after 1 epoch by the median pruner"
    assert record_note(pruned, LOOK).startswith("Pruned after 1 epoch by the median pruner. ")
    complete.controls = [1]
    assert record_note(complete, LOOK).endswith(
        "Drawn in stage 1 of 2, continued to stage 2 as a control, without being promoted."
    )
    failed = make(2, Outcome.FAILED)
    failed.scores, failed.reason = {}, "Traceback\nValueError: <b>no</b> [way](x)"
    assert record_note(failed, LOOK | {"lengths": [3]}) == (
        r"Failed: ValueError: &lt;b&gt;no&lt;/b&gt; \[way\](x)."
    )


def test_repeats_say_what_they_are_for() -> None:
    record = make(4, Outcome.COMPLETE)
    record.kind, record.seed_number = "confirmation", 2
    assert record_note(record, LOOK) == "Confirmation of trial 4, repeat 2."
    record.kind, record.outcome, record.reason = "default", Outcome.DIVERGED, "loss not finite"
    assert record_note(record, LOOK).endswith("Diverged: loss not finite.")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("a_b *c* `d` [e](f) | g", r"a_b \*c\* \`d\` \[e\](f) \| g"),
        ("# one\n- two", r"\# one - two"),
        ("_em_ & __x", r"\_em\_ &amp; \_\_x"),
    ],
)
def test_text_of_others_means_nothing_in_markdown(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_names_are_code_unless_they_would_end_it() -> None:
    assert code("learning_rate") == "`learning_rate`"
    assert code("<b>") == "`<b>`"  # in code it is text
    assert code("a`<b>") == r"a\`&lt;b&gt;"


def test_a_trial_has_its_note_and_the_winner_one_more(run_folder: RunFolder, home: Path) -> None:
    add(run_folder, *(make(number, Outcome.COMPLETE) for number in range(3)))
    finals = {"abc:trial:0": "**Confirmed**, but trial 1 won.", "abc:trial:1": "**The winner**."}
    write_parent(run_folder, {"winner": "abc:trial:1", "finals": finals})
    projector(run_folder, home).catch_up()
    found = runs(home)
    assert found.keys() == {"demo", "trial-000", "trial-001-winner", "trial-002"}
    winner = found["trial-001-winner"]
    assert winner.data.tags[NOTE].startswith("**The winner**.\n\nTrained to the end")
    assert winner.data.tags["hpsearch.winner"] == "yes"
    assert found["trial-000"].data.tags[NOTE].startswith("**Confirmed**")
    assert found["trial-002"].data.tags[NOTE].startswith("Trained to the end (3 epochs)")
    projector(run_folder, home).catch_up()
    assert {name: run.to_dictionary() for name, run in runs(home).items()} == {
        name: run.to_dictionary() for name, run in found.items()
    }
    # A wider budget found a better one.
    write_parent(run_folder, {"winner": "abc:trial:2", "finals": {"abc:trial:2": "**Now.**"}})
    projector(run_folder, home).catch_up()
    after = runs(home)
    assert after.keys() == {"demo", "trial-000", "trial-001", "trial-002-winner"}
    assert "hpsearch.winner" not in after["trial-001"].data.tags
    assert after["trial-001"].data.tags[NOTE].startswith("Trained to the end")


def test_the_parent_s_note_has_its_links_behind_its_first_sentence(
    run_folder: RunFolder, home: Path
) -> None:
    look = {"defaults": True, "outer": True, "top": ["abc:trial:0", "abc:trial:1"]}
    tags = PARENT["tags"] | {NOTE: "**Trial 1 won.**\n\nA study."}  # type: ignore[operator]
    add(run_folder, make(0, Outcome.COMPLETE), make(1, Outcome.COMPLETE))
    write_parent(run_folder, look, tags=tags)
    projector(run_folder, home).catch_up()
    first, links, rest = runs(home)["demo"].data.tags[NOTE].split("\n\n")
    assert (first, rest) == ("**Trial 1 won.**", "A study.")
    said = [link.partition("]")[0][1:] for link in links.split(" · ")]
    assert said == [
        *("Trials, best first", "Curves", "Fresh splits and test", "Failed and diverged"),
        *("The best 2 compared", "Runs of the defaults", "Outer folds"),
    ]
    assert all("workflowType=machine_learning" in link for link in links.split(" · "))


def test_an_experiment_is_described_by_its_newest_run_unless_a_person_did(
    run_folder: RunFolder, home: Path
) -> None:
    def description() -> str:
        experiment = client_of(home).get_experiment_by_name("demo")
        assert experiment is not None
        return str(experiment.tags.get(NOTE, ""))

    write_parent(run_folder, about="A study of lr.")
    projector(run_folder, home).catch_up()
    assert description().startswith("A study of lr.\n\n**Newest run:** [demo](#/experiments/")
    write_parent(run_folder, about="Trial 1 won.")
    projector(run_folder, home).catch_up()
    assert description().startswith("Trial 1 won.")
    write_parent(run_folder, about="Older.", started=1)  # another run of the study, sent later
    projector(run_folder, home).catch_up()
    assert description().startswith("Trial 1 won.")
    experiment = runs(home)["demo"].info.experiment_id
    client_of(home).set_experiment_tag(experiment, NOTE, "Mine.")
    write_parent(run_folder, about="Trial 2 won.")
    projector(run_folder, home).catch_up()
    assert description() == "Mine."
