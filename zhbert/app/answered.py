"""What folders of predictions say of themselves: which examples they answer, as what task, in which way.

A manifest names the examples by the hash of their content, and its counts say where they lay. What lies there
now are the gold examples only if it still has that content. A plain file of predictions says nothing.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from zhbert.app.stages import content
from zhbert.app.told import MODEL
from zhbert.errors import ConfigError, DataError
from zhbert.files import read_manifest
from zhbert.read.examples import holds_examples
from zhbert.read.references import Reference, is_reference

_STAGES = ("apply", "baseline")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What one folder of predictions says; what it does not say is empty."""

    path: Path
    task: str = ""
    head: str = ""
    source: str = ""
    content: str = ""
    records: int = 0

    @property
    def words(self) -> str:
        """Return which examples these are answers to, in words."""
        return f"{self.path} answers {self.source or '?'} ({self.records:,} records, {self.content[:8]}…)"


def answered(path: Path) -> Answered:
    """Return what a folder of predictions, or a file of them, says of itself."""
    manifest = read_manifest(path) if path.is_dir() else None
    if manifest is None or manifest.stage not in _STAGES:
        return Answered(path=path)
    file = path / MODEL
    model = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return Answered(
        path=path,
        task=model.get("task") or manifest.settings.get("task", ""),
        head=model.get("head", ""),
        source=manifest.counts.get("source", ""),
        content=manifest.inputs.get("source", ""),
        records=manifest.counts.get("records", 0),
    )


def gold_of(told: Sequence[Answered]) -> str:
    """Return where the examples lie that all folders answer."""
    known = [one for one in told if one.content]
    if not known:
        raise ConfigError(
            "which examples were answered is not known: files of predictions do not say", remedy="give --gold"
        )
    others = [one for one in known if one.content != known[0].content]
    if others:
        raise DataError(
            "different examples: " + ", ".join(one.words for one in [known[0], others[0]]),
            remedy="apply all to the same source, or give --gold",
        )
    places = [one.source for one in known if one.source]
    place = next((place for place in places if _content(place) == known[0].content), "")
    if not place or not holds_examples(place):
        what = (
            "plain texts have no right answers" if place else "the examples that were answered are not there"
        )
        raise DataError(what, where=place or next(iter(places), known[0].path), remedy="give --gold")
    return place


def strangers(told: Sequence[Answered], gold: str) -> list[str]:
    """Return what is to be said of folders that answer something else than the gold examples, by content."""
    wanted = _content(gold)
    others = [one for one in told if one.content not in ("", wanted)] if wanted else []
    return [f"{one.words}, not {gold}: their ids must fit" for one in others]


def _content(place: str) -> str:
    """Return the hash of what lies at a place, nothing where there is nothing."""
    with suppress(DataError):
        return content(Path(place))
    return ""


def task_of(told: Sequence[Answered], gold: str) -> str:
    """Return the task that was answered, by the folders or by a reference to the gold examples.

    >>> task_of([], "mini:ner/test")
    'ner'
    """
    tasks = dict.fromkeys(one.task for one in told if one.task)
    if len(tasks) > 1:
        which = (f"{one.path} {one.task}" for one in told if one.task)
        raise DataError(f"different tasks were answered: {', '.join(which)}", remedy="compare like with like")
    if tasks:
        return next(iter(tasks))
    if gold and is_reference(gold):
        return Reference.of(gold).labelled.task
    raise ConfigError("which task was answered is not known", remedy="give --task")


def head_of(told: Sequence[Answered]) -> str:
    """Return in which way all folders with a model answer; nothing where they differ or none has one."""
    heads = {one.head for one in told if one.task and one.head}
    return heads.pop() if len(heads) == 1 else ""
