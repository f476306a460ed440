"""Makes `asking` importable, and applications of models."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parent))

from asking import LIMITS, Opened

from zhbert.serve.gate import Gate
from zhbert.serve.limits import Limits
from zhbert.serve.web import Service, gate_of


@pytest.fixture
def opened() -> Iterator[Opened]:
    """Return what makes an application of models, and closes them in the end."""
    services = []

    def make(pipes: dict[str, Any], *, limits: Limits = LIMITS, keys: list[str] | None = None) -> Gate:
        services.append(Service(pipes, limits=limits))
        return gate_of(services[-1], keys=keys or [])

    yield make
    for service in services:
        service.close()
