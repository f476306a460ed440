"""Shards of random words, and encoders whose guesses differ, for the tests of probing."""

from pathlib import Path

import numpy as np
import torch

from zhbert.encode.shards import ShardWriter
from zhbert.encode.tokenizer import Tokenizer
from zhbert.model import store
from zhbert.model.encoder import new_config, new_encoder
from zhbert.task.heldout import HeldOut, choose, held_out, open_held_out

CHARACTERS = "我在北京大学读书，他去上海工作。今天气很好"
SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
TOKENIZER = Tokenizer.from_vocab([*SPECIALS, *dict.fromkeys(CHARACTERS), "##ing", "##s"])


def write_shards(folder: Path, tokenizer: Tokenizer, *, documents: int = 12) -> Path:
    """Shards of random words of one to four tokens, some phrases and entities among them, and two sources."""
    rng = np.random.default_rng(3)
    for side in ("train", "held-out"):
        with ShardWriter(
            folder / side / "00000",
            vocabulary=tokenizer.size,
            tokenizer=tokenizer.fingerprint,
            segmenter="s",
        ) as shard:
            for number in range(documents):
                lengths = rng.integers(1, 5, size=rng.integers(3, 16))
                ids = rng.integers(4 if number == 5 else 5, tokenizer.size, size=lengths.sum())
                ids[rng.random(len(ids)) < 0.03] = tokenizer.special.unk
                flags = np.ones(len(ids), np.uint8)
                flags[np.cumsum(lengths) - lengths] = 0
                flags[4:7] |= 2
                flags[8:10] |= 4
                shard.add(ids, flags, sources=["新闻" if number % 3 else "百科"])
    tokenizer.save(folder / "tokenizer")
    return folder


def save_encoder(folder: Path, tokenizer: Tokenizer, *, seed: int) -> Path:
    model = new_encoder(new_config("pico", tokenizer, positions=64), seed=seed)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(2.5)  # guesses that differ from one another
    store.save(folder, model=model, tokenizer=tokenizer, facts=store.Facts(task=store.MASKED))
    return folder


def text_of(shards: Path) -> HeldOut:
    opened = open_held_out(shards, TOKENIZER, where="")
    return held_out(opened, choose(opened, tokens=10_000), TOKENIZER, max_tokens=24)
