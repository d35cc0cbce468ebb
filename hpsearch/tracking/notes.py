"""What the notes of runs say in MLflow: of the study's run the links, of a record's its fate."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hpsearch.counts import count_of
from hpsearch.errors import conclusion
from hpsearch.records.layout import Artifact
from hpsearch.records.outcome import Outcome
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from hpsearch.tracking.links import KIND, compare_page, run_page, runs_page
from hpsearch.tracking.markdown import plain
from hpsearch.tracking.run_content import NAME_DIGITS, NOTE, TAG_LENGTH, fitting, run_name
from hpsearch.tracking.views import View, view_key, view_page

if TYPE_CHECKING:
    from mlflow import MlflowClient

WINNER = "hpsearch.winner"  # a tag of the winner's trial
OURS = "mlflow.hpsearch.note"  # whose description it is; MLflow lists no tag of this prefix


def links_line(parent: Mapping[str, Any], experiment: str, ids: Mapping[str, str]) -> str:
    """A line of Markdown with the ways from a study's note to its runs.

    Args:
        parent: what parent.json says. Its "look" has "top": uids of the best trials; and
            "outer", "defaults": whether there are outer folds and runs of the defaults, which
            older ones don't say.
        ids: of runs in MLflow, by uid; the parent's among them.
    """
    look, run_id = parent["look"], ids[parent["uid"]]
    found = [(view.heading, view_page(experiment, parent["run_id"], view)) for view in View]
    top = [ids[uid] for uid in look["top"] if uid in ids]
    if len(top) > 1:
        found.append((f"The best {len(top)} compared", compare_page(experiment, top)))
    kinds = [
        ("Runs of the defaults", "LIKE 'default%'", look.get("defaults")),
        ("Outer folds", "= 'outer-fold'", look.get("outer")),
    ]
    for title, condition, there in kinds:
        if there:
            wanted, order = [f"tags.`{KIND}` {condition}"], f"tags.`{KIND}`"
            page = runs_page(experiment, run_id, wanted, order=order, ascending=True)
            found.append((title, page))
    if parent["ended"] and parent["status"] == "FINISHED":
        found.append(("Report", run_page(experiment, run_id, f"artifacts/{Artifact.REPORT}")))
    return " · ".join(f"[{title}]({page})" for title, page in found)


def record_note(record: TrialRecord, look: Mapping[str, Any]) -> str:
    """What became of a record that has ended, in Markdown.

    Args:
        look: of parent.json; "metric" and "lengths", the stages' epochs, may be missing.
    """
    if record.kind == "trial":
        sentences = [_fate(record, look), *_way(record, look)]
    else:
        sentences = [_purpose(record)]
        if record.outcome is not Outcome.COMPLETE:
            sentences.append(_fate(record, look))
    if record.ended_early:
        sentences.append(f"Its trainer stopped by itself after epoch {record.ended_early}.")
    return " ".join(sentences)


def _fate(record: TrialRecord, look: Mapping[str, Any]) -> str:
    """How it ended, and why."""
    reason = plain(conclusion(record.reason))
    if record.outcome is Outcome.PRUNED and reason:
        return f"{reason[0].upper()}{reason[1:]}."
    if not record.outcome.sound:
        return f"{record.outcome.capitalize()}: {reason or 'reason unknown'}."
    score, length = record.scores.get(record.length), count_of(record.length, "epoch")
    reached = f"{plain(look.get('metric') or 'score')} {score:.6g}" if score is not None else ""
    if record.outcome is Outcome.PRUNED:
        after = f" after stage {len(record.scores)}" if record.scores else ""
        at = f" ({length}, {reached})" if reached else ""
        return f"Pruned{after}{at}: it was not promoted."
    return f"Trained to the end ({length}){reached and ': '}{reached}."


def _way(record: TrialRecord, look: Mapping[str, Any]) -> list[str]:
    """Through the stages, where there are several."""
    n_stages = len(look.get("lengths", ()))
    if n_stages < 2:
        return []
    stages = range(record.stage + 2, len(record.scores) + 1)
    promoted = [str(n) for n in stages if n - 1 not in record.controls]
    found = [f"Drawn in stage {record.stage + 1} of {n_stages}"]
    if promoted:
        found.append(f"promoted to stage {' and '.join(promoted)}")
    if record.controls:
        controls = " and ".join(str(n + 1) for n in record.controls)
        found.append(f"continued to stage {controls} as a control, without being promoted")
    return [", ".join(found) + "."]


def _purpose(record: TrialRecord) -> str:
    """Why there is a run beside the trial."""
    repeat = f"repeat {record.seed_number}"
    return {
        "confirmation": f"Confirmation of trial {record.number}, {repeat}.",
        "default": "The configuration of all defaults, for comparison with the confirmed trials, "
        f"{repeat}.",
        "path": f"A configuration between the defaults and the winner, {repeat}.",
        "test": f"Trial {record.number} trained again on training and validation data, {repeat}, "
        "and scored on the test set.",
        "default-test": "The configuration of all defaults trained on training and validation "
        f"data, {repeat}, and scored on the test set.",
        "all-rows": f"Trial {record.number} trained again on all rows, those of the test set too: "
        "the model for new rows. It has no score; the test score is that of the refits.",
    }[record.kind]


def send_finals(
    client: MlflowClient,
    folder: RunFolder,
    parent: Mapping[str, Any],
    experiment: str,
    ids: Mapping[str, str],
) -> None:
    """Have the trials that were confirmed say so, and the winner that it won.

    Args:
        parent: what parent.json says. Its "look" has "finals", a sentence by uid, and "winner",
            a uid or None; older ones have neither.
        ids: of runs in MLflow, by uid.
    """
    from mlflow.entities import RunTag

    look = parent["look"]
    digits, winner = max(NAME_DIGITS, int(look.get("digits", 0))), look.get("winner")
    won = f"tags.`{WINNER}` = 'yes' and tags.`hpsearch.run_id` = '{parent['run_id']}'"
    marked = {run.info.run_id for run in client.search_runs([experiment], won)}
    for run_id in marked - {ids.get(winner)}:  # a wider budget found a better one
        client.delete_tag(run_id, WINNER)
        uid = next((uid for uid, known in ids.items() if known == run_id), None)
        if uid is not None and (record := _trial(folder, uid)) is not None:
            client.update_run(run_id, name=run_name(record, digits))
            client.set_tag(run_id, NOTE, record_note(record, look))
    for uid, sentence in look.get("finals", {}).items():
        run_id, record = ids.get(uid, ""), _trial(folder, uid)
        if not run_id or record is None:
            continue
        note = fitting(f"{sentence}\n\n{record_note(record, look)}", TAG_LENGTH)
        tags = {NOTE: note}
        if uid == winner:
            tags[WINNER] = "yes"
            if run_id not in marked:
                client.update_run(run_id, name=f"{run_name(record, digits)}-winner")
        client.log_batch(run_id, tags=[RunTag(name, value) for name, value in tags.items()])


def _trial(folder: RunFolder, uid: str) -> TrialRecord | None:
    return folder.read("trial", int(uid.rpartition(":")[2]))


def send_description(
    client: MlflowClient, parent: Mapping[str, Any], experiment: str, mlflow_id: str
) -> None:
    """Describe the experiment by its newest run, unless a person did.

    Args:
        parent: what parent.json says; "about" is the description, which older ones lack.
        mlflow_id: of the parent run.
    """
    about = parent.get("about")
    if not about:
        return
    tags = client.get_experiment(experiment).tags
    there, mark = tags.get(NOTE, ""), tags.get(OURS, "")
    links = " · ".join(
        f"[{view.heading}]({view_page(experiment, parent['run_id'], view)})" for view in View
    )
    page = run_page(experiment, mlflow_id)
    text = f"{about}\n\n**Newest run:** [{parent['name']}]({page}) · {links}"
    newest, *digests = mark.split() or ["0"]
    if (there and text_digest(there) not in digests) or int(newest) > parent["started"]:
        return
    if there != text:
        # Both, as a kill may leave either.
        mine = f"{parent['started']} {text_digest(there)} {text_digest(text)}"
        client.set_experiment_tag(experiment, OURS, mine)
        client.set_experiment_tag(experiment, NOTE, text)


def drop_description(client: MlflowClient, experiment: str, run_id: str) -> None:
    """Take a description that is of this run, and that we wrote, from the experiment."""
    found = client.get_experiment(experiment)
    if found.lifecycle_stage != "active":
        return
    there, mark = found.tags.get(NOTE, ""), found.tags.get(OURS, "")
    if text_digest(there) in mark.split() and view_key(run_id, View.TRIALS) in there:
        client.delete_experiment_tag(experiment, NOTE)
        client.delete_experiment_tag(experiment, OURS)


def text_digest(text: str) -> str:
    """By which a description that we wrote is told from one that a person did."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
