"""Two made-up reports for all tests of the page: of single trainings, and of several."""

import runpy
from pathlib import Path

import pytest

from zhbert.score.report import Report


@pytest.fixture(scope="session")
def made() -> dict[str, object]:
    return runpy.run_path(str(Path(__file__).with_name("made.py")))


@pytest.fixture(scope="session")
def report(made) -> Report:
    return made["made_report"](n=60, draws=200)


@pytest.fixture(scope="session")
def several(made) -> Report:
    return made["several_report"]()
