"""What a study file asks for, counted: stages, trials, members, epochs."""

from __future__ import annotations

from dataclasses import dataclass

from hpsearch.search.study_file import StudyFile


@dataclass(frozen=True)
class Phase:
    """A part of a study.

    Attributes:
        name: "stage 1", …, "fresh seeds", "refit and test".
        runs: trials, or runs on fresh seeds, that reach its length.
        promoted, controls, new: how many of them go on from the stage before, as the best of it
            or by lot, and start.
        epochs: the length.
        before: epochs that the promoted have already.
        members: networks a run: folds and repeats.
    """

    name: str
    runs: int
    promoted: int
    new: int
    epochs: int
    before: int
    members: int
    controls: int = 0

    @property
    def total_epochs(self) -> int:
        """Epochs of all members in it; continued ones count once."""
        going_on = self.promoted + self.controls
        return self.members * (self.new * self.epochs + going_on * (self.epochs - self.before))


def phases(file: StudyFile, n_arms: int = 1) -> list[Phase]:
    """All parts of a study, if no trial diverges, fails or is pruned at a rung; then fewer are
    promoted.

    Args:
        n_arms: searches that the study compares; every number is that of all of them.
    """
    members, before, earlier = file.n_members, 0, 0
    found = []
    for number, stage in enumerate(file.stages, start=1):
        going_on = min(round(stage.trials * stage.promote), earlier) if before else 0
        found.append(
            Phase(
                name=f"stage {number}",
                runs=n_arms * (stage.trials + stage.controls),
                promoted=n_arms * going_on,
                new=n_arms * (stage.trials - going_on),
                epochs=stage.epochs,
                before=before,
                members=members,
                controls=n_arms * stage.controls,
            )
        )
        before, earlier = stage.epochs, stage.trials + stage.controls
    top = min(file.confirmation.top, file.stages[-1].trials)
    for name, runs, splits in (
        ("fresh seeds", top * file.confirmation.seeds, members),
        ("refit and test", file.confirmation.test_seeds, 1),
    ):
        found.append(Phase(name, n_arms * runs, 0, n_arms * runs, file.n_epochs, 0, splits))
    return found
