"""`probe`: encoders and held-out shards in, a report out that says how well they guess.

    held-out documents ─masked all over──▶ loss, accuracy, and their parts
                       ─one word hidden──▶ whole words, phrases, entities
                       ─one token hidden─▶ single characters, pseudo-perplexity

- Everything is hidden behind [MASK]: nothing stays and nothing is exchanged, unlike in training.
- All encoders are judged on the same documents. Encoders with the same shards are asked the same questions;
  one with another tokenizer needs shards of its own, made from the same documents.
"""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from pydantic import Field, model_validator

from zhbert.config import HOW, Config, Input, ModelInput
from zhbert.encode.draws import Ints
from zhbert.encode.shards import Shards
from zhbert.encode.strategies import STRATEGIES
from zhbert.errors import DataError, ModelError, nearest
from zhbert.files import LOGS, Work
from zhbert.progress import SILENT, Progress
from zhbert.score.curves import read_curves
from zhbert.score.page import write_page
from zhbert.score.probesheet import Masked, ProbeReport
from zhbert.score.probing import compared, cuts, judged
from zhbert.score.words import table
from zhbert.task.audit import audit, masking_of
from zhbert.task.guessing import Guesser
from zhbert.task.heldout import HeldOut, choose, held_out, open_held_out
from zhbert.task.lineage import card_of, past_of, text_of
from zhbert.task.specimens import Specimens
from zhbert.task.survey import survey

COUNTED = ("loss", "loss_per_character", "item@1", "token@1", "perplexity")  # what the manifest tells
_STRATEGIES = {name for name, strategy in STRATEGIES.items() if strategy.instead == "[MASK]"}


class ProbeConfig(Config):
    """Which encoders are judged, and on how much text."""

    encoders: list[ModelInput] = Field(
        min_length=1,
        description="folders, hub names or `bundled`; the first one is judged, the others beside it",
    )
    shards: list[Input] = Field(
        min_length=1, description="the output of `zhbert encode`: one for all encoders, or one for each"
    )
    names: list[str] = Field(default=[], description="what to call the encoders, else as their folders")
    tokens: int = Field(default=200_000, ge=100, description="held-out tokens in which words are masked")
    alone: int = Field(default=1000, ge=10, description="words to hide one at a time, and their tokens")
    max_tokens: int = Field(default=128, ge=16, description="longest sequence, [CLS] and [SEP] included")
    examples: int = Field(default=40, ge=0, description="words to show with what was guessed")
    strategy: str = Field(
        default="wwm", description="masking to audit where an encoder does not say how it was trained"
    )
    rate: float = Field(default=0.15, gt=0, le=0.5, description="the rate of that masking")
    title: str = Field(default="Encoders", description="title of the report")
    batch_tokens: Annotated[int, HOW] = Field(
        default=16_384, ge=16, description="tokens that go through an encoder at once"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.shards) not in (1, len(self.encoders)):
            raise ValueError(
                f"{len(self.encoders)} encoders need one shards folder or one each, not {len(self.shards)}"
            )
        if self.names and len(self.names) != len(self.encoders):
            raise ValueError(f"{len(self.names)} names for {len(self.encoders)} encoders")
        if len(set(self.names)) < len(self.names):
            raise ValueError("two encoders have one name")
        if self.strategy not in _STRATEGIES:
            raise ValueError(
                f'no strategy "{self.strategy}" to audit ({nearest(self.strategy, _STRATEGIES)})'
            )
        return self


def probe(config: ProbeConfig, work: Work, progress: Progress = SILENT) -> None:
    """Judge encoders and write report.json and report.html."""
    from zhbert.score.probepage import render  # jinja2 loads only here

    report = judge(config, progress)
    write_page(work.folder, page=render(report), record=report)
    for row in report.judged:
        work.counts[row.name] = {
            f"{m.hidden} {m.name}": round(m.of.value, 4) for m in row.measures if m.name in COUNTED
        }


