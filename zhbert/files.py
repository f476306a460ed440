"""Folders that are finished or not there: hashing, manifests, locks and atomic writes.

A stage writes into `NAME.partial` and, when all is done, its manifest; then the folder is moved
to NAME in one step. So NAME never holds half a result. `NAME.partial` survives a killed run: a
stage that can resume finds its own work there, as long as its plan (stage, settings, inputs)
is still the same; otherwise the folder is emptied first. A user's mistake leaves nothing behind
where there was nothing before. What is different every time, such as speeds, goes into `logs/`,
which is no part of the result; nor is report.html, which may show it. `NAME.lock` keeps a second run out
for as long as the process that holds it lives; one that a killed run left keeps nobody out, and the next
run removes it.
"""

import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import IO, Any

from zhbert.config import fingerprint
from zhbert.errors import BusyError, DataError, UserError
from zhbert.records import from_plain, to_plain

MANIFEST = "manifest.json"
LOGS = "logs"
PAGE = "report.html"  # shows what is in logs too
_PLAN = ".plan"
_PACKAGES = ("zhbert", "torch", "transformers", "tokenizers", "accelerate", "jieba", "rjieba", "numpy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a stage is about to do; the same plan never needs to be done twice."""

    stage: str
    settings: dict[str, Any]
    inputs: dict[str, str]
    version: str

    @property
    def fingerprint(self) -> str:
        """Return the hash that names this plan."""
        return fingerprint(to_plain(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """How long a file is and the hash of what it holds."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a finished folder holds and how it came about."""

    stage: str
    plan: str
    settings: dict[str, Any]
    inputs: dict[str, str]
    versions: dict[str, str]
    files: dict[str, FileFacts]
    counts: dict[str, Any]
    started: str
    seconds: float

    @property
    def content(self) -> str:
        """Return the hash of the files, whatever made them, but for times: logs, a page, inner manifests."""
        counted = {
            name: facts.sha256
            for name, facts in self.files.items()
            if not (name.startswith(PAGE) or name.endswith(f"/{MANIFEST}") or LOGS in name.split("/")[:-1])
        }
        return fingerprint(counted)


@dataclass(slots=True)
class Work:
    """An unfinished output folder and what is counted while it fills."""

    folder: Path
    counts: dict[str, Any] = field(default_factory=dict)
    beside: "list[Work]" = field(default_factory=list)  # the stage's other outputs, as its config lists them


def read_manifest(folder: Path) -> Manifest | None:
    """Return the manifest of a finished folder; None where there is none or it is not one."""
    path = folder / MANIFEST
    if not path.is_file():
        return None
    try:
        return from_plain(Manifest, json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, UserError):
        return None


def is_done(folder: Path, plan: Plan) -> bool:
    """Return whether the folder holds the finished result of exactly this plan, every file but logs."""
    manifest = read_manifest(folder)
    if manifest is None or manifest.plan != plan.fingerprint:
        return False
    results = {name: facts for name, facts in manifest.files.items() if not name.startswith(f"{LOGS}/")}
    return all(_size(folder / name) == facts.bytes for name, facts in results.items())


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else -1


@contextmanager
def building(folder: Path, plan: Plan) -> Iterator[Work]:
    """Open `folder` for the work of `plan`; it appears, complete, when the block ends without error."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        _refuse_foreign(folder)
        partial = folder.with_name(folder.name + ".partial")
        resumed = _prepare(partial, plan)
        started = time.time()
        work = Work(partial)
        try:
            yield work
        except UserError:
            if not resumed:  # the next run has another plan or another input: nothing here would be used
                shutil.rmtree(partial)
            raise
        _write_manifest(partial, plan, work.counts, started)
        _remove(folder)
        (partial / _PLAN).unlink()
        partial.rename(folder)
        sync(folder.parent)


def _remove(folder: Path) -> None:
    """Remove an older result, its manifest last: one that a kill left half removed is still known as ours."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != MANIFEST:
            path.unlink()
    shutil.rmtree(folder, ignore_errors=True)


def _refuse_foreign(folder: Path) -> None:
    """Never delete what zhbert did not make."""
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and read_manifest(folder) is None)):
        raise DataError(
            "is there already and was not made by zhbert", where=folder, remedy="choose another output"
        )


def _prepare(partial: Path, plan: Plan) -> bool:
    """Return whether there is work of this very plan to go on with; an empty folder otherwise."""
    note = partial / _PLAN
    resumed = note.is_file() and note.read_text() == plan.fingerprint
    if partial.exists() and not resumed:
        shutil.rmtree(partial)
    partial.mkdir(exist_ok=True)
    write_text(note, plan.fingerprint)
    return resumed


def _write_manifest(folder: Path, plan: Plan, counts: dict[str, Any], started: float) -> None:
    paths = {name: folder / name for name in list_files(folder) if name not in (_PLAN, MANIFEST)}
    files = {name: FileFacts(bytes=_size(path), sha256=hash_file(path)) for name, path in paths.items()}
    manifest = Manifest(
        stage=plan.stage,
        plan=plan.fingerprint,
        settings=plan.settings,
        inputs=plan.inputs,
        versions={name: _version(name) for name in _PACKAGES},
        files=files,
        counts=counts,
        started=time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(started)),
        seconds=round(time.time() - started, 3),
    )
    write_text(folder / MANIFEST, json.dumps(to_plain(manifest), ensure_ascii=False, indent=1) + "\n")


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "absent"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder; a second process is refused at once."""
    lock = folder.with_name(folder.name + ".lock")
    with lock.open("w") as handle:
        if not (_lock(handle) and _same_file(handle, lock)):
            raise BusyError("another run is writing here", where=folder, remedy="wait for it, or stop it")
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


def clear_lock(folder: Path) -> None:
    """Remove the lock of a run that was killed between its last rename and its end."""
    if folder.with_name(folder.name + ".lock").exists():
        with suppress(BusyError), locked(folder):
            pass


def _lock(handle: IO[str]) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _same_file(handle: IO[str], path: Path) -> bool:
    """False when the last holder removed the file between our opening and our locking it."""
    return path.exists() and os.path.samestat(os.fstat(handle.fileno()), path.stat())


def write_text(path: Path, text: str) -> None:
    """Write a whole file or nothing: under a temporary name, synced, then renamed.

    Half a surrogate pair, which a JSON escape can hold and UTF-8 cannot, is written as that escape.
    """
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    temporary.replace(path)


def sync(path: Path) -> None:
    """Return when a file, or a folder's list of names, is on the disk and survives a power cut."""
    if sys.platform == "win32":  # a folder cannot be opened there
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def list_files(folder: Path) -> list[str]:
    """Return the names of all files below a folder, sorted, with forward slashes."""
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def move(source: Path, target: Path) -> None:
    """Give a finished file or folder its last place, unless it is there already."""
    if not source.exists():
        return
    if target.is_dir():
        shutil.rmtree(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(source, target)


def link(source: Path, target: Path) -> None:
    """Let a file that will not change have a second name, or copy it where that cannot be."""
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)


def hash_path(path: Path) -> str:
    """Return the hash of a file, of a finished folder (by its manifest), or of any folder's files."""
    if path.is_file():
        return hash_file(path)
    if not path.is_dir():
        raise DataError("no such file or folder", where=path, remedy="check the path")
    manifest = read_manifest(path)
    return (
        manifest.content
        if manifest
        else fingerprint({name: hash_file(path / name) for name in list_files(path)})
    )
