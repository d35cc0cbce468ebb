"""What most system tests do without: it takes longer than what they show."""

from __future__ import annotations

import pytest

DRAWING = ("arms", "confusion", "figures", "png_charts")
# The smallest PNG there is: one pixel.
BLANK = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c636000000002000148afa4710000000049454e44ae426082"
)


@pytest.fixture(autouse=True)
def blank_figures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our figures are made but not drawn in this process, but for tests marked `figures`."""
    if request.node.get_closest_marker("figures") is None:
        for module in DRAWING:
            monkeypatch.setattr(
                f"hpsearch.reports.{module}.write_png", lambda path, _: path.write_bytes(BLANK)
            )


@pytest.fixture(autouse=True)
def opened_quickly(known_schema: None) -> None:
    """Optuna's storages in this process; others read its migration scripts as ever."""


@pytest.fixture
def without_mlflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Studies of this process keep their records to themselves; MLflow hears of none."""
    from hpsearch.tracking.projection import Projection

    monkeypatch.setattr(Projection, "start", lambda self: None)
    monkeypatch.setattr(Projection, "keep_alive", lambda self: None)
    monkeypatch.setattr(Projection, "finish", lambda self, **_: True)
