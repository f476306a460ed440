"""`data convert`: labelled data as its publishers write it becomes examples, one JSON object a line.

Where there is no set to choose an epoch by, a share can be kept apart. Which examples that are depends on
their texts alone, so the same text is never on both sides, nor are two questions on one passage.
"""

import hashlib
from collections import Counter

import numpy as np
from pydantic import Field

from zhbert.config import Config, Input
from zhbert.errors import DataError
from zhbert.files import Work, write_text
from zhbert.progress import SILENT, Progress
from zhbert.read.examples import labels_in
from zhbert.read.labelled import FORMS, FormName, Misplaced, Spans
from zhbert.records import ChoiceExample, Example, PairExample, ReadingExample, to_json

EXAMPLES_FILE, APART_FILE = "examples.jsonl", "apart.jsonl"


class ConvertConfig(Config):
    """What becomes examples."""

    source: Input = Field(description="the file to read")
    form: FormName = Field(
        description="how it is written: cluener (JSON lines), squad (also CMRC 2018 and DRCD)"
    )
    misplaced: Misplaced = Field(
        default="refuse",
        description="what is done with a span that does not stand where the file says: refuse the file, "
        "search for it nearby, or drop it, and with it a question that has no other answer",
    )
    apart: float = Field(
        default=0.0, ge=0, lt=1, description="share of the texts that goes into apart.jsonl, to choose by"
    )
    sample: int = Field(default=0, ge=0, description="take only so many examples, at random; 0: all")
    seed: int = Field(default=1, ge=0, description="seed of the sample")


def convert(config: ConvertConfig, work: Work, _: Progress = SILENT) -> None:
    """Write examples.jsonl, and apart.jsonl where a share is kept apart."""
    form, spans = FORMS[config.form], Spans(misplaced=config.misplaced)
    seen: dict[str, Example] = {}
    for where, example in form.read(config.source, spans):
        if example.id in seen:
            raise DataError(f'the id "{example.id}" was used before', where=where, remedy="make ids differ")
        seen[example.id] = example
    if not seen:
        raise DataError("the file has no examples", where=config.source)
    chosen = _sample(list(seen.values()), config.sample, config.seed)
    apart = {example.id for example in chosen if _place(example) < config.apart}
    files = {
        EXAMPLES_FILE: [example for example in chosen if example.id not in apart],
        APART_FILE: [example for example in chosen if example.id in apart],
    }
    for name, examples in files.items() if config.apart else [(EXAMPLES_FILE, chosen)]:
        if not examples:
            raise DataError(f"too few texts to keep {config.apart:.0%} apart", where=config.source)
        write_text(work.folder / name, "".join(to_json(example) + "\n" for example in examples))
    work.counts |= {"task": form.task, "examples": len(chosen), "of": len(seen), "apart": len(apart)}
    labels = Counter(label for example in chosen for label in labels_in(example))
    mended = {"moved": spans.moved, "dropped": spans.dropped, "without an answer": spans.without}
    work.counts |= ({"labels": dict(sorted(labels.items()))} if labels else {}) | mended


def _sample(examples: list[Example], size: int, seed: int) -> list[Example]:
    if not size or size >= len(examples):
        return examples
    taken = np.random.default_rng(seed).permutation(len(examples))[:size]
    return [examples[i] for i in sorted(taken)]


def _place(example: Example) -> float:
    """Return a number from 0 to 1 that follows from the text of an example: of reading, the passage."""
    match example:
        case PairExample():
            text = f"{example.first}\0{example.second}"
        case ReadingExample() | ChoiceExample():
            text = example.context
        case _:
            text = example.text
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