def judge(config: ProbeConfig, progress: Progress = SILENT) -> ProbeReport:
    """Return what there is to say about some encoders."""
    names = config.names or called(config.encoders)
    folders = config.shards * (len(config.encoders) if len(config.shards) == 1 else 1)
    first: Shards | None = None
    chosen: Ints = np.zeros(0, np.int64)
    sheets, training, specimens = [], [], Specimens(config.examples)
    for name, encoder, folder in zip(names, config.encoders, folders, strict=True):
        guesser = _load(encoder, config.max_tokens)
        opened = open_held_out(folder, guesser.tokenizer, where=encoder)
        if first is None:
            first, chosen = opened, choose(opened, tokens=config.tokens)
        _check_same(first, opened)
        text = held_out(opened, chosen, guesser.tokenizer, max_tokens=config.max_tokens)
        sheets.append(
            survey(name, guesser, text, alone=config.alone, tokens=config.batch_tokens, progress=progress)
        )
        specimens.ask(name, guesser, text)
        training.append(_trained(name, encoder, text, config))
    rng = np.random.default_rng(0)
    return ProbeReport(
        title=config.title,
        judged=tuple(judged(sheet, rng=rng) for sheet in sheets),
        against=tuple(row for other in sheets[1:] for row in compared(sheets[0], other, rng=rng)),
        cuts=cuts(sheets, rng=rng),
        training=tuple(training),
        specimens=specimens.shown,
        text={"documents": f"{len(chosen):,}", "sources": f"{len(sheets[0].sources):,}"},
        limits=tuple(table()["probe limits"]),
    )


def called(encoders: list[str]) -> list[str]:
    """Return names for encoders: the last parts of their paths, as many as it takes to tell them apart.

    >>> called(["runs/a/encoder", "runs/b/encoder", "bert-base-chinese"])
    ['a/encoder', 'b/encoder', 'bert-base-chinese']
    >>> called(["one", "one"])
    ['one', 'one (2)']
    """
    parts, names = [Path(encoder).parts for encoder in encoders], [""] * len(encoders)
    for size in range(1, 1 + max(map(len, parts))):
        open_ = {name for name, times in Counter(names).items() if times > 1}
        names = [
            "/".join(own[-size:]) if name in open_ or size == 1 else name
            for name, own in zip(names, parts, strict=True)
        ]
    return [
        f"{name} ({before + 1})" if (before := names[:i].count(name)) else name
        for i, name in enumerate(names)
    ]


def _load(encoder: str, max_tokens: int) -> Guesser:
    guesser = Guesser.load(encoder)
    if max_tokens > guesser.longest:
        raise ModelError(
            f"it takes {guesser.longest} tokens at most, not {max_tokens}",
            where=encoder,
            remedy=f"max_tokens = {guesser.longest}",
        )
    return guesser


def _check_same(first: Shards, other: Shards) -> None:
    """Refuse shards of other documents: what is compared must have been guessed in the same texts."""
    if first is other:
        return
    named = [[shards.sources[i] for i in shards.sources_D.tolist()] for shards in (first, other)]
    if named[0] != named[1]:
        raise DataError(
            f"these are not the documents of {first.folder}",
            where=other.folder,
            remedy="encode the same documents with the same held_out",
        )


def _trained(name: str, encoder: str, text: HeldOut, config: ProbeConfig) -> Masked:
    """Return how an encoder was trained: its curves and what its masking does."""
    curves = read_curves(Path(encoder) / LOGS / "metrics.jsonl")
    settings, by = masking_of(encoder, strategy=config.strategy, rate=config.rate)
    past = past_of(Path(encoder)) if Path(encoder).is_dir() else []
    known = Masked(
        name=name,
        curves=curves,
        text={
            source.name: f"{source.documents:,} documents, {source.characters:,} characters"
            for source in text_of(past)
        },
        card=card_of(past),
    )
    if settings is None:
        return replace(known, note="Its list of similar words is not in its folder.")
    return replace(known, audits=audit(text, settings, by=by))
