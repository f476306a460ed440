"""`contamination`: which test texts stand in what a model has read, and where.

What is peculiar:

- Texts are compared by their letters, as the guard of `corpus build` does (`clean/guard.py`): a test text of
  20 letters or more is met by a run of 20, one of 8 or more by a whole line. Shorter ones say little when
  they occur in running text, and are not looked for there; among training examples they are, as whole texts.
- A field of an example (question, passage) is met by itself: that two sets of questions share a passage is
  another matter than that they share a question.
- Shards are read as what their tokens spell: no spaces, no unknown characters, and the same letters.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from zhbert.clean.fold import fold, unfold
from zhbert.clean.guard import Guard
from zhbert.config import Config, Input
from zhbert.corpus.documents import count_built, read_built
from zhbert.encode.shards import Shards
from zhbert.encode.tokenizer import Tokenizer
from zhbert.errors import ConfigError
from zhbert.files import Work, write_text
from zhbert.plain import to_plain
from zhbert.progress import SILENT, Progress
from zhbert.read.card import TaskName
from zhbert.read.examples import read_examples
from zhbert.records import Example, texts_of
from zhbert.score.sheet import MEETINGS, Meeting

_BATCH = 1 << 20  # characters that are looked at together
_PARTS = "\0"  # between the id of an example and the name of its field
Named = Iterator[tuple[str, str]]  # where a text stands, and the text


class ContaminationConfig(Config):
    """What is tested on, and what was read."""

    task: TaskName = Field(description="what the examples are for")
    gold: Input = Field(description="the test examples: JSONL, or a reference such as mini:ner/test")
    train: Input | None = Field(default=None, description="examples that a model has learnt from")
    documents: Input | None = Field(default=None, description="the output of `zhbert corpus build`")
    shards: Input | None = Field(default=None, description="the output of `zhbert encode`")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tests:
    """The texts of test examples, ready to be looked for in running text and among whole texts."""

    guard: Guard
    whole: dict[str, list[str]]

    @classmethod
    def of(cls, examples: Iterable[Example]) -> "Tests":
        """Return the tests that examples are."""
        named = [(f"{e.id}{_PARTS}{field}", text) for e in examples for field, text in texts_of(e).items()]
        whole: dict[str, list[str]] = {}
        for (name, _), letters in zip(named, _letters([text for _, text in named]), strict=True):
            if letters:
                whole.setdefault(letters, []).append(name)
        return cls(guard=Guard.build(named), whole=whole)

    def running(self, source: str, texts: list[tuple[str, str]]) -> Iterator[Meeting]:
        """Yield where running texts hold test texts."""
        for hit in self.guard.hits([text for _, text in texts]):
            id_, _, field = hit.test.partition(_PARTS)
            yield Meeting(id=id_, field=field, source=source, where=texts[hit.text][0], shared=hit.shared)

    def equal(self, source: str, texts: list[tuple[str, str]]) -> Iterator[Meeting]:
        """Yield which texts are test texts, letter by letter."""
        for (where, text), letters in zip(texts, _letters([text for _, text in texts]), strict=True):
            for name in self.whole.get(letters, ()):
                id_, _, field = name.partition(_PARTS)
                yield Meeting(id=id_, field=field, source=source, where=where, shared=text, whole=True)


def contamination(config: ContaminationConfig, work: Work, progress: Progress = SILENT) -> None:
    """Write which test texts were met where, the first place in each source."""
    if not (config.train or config.documents or config.shards):
        raise ConfigError("nothing to look through", remedy="give train, documents or shards")
    gold = read_examples(config.gold, config.task)
    tests = Tests.of(gold)
    found: dict[tuple[str, str, str], Meeting] = {}
    for source, total, texts in _sources(config):
        with progress.bar(f"look through {source}", total=total, unit="texts") as bar:
            for batch in _batches(texts):
                equal = tests.equal(source, batch) if source == "train" else ()
                for meeting in (*equal, *tests.running(source, batch)):
                    key = meeting.source, meeting.field, meeting.id
                    if key not in found or meeting.whole > found[key].whole:
                        found[key] = meeting
                bar.advance(len(batch))
    order = {example.id: place for place, example in enumerate(gold)}
    meetings = sorted(found.values(), key=lambda m: (m.source, m.field, order[m.id]))
    facts = {"sources": [source for source, *_ in _sources(config)], "guarded": tests.guard.counts}
    record = facts | {"meetings": [to_plain(meeting) for meeting in meetings]}
    write_text(work.folder / MEETINGS, json.dumps(record, ensure_ascii=False, indent=1) + "\n")
    for source, field in dict.fromkeys((m.source, m.field) for m in meetings):
        work.counts[f"{source}, {field}"] = sum((m.source, m.field) == (source, field) for m in meetings)
    work.counts |= {"test examples": len(gold)}


def _letters(texts: list[str]) -> list[str]:
    return unfold(fold(texts).letters())


def _sources(config: ContaminationConfig) -> Iterator[tuple[str, int, Named]]:
    if config.train:
        train = read_examples(config.train, config.task)
        yield "train", len(train), ((e.id, text) for e in train for text in texts_of(e).values())
    if config.documents:
        built = ((d.at or d.id, d.text) for d in read_built(config.documents))
        yield "documents", count_built(config.documents), built
    if config.shards:
        for side in ("train", "held-out"):
            if (config.shards / side).is_dir():
                shards = Shards.open(config.shards / side)
                spelt = _spelt(shards, Tokenizer.load(config.shards / "tokenizer"))
                yield f"shards, {side}", shards.n_docs, spelt


def _spelt(shards: Shards, tokenizer: Tokenizer) -> Named:
    """Yield what the tokens of every document spell."""
    spelling = np.array([token.removeprefix("##") for token in tokenizer.tokens], object)
    spelling[tokenizer.special.unk] = ""
    for number in range(shards.n_docs):
        name = shards.sources[int(shards.sources_D[number])] or "shards"
        yield f"{name}, document {number}", "".join(spelling[shards.doc(number)[0]].tolist())


def _batches(texts: Named) -> Iterator[list[tuple[str, str]]]:
    batch: list[tuple[str, str]] = []
    size = 0
    for where, text in texts:
        batch.append((where, text))
        size += len(text) + 1
        if size > _BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
