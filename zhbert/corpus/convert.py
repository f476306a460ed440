"""`data convert`: labelled data from one form into another, by default into zhbert's own.

Where there is no set to choose an epoch by, a share can be kept apart. Which examples that are depends on
their texts alone, so the same text is never on both sides, nor are two questions on one passage.
"""

from collections import Counter
from typing import Literal

import numpy as np
from pydantic import Field

from zhbert.config import Input
from zhbert.corpus.labelled import LabelledConfig
from zhbert.errors import DataError
from zhbert.files import Work
from zhbert.progress import SILENT, Progress
from zhbert.read.examples import labels_in
from zhbert.read.forms import FORMS, How
from zhbert.read.sets import place
from zhbert.records import Example

EXAMPLES_FILE, APART_FILE = "examples", "apart"
Written = Literal[
    "zhbert",
    "csv",
    "tsv",
    "jsonl",
    "clue",
    "conll",
    "conllu",
    "cluener",
    "squad",
    "c3",
    "doccano",
    "labelstudio",
    "brat",
]


class ConvertConfig(LabelledConfig):
    """What becomes examples, and how they are written."""

    source: Input = Field(description="the file to read, a folder of brat or datasets, or a reference")
    to: Written = Field(default="zhbert", description="how it is to be written")
    to_scheme: Literal["BIO", "BIOES", "BMES"] = Field(
        default="BIO", description="scheme of the tags that conll writes"
    )
    apart: float = Field(
        default=0.0, ge=0, lt=1, description="share of the texts that goes into apart.jsonl, to choose by"
    )
    sample: int = Field(default=0, ge=0, description="take only so many examples, at random; 0: all")
    seed: int = Field(default=1, ge=0, description="seed of the sample")


def convert(config: ConvertConfig, work: Work, _: Progress = SILENT) -> None:
    """Write examples.jsonl, and apart.jsonl where a share is kept apart; other forms end otherwise."""
    how = config.how()
    examples = _read(config, how)
    chosen = _sample(examples, config.sample, config.seed)
    apart = {example.id for example in chosen if place(example) < config.apart}
    files = {
        EXAMPLES_FILE: [example for example in chosen if example.id not in apart],
        APART_FILE: [example for example in chosen if example.id in apart],
    }
    form = FORMS[config.to]
    for name, held in files.items() if config.apart else [(EXAMPLES_FILE, chosen)]:
        if not held:
            raise DataError(f"too few texts to keep {config.apart:.0%} apart", where=config.source)
        form.write(held, work.folder / (name + form.suffix), How(scheme=config.to_scheme))
    task = config.task_of(config.source, chosen[0])
    work.counts |= {"task": task, "examples": len(chosen), "of": len(examples), "apart": len(apart)}
    labels = Counter(label for example in chosen for label in labels_in(example))
    work.counts |= {"labels": dict(sorted(labels.items()))} if labels else {}
    work.counts |= how.found | how.counts


def _read(config: ConvertConfig, how: How) -> list[Example]:
    seen: dict[str, Example] = {}
    for where, example in config.read(config.source, how):
        if example.id in seen:
            raise DataError(f'the id "{example.id}" was used before', where=where, remedy="make ids differ")
        seen[example.id] = example
    if not seen:
        raise DataError("the file has no examples", where=config.source)
    return list(seen.values())


def _sample(examples: list[Example], size: int, seed: int) -> list[Example]:
    if not size or size >= len(examples):
        return examples
    taken = np.random.default_rng(seed).permutation(len(examples))[:size]
    return [examples[i] for i in sorted(taken)]
