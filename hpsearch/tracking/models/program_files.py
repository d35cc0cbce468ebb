"""What programs of a user's own left behind, in MLflow: files to look at, and the winner's
checkpoint with the line that trains it again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpsearch.records.run_folder import RunFolder
from hpsearch.tracking.models.winner_model import register

if TYPE_CHECKING:
    from mlflow import MlflowClient

FILES = "files"  # of a trial's or refit's run: what its program left in {folder}/artifacts
PROGRAM = "program"  # of the parent run: the winner's checkpoint and command line
COMMAND, LEFT_OUT = "command.txt", "left_out.txt"
MB = 1e6


def send_program_files(
    client: MlflowClient,
    folder: RunFolder,
    parent: Mapping[str, Any],
    ids: Mapping[str, str],
) -> None:
    """Log the files of the best trials and of the winner's refits, and the winner's checkpoint,
    once.

    Args:
        parent: what parent.json says; "program" is there if the winner is one.
        ids: of the runs in MLflow, by uid.
    """
    program = parent.get("program")
    if not program:
        return
    sources = {
        f"{parent['run_id']}:trial:{number}": folder.files.record("trial", number)
        for number in program["trials"]
    }
    for refit in folder.read_all("test"):
        if refit.number == int(program["number"]):
            sources[refit.uid] = folder.files.record("test", refit.number, refit.seed_number)
    for uid, place in sources.items():
        if (run_id := ids.get(uid)) is not None:
            _send_files(client, run_id, place.members(), program["artifacts_mb"] * MB)
    mine = ids[parent["uid"]]
    if not any(file.path == PROGRAM for file in client.list_artifacts(mine)):
        client.log_text(mine, program["command"] + "\n", f"{PROGRAM}/{COMMAND}")
        member = folder.files.record("trial", int(program["number"])).member(0)
        path = None if program["checkpoint"] is None else member / str(program["checkpoint"])
        # An archive of somebody else's may say any path.
        if path is not None and not path.resolve().is_relative_to(member.resolve()):
            path = None
        if path is not None and not path.exists():
            client.log_text(mine, f"no checkpoint at {path}\n", f"{PROGRAM}/{LEFT_OUT}")
        elif path is not None:
            sizes = dict(_sizes(path))
            if sum(sizes.values()) > program["checkpoint_mb"] * MB:
                text = f"{path}: {sum(sizes.values()) / MB:.1f} MB, more than checkpoint_mb\n"
                client.log_text(mine, text, f"{PROGRAM}/{LEFT_OUT}")
            elif path.is_dir():
                client.log_artifacts(mine, str(path), f"{PROGRAM}/{path.name}")
            else:
                client.log_artifact(mine, str(path), PROGRAM)
    register(client, parent, program["description"], mine, PROGRAM)


def _send_files(client: MlflowClient, run_id: str, members: Sequence[Path], most: float) -> None:
    """Of one trial or refit, as many as there is room for, by name; the others are named."""
    sizes_of = {m: dict(_sizes(m / "artifacts")) for m in members}
    if not any(sizes_of.values()) or client.list_artifacts(run_id, FILES):
        return
    left, left_out = most, []
    for member, sizes in sizes_of.items():
        top = FILES if len(sizes_of) == 1 else f"{FILES}/{member.name}"
        for path, size in sizes.items():
            below = path.parent.relative_to(member / "artifacts")
            if size > left:
                left_out.append(f"{member.name}/artifacts/{below / path.name}: {size / MB:.1f} MB")
                continue
            left -= size
            client.log_artifact(run_id, str(path), f"{top}/{below}".removesuffix("/."))
    if left_out:
        note = (
            f"Left out, because the files of a run are limited to {most / MB:g} MB (artifacts_mb):"
        )
        client.log_text(run_id, "\n".join([note, *left_out, ""]), f"{FILES}/{LEFT_OUT}")


def _sizes(place: Path) -> Iterator[tuple[Path, int]]:
    """Files with their sizes in bytes; links are not followed."""
    paths = [place] if place.is_file() else sorted(place.rglob("*"))
    return ((p, p.stat().st_size) for p in paths if p.is_file() and not p.is_symlink())
