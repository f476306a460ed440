"""`vocab`: built documents in, a tokenizer folder out: a new vocabulary, or a model's with more in it."""

from collections.abc import Iterator
from itertools import islice
from typing import Self

from pydantic import Field, model_validator

from zhbert.config import Config, Input, ModelInput
from zhbert.corpus.documents import count_built, read_built
from zhbert.encode.extend import extend
from zhbert.encode.extension import write_extension
from zhbert.encode.tokenizer import Tokenizer
from zhbert.encode.vocab import build_vocab
from zhbert.files import Work
from zhbert.progress import SILENT, Progress

SAMPLE = 2000
OF_A_NEW_ONE = {"size", "coverage", "min_count", "reserved"}
OF_AN_EXTENSION = {"new_entries", "new_count", "fill_unused"}


class VocabConfig(Config):
    """How a vocabulary is made, or that of a model extended."""

    documents: Input = Field(description="the output of `zhbert corpus build`")
    size: int = Field(default=8000, ge=300, description="largest number of entries")
    coverage: float = Field(
        default=0.9998, gt=0, le=1, description="share of all characters that must be covered"
    )
    min_count: int = Field(default=2, ge=1, description="leave out what occurs less often")
    reserved: int = Field(default=16, ge=0, description="entries [unused1] … to be given a meaning later")
    extend: ModelInput | None = Field(
        default=None,
        description="add to this model's tokenizer (a folder, hub name or `bundled`) instead of making one",
    )
    new_entries: int = Field(default=2000, ge=1, description="with extend: largest number of new entries")
    new_count: int = Field(default=20, ge=1, description="with extend: leave out what occurs less often")
    fill_unused: bool = Field(
        default=False,
        description="with extend: give the ids of [unusedN] away first, so that the model grows less",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        idle = self.model_fields_set & (OF_A_NEW_ONE if self.extend else OF_AN_EXTENSION)
        if idle:
            when = "without" if self.extend else "with"
            raise ValueError(f"{min(idle)} has a meaning only {when} extend")
        return self


def vocab(config: VocabConfig, work: Work, progress: Progress = SILENT) -> None:
    """Build a vocabulary from documents, or extend one, and save its tokenizer."""
    total = count_built(config.documents)
    with progress.bar("count", total=total, unit="documents") as bar:
        texts = (document.text for document in read_built(config.documents, bar=bar))
        tokenizer = (_extended if config.extend else _new)(config, texts, work)
    work.counts |= {"entries": tokenizer.size, "unknown_rate": _unknown_rate(tokenizer, config)}


def _new(config: VocabConfig, texts: Iterator[str], work: Work) -> Tokenizer:
    found = build_vocab(
        texts,
        size=config.size,
        coverage=config.coverage,
        min_count=config.min_count,
        reserved=config.reserved,
    )
    work.counts |= {"coverage": round(found.coverage, 6), "characters_left_out": found.left_out}
    tokenizer = Tokenizer.from_vocab(found.tokens)
    tokenizer.save(work.folder)
    return tokenizer


def _extended(config: VocabConfig, texts: Iterator[str], work: Work) -> Tokenizer:
    base = Tokenizer.load(config.extend or "")
    tokenizer, extension = extend(
        base,
        texts,
        room=config.new_entries,
        min_count=config.new_count,
        fill_unused=config.fill_unused,
        where=config.extend,
    )
    tokenizer.save(work.folder)
    write_extension(work.folder, extension)
    work.counts |= {"new": len(extension.tokens), "unknown_rate_before": _unknown_rate(base, config)}
    return tokenizer


def _unknown_rate(tokenizer: Tokenizer, config: VocabConfig) -> float:
    """Return the share of [UNK] in the first documents."""
    sample = islice(read_built(config.documents), SAMPLE)
    return round(tokenizer.unk_rate([document.text for document in sample]), 6)
