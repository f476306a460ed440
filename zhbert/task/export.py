"""`export`: a model folder in, one to hand on out: half the size, with a card that tells what it is.

- Weights are stored as float16 and computed with as float32: config.json says so, and plain transformers
  widens them as zhbert does. What rounding does to the logits is measured on real text, and told.
- The files of weights are turned over one by one, nothing is taken apart or put together: a head that only
  other classes load, such as that for pairs, goes along.
- `zhbert.json` goes along without the places at which things lay on this machine.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import torch
from pydantic import Field, field_validator
from safetensors.torch import load_file, save
from torch import Tensor

from zhbert.config import Config, ModelInput
from zhbert.errors import ModelError
from zhbert.files import Work, write_text
from zhbert.model import store
from zhbert.model.card import Card, Rounding, write_card
from zhbert.model.encoder import count_parameters, most_tokens
from zhbert.model.heads import chooses
from zhbert.progress import SILENT, Progress
from zhbert.read.references import find
from zhbert.records import to_plain
from zhbert.task.lineage import legs_of, past_of, portable, text_of

CARD = "README.md"
INDEX = "model.safetensors.index.json"  # of weights in several files
TYPES = {"half": torch.float16, "full": torch.float32}
TEXTS, TOKENS = 8, 128  # texts of each file of `mini:raw`, and tokens of each, on which rounding is measured
EVERY = 7  # the token that is masked where an encoder guesses
_SPDX = re.compile(r"[A-Za-z0-9.+-]+( (AND|OR|WITH) [A-Za-z0-9.+-]+)*")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]+)*")


class ModelExportConfig(Config):
    """What is handed on, and what its card says."""

    model: ModelInput = Field(description="the output of `zhbert pretrain` or `zhbert finetune`")
    title: str = Field(min_length=1, description="name of the model, the first line of its card")
    licence: str = Field(description="licence of the weights by its SPDX name, such as Apache-2.0")
    about: str = Field(
        default="", description="what it was trained on, what it is good for and what not; Markdown"
    )
    language: str = Field(default="zh", description="language of the text, as a BCP 47 tag")
    precision: Literal["half", "full"] = Field(
        default="half",
        description="how weights are stored: half (float16) takes half the room of full (float32)",
    )

    @field_validator("licence")
    @classmethod
    def _is_spdx(cls, licence: str) -> str:
        if not _SPDX.fullmatch(licence):
            raise ValueError("not an SPDX name, such as Apache-2.0 or CC-BY-SA-4.0")
        return licence

    @field_validator("language")
    @classmethod
    def _is_tag(cls, language: str) -> str:
        if not _LANGUAGE.fullmatch(language):
            raise ValueError("not a language tag, such as zh or zh-Hant")
        return language


def export(config: ModelExportConfig, work: Work, progress: Progress = SILENT) -> None:
    """Write a model with its weights in the wanted precision, and its card."""
    source = Path(config.model)
    model = store.load(source)
    facts = replace(model.facts, provenance=portable(model.facts.provenance))
    _write_weights(source, work.folder, TYPES[config.precision])
    _write_config(source, work.folder)
    model.tokenizer.save(work.folder)
    write_text(work.folder / store.FACTS, json.dumps(to_plain(facts), ensure_ascii=False, indent=1) + "\n")
    rounding = measure(model, store.load(work.folder), where=source, progress=progress)
    past = past_of(source)
    card = Card(
        title=config.title,
        about=config.about,
        licence=config.licence,
        language=config.language,
        facts=facts,
        config=model.model.config,
        parameters=count_parameters(model.model),
        vocabulary=model.tokenizer.size,
        longest=most_tokens(model.model),
        mask=model.tokenizer.tokens[model.tokenizer.special.mask],
        half=config.precision == "half",
        rounding=rounding,
        legs=legs_of(past, facts),
        text=text_of(past),
    )
    write_text(work.folder / CARD, write_card(card))
    work.counts |= {
        "task": facts.task,
        "parameters": card.parameters,
        "bytes": sum(path.stat().st_size for path in work.folder.glob("*.safetensors")),
        "largest difference of logits": float(f"{rounding.largest:.3g}"),
        "same first guess": round(rounding.same, 5),
        "tokens measured": rounding.tokens,
    }


def _write_weights(source: Path, target: Path, dtype: torch.dtype) -> None:
    for path in sorted(source.glob("*.safetensors")):
        weights = {
            name: _narrowed(name, weight, dtype, where=path) for name, weight in load_file(path).items()
        }
        (target / path.name).write_bytes(save(weights, metadata={"format": "pt"}))
    if (source / INDEX).is_file():
        write_text(target / INDEX, (source / INDEX).read_text(encoding="utf-8"))


def _narrowed(name: str, weight: Tensor, dtype: torch.dtype, *, where: Path) -> Tensor:
    """Return a weight in another type; one that does not fit into it is refused by its name."""
    if not weight.is_floating_point():
        return weight
    narrow = weight.to(dtype)
    if bool(narrow.isfinite().all()):
        return narrow.contiguous()
    if not bool(weight.isfinite().all()):
        raise ModelError(f"the weight {name} is not finite", where=where, remedy="train it again")
    largest, limit = float(weight.abs().max()), torch.finfo(dtype).max
    raise ModelError(
        f"the weight {name} reaches {largest:,.0f}, half precision {limit:,.0f}",
        where=where,
        remedy='precision = "full"',
    )


def _write_config(source: Path, target: Path) -> None:
    """Write config.json such that the weights are widened when they are read, whatever they are stored as."""
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    config.pop("torch_dtype", None)  # the name of old
    config["dtype"] = "float32"
    write_text(target / "config.json", json.dumps(config, ensure_ascii=False, indent=2) + "\n")


@torch.inference_mode()
def measure(
    first: store.Stored, second: store.Stored, *, where: object, progress: Progress = SILENT
) -> Rounding:
    """Return how far the logits of two forms of one model lie apart on real text."""
    inputs = list(_inputs(first))
    largest, same, guesses = 0.0, 0, 0
    with progress.bar("compare", total=len(inputs), unit="texts") as bar:
        for given in inputs:
            ids = given.to(first.model.device)
            for one, other in zip(
                first.model(input_ids=ids).to_tuple(), second.model(input_ids=ids).to_tuple(), strict=True
            ):
                apart = float((one - other).abs().max())
                if not (torch.isfinite(one).all() and torch.isfinite(other).all()):
                    raise ModelError("its logits are not finite", where=where, remedy="train it again")
                best = one.argmax(-1) == other.argmax(-1)
                largest, same, guesses = max(largest, apart), same + int(best.sum()), guesses + best.numel()
            bar.advance(1)
    tokens = sum(given.numel() for given in inputs)
    return Rounding(largest=largest, same=same / max(1, guesses), tokens=tokens)


def _inputs(stored: store.Stored) -> Iterator[Tensor]:
    """Yield what a model reads at once: one text, or two of one length as options that it compares."""
    rows = list(sample(stored))
    if not chooses(stored.model):
        yield from (torch.tensor([row]) for row in rows)
        return
    for two in zip(rows[::2], rows[1::2], strict=False):  # one is left over
        ids = min(map(len, two)) - 1
        yield torch.tensor([[[*row[:ids], row[-1]] for row in two]])


def sample(stored: store.Stored) -> Iterator[list[int]]:
    """Yield texts of the corpus `mini` as ids; an encoder has some of them masked."""
    special, room = stored.tokenizer.special, min(stored.facts.window, TOKENS, most_tokens(stored.model)) - 2
    texts = [
        text
        for path in sorted(find("mini:raw").glob("*.txt"))
        for text in path.read_text(encoding="utf-8").split("\n\n")[:TEXTS]
    ]
    for encoded in stored.tokenizer.encode_batch(texts):
        ids = encoded.ids[:room].tolist()
        if stored.facts.task == store.MASKED:
            ids[EVERY - 1 :: EVERY] = [special.mask] * len(ids[EVERY - 1 :: EVERY])
        yield [special.cls, *ids, special.sep]
