"""The line of a study file that a key stands on."""

from __future__ import annotations

import pytest

from hpsearch.studyfile.lines import line_of

TEXT = """\
# learning_rate = { low = 1e-3, high = 1.0 } was too narrow
name = "lines"
[data]                                           # the data
name = "digits"
[ space ]
trainer = "adam"
  learning_rate = { low = 1e-3, high = 1.0 }
"weight_decay" = { low = 1e-6, high = 1e-1 }
beta1 = [
    { low = 0.5, high = 0.9 },
]
[space.hidden]
low = 10
high = 100
[[stages]]
trials = 4
"""


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("space.learning_rate", 7),
        ("space.weight_decay", 8),
        ("space.beta1.0", 9),
        ("space.hidden", 12),
        ("data.name", 4),
        ("space.name", None),
        ("space.low", None),
    ],
)
def test_a_key_is_found_in_its_own_table(key: str, line: int | None) -> None:
    assert line_of(TEXT, key) == line
