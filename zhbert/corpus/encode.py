"""`encode`: built documents in, shards of tokens with flags out.

A part of the corpus becomes a shard of the same number, whoever works on it. A share of the
documents, chosen by the hash of their ids, is held out for judging. The tokenizer travels with the
shards; `facts.json` says what was counted on the way.
"""

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from itertools import compress
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from zhbert.config import Input, ModelInput
from zhbert.corpus.documents import Columns, count_part, parts_of
from zhbert.corpus.flags import Flagged, flag
from zhbert.corpus.tallies import Tally, top, total
from zhbert.encode.extension import EXTENSION
from zhbert.encode.shards import CONTINUES_ENTITY, CONTINUES_PHRASE, CONTINUES_WORD, ShardWriter
from zhbert.encode.tokenizer import Tokenizer
from zhbert.engine.run import Parallel, run_units
from zhbert.engine.unit import Unit, name_of
from zhbert.files import Work, hash_file, move, write_text
from zhbert.progress import SILENT, Progress
from zhbert.text.entities import KINDS
from zhbert.text.segment import Segmenter, segmenter
from zhbert.text.units import Units, UnitsConfig, make_units

BATCH = 1_000_000  # characters that are worked on at once
SAMPLE = 100_000  # characters at the beginning of a part in which words and names are counted
NAMED = ("words", "phrases", "entities", "unknown")  # what is counted by name
TOP = 300
FACTS = "facts.json"
ENCODED = "encoded"


class EncodeConfig(UnitsConfig, Parallel):
    """How documents become shards."""

    documents: Input = Field(description="the output of `zhbert corpus build`")
    tokenizer: ModelInput = Field(
        description="the output of `zhbert vocab`, the folder or hub name of any BERT, or `bundled`"
    )
    segmenter: Literal["jieba", "jieba-plain", "character", "whitespace"] = Field(
        default="jieba", description="what finds the words; whitespace: the text is segmented already"
    )
    user_words: Input | None = Field(
        default=None, description="more words, in the format of jieba's user dictionaries"
    )
    held_out: float = Field(default=0.02, ge=0, lt=1, description="share of the documents kept for judging")

    @property
    def sides(self) -> tuple[str, ...]:
        """The folders of shards that are written."""
        return ("train", "held-out") if self.held_out else ("train",)


def encode(config: EncodeConfig, work: Work, progress: Progress = SILENT) -> None:
    """Write the shards `train/` and `held-out/` and the tokenizer beside them."""
    parts = parts_of(config.documents)
    own = (work.folder / "tokenizer").absolute()
    Tokenizer.load(config.tokenizer).save(own)
    if (extension := Path(config.tokenizer) / EXTENSION).is_file():  # pretraining begins new rows as it says
        shutil.copyfile(extension, own / EXTENSION)
    config = config.model_copy(update={"tokenizer": str(own)})  # every worker reads this one, none the hub
    _tools(config.model_dump_json())
    with progress.bar("encode", total=sum(map(count_part, parts)), unit="documents") as bar:
        tallies = run_units(
            Encode(config=config),
            (
                Unit(number=number, payload=part, fingerprint=hash_file(part), at=part.name)
                for number, part in enumerate(map(Path.absolute, parts))
            ),
            folder=work.folder / ENCODED,
            config=config,
            finished=lambda tally: bar.advance(sum(side["documents"] for side in tally["sides"].values())),
        )
    facts = _named(total(tallies))
    facts["sides"] = {side: counts for side, counts in facts["sides"].items() if counts["documents"]}
    for number in range(len(parts)):
        for side in facts["sides"]:
            move(work.folder / ENCODED / name_of(number) / side, work.folder / side / name_of(number))
    shutil.rmtree(work.folder / ENCODED)
    write_text(work.folder / FACTS, json.dumps(facts, ensure_ascii=False, indent=1) + "\n")
    work.counts |= facts["sides"]


def is_held_out(name: str, share: float) -> bool:
    """Return whether a document of this id is held out: the same answer on every machine.

    >>> sum(is_held_out(f"news.txt:{i}", 0.1) for i in range(1000))
    95
    """
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tools:
    """What is loaded once in every process."""

    tokenizer: Tokenizer
    cutter: Segmenter
    units: Units


