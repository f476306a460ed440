"""`corpus report`: the data card of a built corpus, one offline page and its figures as JSON.

Nothing is counted here: the card shows what `corpus build` and `encode` counted, so it costs no second
pass over the text and cannot disagree with what was done.
"""

from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from zhbert.config import Config, Input
from zhbert.corpus import facts
from zhbert.corpus.datacard import DataCard, StageRun, largest_losses
from zhbert.corpus.facts import Facts
from zhbert.corpus.licences import card_licences, find_cards, lines_by_source
from zhbert.errors import DataError
from zhbert.files import Manifest, Work
from zhbert.progress import SILENT, Progress
from zhbert.score.page import write_page
from zhbert.score.sections import flat
from zhbert.score.words import table


class DescribeConfig(Config):
    """What goes into a data card."""

    documents: Input = Field(description="the output of `zhbert corpus build`")
    shards: Input | None = Field(
        default=None, description="the output of `zhbert encode`, for tokens, words and unknown characters"
    )
    title: str = Field(default="Data card", description="title of the page")
    cards: list[str] = Field(
        default=[], description="corpora whose cards give the licence [those whose text went in]"
    )
    licence: dict[str, str] = Field(
        default={}, description="licence lines by source, which may be a pattern: laws*=CC0-1.0"
    )

    @field_validator("licence", mode="before")
    @classmethod
    def _lines(cls, value: Any) -> Any:
        """Take SOURCE=LINE from a command line for what a recipe writes as a table."""
        lines = [value] if isinstance(value, str) else value
        if not isinstance(lines, list):
            return value
        pairs = [str(line).partition("=") for line in lines]
        if not all(source and equals and line for source, equals, line in pairs):
            raise ValueError("write SOURCE=LINE")
        return {source: line for source, _, line in pairs}


def describe(config: DescribeConfig, work: Work, progress: Progress = SILENT) -> None:
    """Write report.html and report.json."""
    from zhbert.corpus.datapage import render  # jinja2 loads only here

    card = data_card(config)
    write_page(work.folder, page=render(card), record=card, sort=True)
    work.counts |= {"read": card.read.documents, "kept": card.kept.documents}
    work.counts |= {"characters": card.kept.characters}
    work.counts |= {"tokens": card.shards.tokens} if card.shards else {}
    work.counts |= {f"{row.step}: {row.reason}": row.documents for row in largest_losses(card)}


def data_card(config: DescribeConfig) -> DataCard:
    """Return the data card of a corpus."""
    built, found = facts.read_facts(config.documents, "corpus build")
    encoded, counted = _shards(config.shards, built)
    names = list(found.get("sources", {}))
    cards = card_licences(config.cards or find_cards(built.inputs))
    inputs = sum(key.partition(".")[0] == "source" for key in built.inputs)
    lines = lines_by_source(config.licence, names, cards, inputs=inputs)
    read, settings = found.get("read", {}), built.settings
    return DataCard(
        title=config.title,
        read=facts.amount(read),
        kept=facts.kept_of(found),
        bytes=read.get("bytes", 0),
        bad=dict(read.get("bad", {})),
        skipped=dict(read.get("left out", {})),
        encodings=dict(read.get("encodings", {})),
        steps=facts.steps_of(found),
        sources=tuple(
            facts.sources_of(found, None if counted is None else counted.get("sources", {}), lines)
        ),
        reasons=facts.reasons_of(found, settings),
        clusters=facts.clusters_of(found),
        guarded=facts.guarded_of(found, settings),
        lengths=facts.histogram_of(found, "lengths"),
        han=facts.histogram_of(found, "han"),
        scripts=dict(found.get("scripts", {})),
        shards=None if counted is None else facts.shards_of(counted),
        licences=tuple(cards),
        stages=tuple(map(_run, filter(None, [built, encoded]))),
        limits=tuple(table("corpus")["limits"]),
    )


def _shards(folder: Path | None, built: Manifest) -> tuple[Manifest | None, Facts | None]:
    if folder is None:
        return None, None
    encoded, counted = facts.read_facts(folder, "encode")
    if encoded.inputs.get("documents") != built.content:
        raise DataError(
            "these shards were made of other documents", where=folder, remedy="run zhbert encode again"
        )
    return encoded, counted


def _run(manifest: Manifest) -> StageRun:
    return StageRun(
        stage=manifest.stage,
        plan=manifest.plan,
        started=manifest.started,
        seconds=manifest.seconds,
        settings=flat(manifest.settings),
        inputs=manifest.inputs,
        versions=manifest.versions,
    )
