"""A check of compared.toml."""

from hpsearch.claims import Evidence, Verdict


def varies(evidence: Evidence) -> Verdict:
    """Whether the trials' last scores differ."""
    runs = evidence.runs
    spread = runs.loc[runs["kind"] == "trial", "validation_accuracy"].std()
    return Verdict("holds" if spread > 0 else "does not hold", f"deviation {spread:.3f}")
