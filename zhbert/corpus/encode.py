"""`encode`: built documents in, shards of tokens with word flags out.

Words are found in the document's text by the segmenter and laid onto the tokens by character
offsets. A share of the documents, chosen by the hash of their ids, is held out for judging.
The tokenizer travels with the shards.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Literal

import numpy as np
from pydantic import Field

from zhbert.config import Config, Input
from zhbert.corpus.build import count_built, read_built
from zhbert.encode.align import continuations, sentence_starts
from zhbert.encode.shards import CONTINUES_WORD, SENTENCE, ShardWriter
from zhbert.encode.tokenizer import Encoded, Tokenizer
from zhbert.files import Work
from zhbert.progress import SILENT, Progress
from zhbert.records import Document
from zhbert.text.segment import Segmenter, segmenter
from zhbert.text.sentences import sentences

CHUNK = 256


class EncodeConfig(Config):
    """How documents become shards."""

    documents: Input = Field(description="the output of `zhbert corpus build`")
    tokenizer: Input = Field(
        description="a tokenizer folder: the output of `zhbert vocab`, or any BERT's folder"
    )
    segmenter: Literal["jieba", "character"] = Field(default="jieba", description="what finds the words")
    user_words: Input | None = Field(
        default=None, description="more words, in the format of jieba's user dictionaries"
    )
    held_out: float = Field(default=0.02, ge=0, lt=1, description="share of the documents kept for judging")
    shard_documents: int = Field(default=100_000, ge=1, description="documents per shard")


def encode(config: EncodeConfig, work: Work, progress: Progress = SILENT) -> None:
    """Write the shards `train/` and `held-out/` and the tokenizer beside them."""
    tokenizer = Tokenizer.load(config.tokenizer)
    cutter = segmenter(config.segmenter, user_words=config.user_words)
    parts = {"train": False, "held-out": True} if config.held_out else {"train": False}
    with progress.bar("encode", total=len(parts) * count_built(config.documents), unit="documents") as bar:
        for part, wanted in parts.items():
            built = read_built(config.documents, bar=bar)
            documents = (d for d in built if is_held_out(d.id, config.held_out) == wanted)
            totals = Counter(documents=0, tokens=0, words=0, unknown=0)
            for number, chunk in enumerate(_chunks(documents, config.shard_documents)):
                writer = ShardWriter(
                    work.folder / part / f"{number:05d}",
                    vocabulary=tokenizer.size,
                    tokenizer=tokenizer.fingerprint,
                    segmenter=cutter.fingerprint,
                )
                with writer as shard:
                    totals.update(_write(shard, chunk, tokenizer, cutter))
            work.counts[part] = dict(totals)
    tokenizer.save(work.folder / "tokenizer")


def is_held_out(name: str, share: float) -> bool:
    """Return whether a document of this id is held out: the same answer on every machine.

    >>> sum(is_held_out(f"news.txt:{i}", 0.1) for i in range(1000))
    95
    """
    return int.from_bytes(hashlib.sha256(name.encode("utf-8")).digest()[:8], "big") < share * 2**64


def _chunks(documents: Iterator[Document], size: int) -> Iterator[Iterator[Document]]:
    for first in documents:
        yield _from(first, documents, size)


def _from(first: Document, rest: Iterator[Document], size: int) -> Iterator[Document]:
    yield first
    yield from islice(rest, size - 1)


def _write(
    shard: ShardWriter, documents: Iterator[Document], tokenizer: Tokenizer, cutter: Segmenter
) -> Counter[str]:
    totals: Counter[str] = Counter()
    while chunk := list(islice(documents, CHUNK)):
        for document, encoded in zip(chunk, tokenizer.encode_batch([d.text for d in chunk]), strict=True):
            flags = flag(document.text, encoded, cutter)
            shard.add(encoded.ids, flags)
            totals["documents"] += 1
            totals["tokens"] += len(encoded.ids)
            totals["words"] += int((flags & CONTINUES_WORD == 0).sum())
            totals["unknown"] += int((encoded.ids == tokenizer.special.unk).sum())
    return totals


def flag(text: str, encoded: Encoded, cutter: Segmenter) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    """Return the flags of a text's tokens: which continue a word, which start a sentence."""
    words = continuations(encoded.offsets, cutter.cut(text))
    starts = sentence_starts(encoded.offsets, sentences(text))
    flags: np.ndarray[tuple[int], np.dtype[np.uint8]] = words * CONTINUES_WORD | starts * SENTENCE
    return flags
