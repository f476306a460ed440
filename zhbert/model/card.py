"""The card of a model that is handed on: README.md, as model hubs read and show it.

The head of the file is for machines: licence, language, what the model is for. What follows is for people.
`about` is Markdown of the user's own and stands as it was written; every other name comes from data and is
escaped.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from transformers import PreTrainedConfig

from zhbert.model.encoder import describe
from zhbert.model.store import MASKED, Facts
from zhbert.model.uses import CALLS, reader_of
from zhbert.score.hub import USES, licence_lines
from zhbert.score.markdown import front_matter, plain, table

MOST = 12  # rows of a list that may be long


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One training on the way to a model: settings and counts, how long it took, and with which versions."""

    stage: str
    figures: Mapping[str, Any]
    seconds: float | None = None
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """So much text from one source."""

    name: str
    documents: int
    characters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounding:
    """What storing the weights did to the logits of some text."""

    largest: float
    same: float
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """All that a card tells."""

    title: str
    about: str
    licence: str
    language: str
    facts: Facts
    config: PreTrainedConfig
    parameters: int
    vocabulary: int
    longest: int
    mask: str
    half: bool
    rounding: Rounding
    legs: Sequence[Leg]
    text: Sequence[Source]


def write_card(card: Card) -> str:
    """Return the text of README.md."""
    parts = [
        _head(card),
        f"# {plain(card.title)}",
        card.about.strip(),
        "## What it is",
        table(("", ""), _facts(card)),
        _rounding(card),
        "## How it was made",
        *_making(card.legs),
        *_text(card.text),
        "## How to use it",
        *_use(card),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _head(card: Card) -> str:
    values: dict[str, Any] = {"language": card.language, **licence_lines(card.licence)}
    values |= {"library_name": "transformers", "pipeline_tag": USES[card.facts.task].tag}
    values["tags"] = ["zhbert", str(card.config.model_type)]
    return front_matter(values)


def _facts(card: Card) -> Iterator[tuple[str, str]]:
    yield "task", USES[card.facts.task].words
    if labels := card.facts.labels:
        more = f" and {len(labels) - MOST} more" if len(labels) > MOST else ""
        yield "labels", ", ".join(map(plain, labels[:MOST])) + more
    yield "size", f"{card.config.model_type}, {describe(card.config)} (layers x width)"
    yield "parameters", f"{card.parameters:,}"
    yield "vocabulary", f"{card.vocabulary:,} tokens"
    yield "longest text", f"{card.longest:,} tokens at once"
    if card.facts.task != MASKED:
        window, overlap = card.facts.window, card.facts.overlap
        yield (
            "windows",
            f"zhbert reads {window} tokens at a time; of a longer text each window {overlap} twice",
        )
    if temperature := card.facts.decoding.get("temperature"):
        yield "temperature", f"zhbert divides logits by {temperature:g}, chosen on dev; the model does not"
    yield "weights", "float16" if card.half else "float32"
    yield "licence", card.licence


def _rounding(card: Card) -> str:
    if not card.half:
        return ""
    return (
        "The weights are stored in half precision; `config.json` has transformers compute in full. On "
        f"{card.rounding.tokens:,} tokens of Chinese text rounding changed no logit by more than "
        f"{card.rounding.largest:.2g}, and {card.rounding.same:.2%} of the first guesses are the same."
    )


def _making(legs: Sequence[Leg]) -> Iterator[str]:
    pretrained = [leg for leg in legs if leg.stage == "pretrain"]
    if pretrained:
        yield "Pretraining, on text in which words were hidden; held-out text was never trained on:"
        yield table(
            ("from", "steps", "tokens", "epochs", "longest", "masking", "held-out loss", "accuracy", "time"),
            map(_pretraining, pretrained),
        )
    tuned = [leg for leg in legs if leg.stage == "finetune"]
    if tuned:
        yield "Fine-tuning, on labelled examples; the best epoch on the dev set was kept:"
        yield table(
            ("examples", "dev", "epochs", "best", "score on dev", "encoder", "time"),
            map(_tuning, tuned),
        )
    if versions := legs[-1].versions:
        yield (
            "Made with " + ", ".join(f"{n} {versions[n]}" for n in ("zhbert", "torch", "transformers")) + "."
        )


def _pretraining(leg: Leg) -> list[str]:
    said, held = leg.figures, leg.figures.get("held_out", {})
    return [
        plain(str(said.get("init") or "random weights")),
        _count(said.get("steps")),
        _count(said.get("tokens")),
        f"{said['epochs']:.2g}" if "epochs" in said else "",
        _count(said.get("max_tokens")),
        f"{plain(said['strategy'])}, {said['rate']:.0%}" if "strategy" in said else "",
        f"{held['loss']:.3f}" if "loss" in held else "",
        f"{held['accuracy']:.1%}" if "accuracy" in held else "",
        _time(leg.seconds),
    ]


def _tuning(leg: Leg) -> list[str]:
    said = leg.figures
    return [
        _count(said.get("train")),
        _count(said.get("dev")),
        _count(said.get("epochs")),
        _count(said.get("best_epoch")),
        f"{said['dev_score']:.4f}" if "dev_score" in said else "",
        "random weights" if said.get("random") or said.get("encoder") == "random weights" else "pretrained",
        _time(leg.seconds),
    ]


def _count(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else ""


def _time(seconds: float | None) -> str:
    """Return a time in words.

    >>> _time(89), _time(5400)
    ('89 s', '90 min')
    """
    if seconds is None:
        return ""
    return f"{seconds:.0f} s" if seconds < 600 else f"{seconds / 60:.0f} min"


def _text(sources: Sequence[Source]) -> Iterator[str]:
    if not sources:
        return
    rest = sources[MOST:]
    documents, characters = sum(s.documents for s in rest), sum(s.characters for s in rest)
    more = [Source(name=f"{len(rest)} more", documents=documents, characters=characters)] if rest else []
    yield "The text, after cleaning and without duplicates:"
    yield table(
        ("source", "documents", "characters"),
        ((plain(s.name), f"{s.documents:,}", f"{s.characters:,}") for s in [*sources[:MOST], *more]),
    )


def _use(card: Card) -> Iterator[str]:
    call, reader = CALLS[card.facts.task], reader_of(card.facts.task, card.facts.head)
    yield "With transformers:" if reader == call.reader else "The encoder alone, with transformers:"
    yield _code(
        f"from transformers import AutoTokenizer, {reader}",
        "",
        f'model = {reader}.from_pretrained("path/to/this/folder")',
        'tokenizer = AutoTokenizer.from_pretrained("path/to/this/folder")',
    )
    yield "With zhbert:"
    yield _code(
        "import zhbert",
        "",
        'model = zhbert.load("path/to/this/folder")',
        call.line.replace("@@", 2 * card.mask),
    )


def _code(*lines: str) -> str:
    return "\n".join(["```python", *lines, "```"])
