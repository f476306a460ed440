"""What a command runs on, and the most memory that it held.

The system counts the peak of a process from its birth; Linux can be told to begin anew, so that a stage of a
recipe is not charged with what an earlier one held.
"""

import platform
import sys
from contextlib import suppress
from pathlib import Path

import torch

_STATUS, _CLEAR, _CPUS = (Path("/proc") / name for name in ("self/status", "self/clear_refs", "cpuinfo"))
_PEAK = "5"  # what the kernel takes as "forget the peak"


def forget_peak(device: torch.device) -> None:
    """Count the peaks of memory from now on, where the system can."""
    with suppress(OSError):
        _CLEAR.write_text(_PEAK)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak_memory() -> int:
    """Return the most bytes that this process held, 0 where the system does not say."""
    if _STATUS.is_file():
        lines = _STATUS.read_text(encoding="ascii", errors="replace").splitlines()
        peak = next((line.split()[1] for line in lines if line.startswith("VmHWM:")), "0")
        return int(peak) * 1024
    if sys.platform == "win32":
        return 0
    import resource  # not there on Windows

    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held if sys.platform == "darwin" else held * 1024


def peak_of_device(device: torch.device) -> int:
    """Return the most bytes that tensors took of a GPU, 0 where there is none that counts them."""
    return int(torch.cuda.max_memory_allocated(device)) if device.type == "cuda" else 0


def device_name(device: torch.device) -> str:
    """Return a device by its kind and the name of the hardware."""
    if device.type == "cuda":
        return f"cuda: {torch.cuda.get_device_name(device)}"
    return f"{device.type}: {_processor()}"


def _processor() -> str:
    lines = _CPUS.read_text(encoding="utf-8", errors="replace").splitlines() if _CPUS.is_file() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def bytes_of(folder: Path) -> int:
    """Return how many bytes of weights lie in a model folder."""
    return sum(path.stat().st_size for path in folder.glob("*.safetensors"))
