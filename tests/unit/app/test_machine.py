"""The peak of memory is that since it was forgotten, where the system can forget."""

from pathlib import Path

import numpy as np
import pytest
import torch

from zhbert.app import machine
from zhbert.app.machine import bytes_of, device_name, forget_peak, peak_memory, peak_of_device

CPU = torch.device("cpu")
LINUX = Path("/proc/self/clear_refs").exists()


@pytest.mark.skipif(not LINUX, reason="only Linux can forget a peak")
def test_a_peak_is_counted_from_when_it_was_forgotten() -> None:
    np.ones(12 << 20).sum()  # 96 MB, and gone
    forget_peak(CPU)
    before = peak_memory()
    kept = np.ones(8 << 20)  # 64 MB
    assert kept.nbytes * 0.9 < peak_memory() - before < kept.nbytes * 1.5


def test_elsewhere_the_system_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    known = peak_memory()
    for name in ("_STATUS", "_CLEAR", "_CPUS"):
        monkeypatch.setattr(machine, name, tmp_path / "nothing" / "here")
    forget_peak(CPU)
    assert peak_memory() >= known // 2
    assert device_name(CPU).startswith("cpu: ")


def test_only_weights_weigh(tmp_path: Path) -> None:
    for name, size in {"model.safetensors": 30, "config.json": 500, "model-2.safetensors": 12}.items():
        (tmp_path / name).write_bytes(b"0" * size)
    assert bytes_of(tmp_path) == 42
    assert peak_of_device(CPU) == 0
