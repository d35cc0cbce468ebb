"""What the parent run in MLflow says of several objectives and of constraints."""

from __future__ import annotations

from hpsearch.records.result import Result
from hpsearch.reports.descriptions import params_text
from hpsearch.studyfile.study_file import StudyFile


def goal_params(file: StudyFile) -> dict[str, str]:
    """Objectives and constraints as params."""
    said = [("objective", goal) for goal in file.goals[:1]]
    said += [(f"objective_{place}", goal) for place, goal in enumerate(file.goals[1:], start=2)]
    found = {
        f"{key}.{name}": str(value)
        for key, goal in said
        for name, value in goal.model_dump(exclude_none=True).items()
        if name != "count" or goal.level is not None
    }
    if file.constraints:
        found["constraints"] = "; ".join(limit.name for limit in file.constraints)
    return found


def front_metrics(result: Result) -> dict[str, float]:
    """The winner's objectives over fresh seeds, and how many configurations the front has."""
    if not result.front:
        return {}
    winner = result.front[0]
    found = {f"objectives/{name}": estimate.mean for name, estimate in winner.values.items()}
    return found | {"front/configurations": float(len(result.front))}


def front_note(result: Result) -> str:
    """The Pareto front as a Markdown table."""
    if not result.front:
        return ""
    names = [*result.objectives]
    rows = [
        f"| {member.number} | {' | '.join(f'{member.values[name].mean:.5g}' for name in names)} | "
        f"{params_text(member.params)} |"
        for member in result.front
    ]
    head = [f"| trial | {' | '.join(names)} | parameters |", "|---" * (len(names) + 2) + "|"]
    return (
        "**Pareto front** (means over the confirmation runs):\n\n"
        + "\n".join([*head, *rows])
        + "\n\n"
    )
