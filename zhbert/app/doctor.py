"""`zhbert doctor`: what is installed, which device would be used, and what is wrong."""

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import zhbert
from zhbert.app.recipe import list_recipes
from zhbert.read.card import content_root, list_cards

OK, NOTE, WRONG = "ok", "note", "wrong"
LEAST_FREE = 2 * 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    state: str
    subject: str
    words: str


def examine() -> Iterator[Finding]:
    """Yield what was found, the plainest things first."""
    old = sys.version_info < (3, 11)
    yield Finding(state=WRONG if old else OK, subject="Python", words=platform.python_version())
    yield Finding(state=OK, subject="zhbert", words=f"{zhbert.__version__} in {Path(zhbert.__file__).parent}")
    yield from _packages()
    yield from _devices()
    yield from _content()
    yield from _disk()


def _packages() -> Iterator[Finding]:
    if not _has("zhbert"):
        words = "not installed, only found on the path: what it needs is not known (pip install -e .)"
        yield Finding(state=NOTE, subject="packages", words=words)
        return
    for requirement in metadata.requires("zhbert") or []:
        name = requirement.split(";")[0].split(">")[0].split("<")[0].split("=")[0].strip()
        optional = "extra ==" in requirement
        try:
            yield Finding(state=OK, subject=name, words=metadata.version(name))
        except metadata.PackageNotFoundError:
            extra = requirement.split("extra ==")[-1].strip(" \"'") if optional else ""
            words = f'not installed (only needed for the extra "{extra}")' if optional else "not installed"
            yield Finding(state=NOTE if optional else WRONG, subject=name, words=words)
    if _has("opencc-python-reimplemented"):
        yield Finding(
            state=WRONG,
            subject="opencc",
            words="opencc-python-reimplemented hides OpenCC: uninstall it, reinstall OpenCC",
        )


def _has(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True


def _devices() -> Iterator[Finding]:
    try:
        import torch

        from zhbert.model.store import best_device
    except ImportError as error:
        yield Finding(state=WRONG, subject="torch", words=f"cannot be imported: {error}")
        return
    device = best_device()
    name = torch.cuda.get_device_name(0) if device.type == "cuda" else f"{torch.get_num_threads()} threads"
    yield Finding(state=OK, subject="device", words=f"{device} ({name}), {os.cpu_count()} CPU cores")


def _content() -> Iterator[Finding]:
    for kind, names in (("corpora", list_cards()), ("pipelines", list_recipes())):
        state = OK if names else WRONG
        yield Finding(
            state=state, subject=kind, words=f"{', '.join(names) or 'none'} in {content_root(kind)}"
        )
    data = os.environ.get("ZHBERT_DATA")
    if data and not Path(data).is_dir():
        yield Finding(state=WRONG, subject="ZHBERT_DATA", words=f"{data} is no folder")


def _disk() -> Iterator[Finding]:
    free = shutil.disk_usage(".").free
    state = OK if free > LEAST_FREE else WRONG
    yield Finding(state=state, subject="disk", words=f"{free / 2**30:.0f} GB free here")