@cache
def _tools(settings: str) -> Tools:
    config = EncodeConfig.model_validate_json(settings)
    return Tools(
        tokenizer=Tokenizer.load(config.tokenizer),
        cutter=segmenter(config.segmenter, user_words=config.user_words),
        units=make_units(config),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Encode:
    """Makes a shard of a part; it travels to other processes as its configuration."""

    config: EncodeConfig

    def __call__(self, part: Path, folder: Path) -> Tally:
        """Write the shards of one part and return what they hold."""
        tools = _tools(self.config.model_dump_json())
        tallies: list[Tally] = []
        with ExitStack() as stack:
            writers = {
                side: stack.enter_context(
                    ShardWriter(
                        folder / side,
                        vocabulary=tools.tokenizer.size,
                        tokenizer=tools.tokenizer.fingerprint,
                        segmenter=tools.cutter.fingerprint,
                    )
                )
                for side in self.config.sides
            }
            for columns in _batches(Columns.read(part)):
                found = flag(columns.text, tools.tokenizer, tools.cutter, tools.units)
                held_D = np.array([is_held_out(name, self.config.held_out) for name in columns.id])
                sides = {side: held_D if side == "held-out" else ~held_D for side in self.config.sides}
                unknown = tools.tokenizer.special.unk
                written = {
                    side: _write(writers[side], found, chosen_D, unknown, sources=columns.source)
                    for side, chosen_D in sides.items()
                }
                tallies.append({"sides": written} | _tally(columns, found, unknown, sample=not tallies))
        return _named(total(tallies))


def _batches(columns: Columns) -> Iterator[Columns]:
    """Yield the documents of a part so many characters at a time, longer ones alone."""
    batch, size = Columns(), 0
    for document in columns:
        if size and size + len(document.text) > BATCH:
            yield batch
            batch, size = Columns(), 0
        batch.add(document)
        size += len(document.text)
    yield batch


def _write(
    writer: ShardWriter, found: Flagged, chosen_D: NDArray[np.bool_], unknown: int, *, sources: list[str]
) -> Tally:
    chosen_T = np.repeat(chosen_D, found.lengths_D)
    ids_T, flags_T = found.ids_T[chosen_T], found.flags_T[chosen_T]
    writer.add(
        ids_T, flags_T, np.cumsum(found.lengths_D[chosen_D]), sources=list(compress(sources, chosen_D))
    )
    return {
        "documents": int(chosen_D.sum()),
        "tokens": len(ids_T),
        "words": int((flags_T & CONTINUES_WORD == 0).sum()),
        "in phrases": int((flags_T & CONTINUES_PHRASE > 0).sum()),
        "in entities": int((flags_T & CONTINUES_ENTITY > 0).sum()),
        "unknown": int((ids_T == unknown).sum()),
    }


def _tally(columns: Columns, found: Flagged, unknown: int, *, sample: bool) -> Tally:
    """Return what is counted beside the shards: tokens by source, and what occurs most."""
    tokens: Counter[str] = Counter()
    for source, length in zip(columns.source, found.lengths_D.tolist(), strict=True):
        tokens[source] += length
    kinds = np.bincount(found.kinds_R, minlength=len(KINDS)).tolist()
    until = SAMPLE if sample else 0
    return {
        "sources": dict(tokens),
        "kinds": {name: count for name, count in zip(KINDS, kinds, strict=True) if count},
        "unknown": _count(found, found.tokens_T2[found.ids_T == unknown]),
        "words": _count(found, found.words_R2, until=until, least=2),
        "phrases": _count(found, found.phrases_R2, until=until),
        "entities": _count(found, found.entities_R2, until=until),
        "sample": min(until, len(found.blob)),
    }


def _count(
    found: Flagged, ranges_R2: NDArray[np.int64], *, until: int | None = None, least: int = 1
) -> dict[str, int]:
    chosen_R2 = ranges_R2 if until is None else ranges_R2[ranges_R2[:, 1] <= until]
    chosen_R2 = chosen_R2[chosen_R2[:, 1] - chosen_R2[:, 0] >= least]
    return dict(Counter(found.blob[start:end] for start, end in chosen_R2.tolist()))


def _named(tally: Tally) -> Tally:
    return tally | {name: top(Counter(tally.get(name, {})), TOP) for name in NAMED}
