"""An encoder to work with: what it puts into masked places, and the vectors that it makes of texts.

encoder = zhbert.load("bundled")            # or the output of pretrain, or what transformers saved
encoder.fill("我在[MASK][MASK]大学读书")    # the best ways to fill all places together
encoder.places("我在[MASK][MASK]大学读书")  # the best guesses for each place by itself
encoder.embed(texts)                        # a vector a text, (n, width)
encoder.nearest("借书", texts, k=3)         # the texts that lie nearest
"""

import math
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
import torch

from zhbert.errors import DataError, ModelError
from zhbert.model import store
from zhbert.model.encoder import most_tokens
from zhbert.model.families import FAMILIES
from zhbert.precision import Dtype
from zhbert.task.guessing import no_head
from zhbert.text.segment import segmenter
from zhbert.vectors.embedder import Embedder, Pooling, WordVectors
from zhbert.vectors.nearest import Floats, Neighbour, nearest

Beam = tuple[float, list[int]]
Lock = AbstractContextManager[Any]
WIDTH = 16  # ways that are followed up from place to place, where no more are asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """One way to fill the masked places of a text; `score` is its probability."""

    text: str
    words: tuple[str, ...]
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One token for one place, and its probability while the other places are masked."""

    word: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A text with masked places: the best ways to fill them together, and the best tokens for each."""

    text: str
    guesses: tuple[Guess, ...]
    places: tuple[tuple[Choice, ...], ...]


class Encoder:
    """An encoder, and its head for masked tokens where it has one; safe to share between threads."""

    def __init__(
        self, stored: store.Stored, *, headless: str = "", lock: Lock | None = None, dtype: Dtype = "auto"
    ) -> None:
        self.facts, self._model, self._tokenizer = stored.facts, stored.model, stored.tokenizer
        self._headless, self._lock = headless, lock or threading.RLock()
        self._embedder = Embedder(stored, lock=self._lock, dtype=dtype)

    @cached_property
    def _words(self) -> torch.Tensor:
        return torch.from_numpy(self._tokenizer.ordinary_ids).to(self._model.device)

    def __repr__(self) -> str:
        return f"<zhbert encoder: {self._tokenizer.size} tokens, on {self._model.device}>"

    @torch.inference_mode()
    def fill(self, text: str, *, top: int = 5) -> list[Guess]:
        """Return the best ways to fill the `[MASK]`s of a text together.

        The places are filled from left to right: the score is the probability of the first word, times that
        of the second where the first stands in its place, and so on. A beam of at least WIDTH ways is kept.
        """
        ids, places, offsets = self._read(text)
        beams: list[Beam] = [(0.0, ids)]
        for place in places:
            beams = self._widen(beams, place, max(top, WIDTH))
        return [
            self._guess(score, [row[place] for place in places], offsets, text) for score, row in beams[:top]
        ]

    @torch.inference_mode()
    def places(self, text: str, *, top: int = 5) -> list[tuple[Choice, ...]]:
        """Return the best tokens for each `[MASK]` of a text while all others are masked."""
        ids, places, _ = self._read(text)
        values, words = self._logs([ids], places).exp().topk(min(top, len(self._words)), dim=-1)
        return [
            tuple(
                Choice(word=self._name(int(self._words[word])), score=float(value))
                for value, word in zip(row_values, row_words, strict=True)
            )
            for row_values, row_words in zip(values[0], words[0], strict=True)
        ]

    def filled(self, text: str, *, top: int = 5) -> Filled:
        """Return both of a text: the best ways to fill its places together, and each by itself."""
        return Filled(
            text=text, guesses=tuple(self.fill(text, top=top)), places=tuple(self.places(text, top=top))
        )

    def _read(self, text: str) -> tuple[list[int], list[int], list[list[int]]]:
        """Return the ids of a text with its special tokens, the masked places, and their characters."""
        if self._headless:
            raise ModelError(
                self._headless, remedy="give an encoder that was saved with its masked-language head"
            )
        special = self._tokenizer.special
        encoded = self._tokenizer.encode_batch([text])[0]
        places = [i for i, token in enumerate(encoded.ids.tolist()) if token == special.mask]
        if not places:
            raise DataError("the text has no [MASK] to fill")
        if len(encoded) + 2 > most_tokens(self._model):
            raise DataError(
                f"the text has {len(encoded)} tokens; the encoder takes {most_tokens(self._model) - 2}"
            )
        ids = [special.cls, *encoded.ids.tolist(), special.sep]
        return ids, [place + 1 for place in places], encoded.offsets[places].tolist()

    def _logs(self, rows: list[list[int]], places: list[int]) -> torch.Tensor:
        """Return the log-probabilities (rows, places, words) of the tokens that a text can have."""
        ids = torch.tensor(rows, device=self._model.device)
        with self._lock:
            logs: torch.Tensor = self._model(input_ids=ids).logits[:, places].float().log_softmax(-1)
        return logs[..., self._words]

    def _name(self, token: int) -> str:
        return self._tokenizer.decode([token]).removeprefix("##")

    def _widen(self, beams: list[Beam], place: int, top: int) -> list[Beam]:
        """Return the best ways to fill one more place with a token that a text can have."""
        logs = self._logs([row for _, row in beams], [place])[:, 0]
        values, words = logs.topk(min(top, logs.shape[-1]), dim=-1)
        wider = [
            (score + float(value), [*row[:place], int(self._words[word]), *row[place + 1 :]])
            for (score, row), row_values, row_words in zip(beams, values, words, strict=True)
            for value, word in zip(row_values, row_words, strict=True)
        ]
        return sorted(wider, key=lambda beam: -beam[0])[:top]

    def _guess(self, score: float, tokens: list[int], gaps: list[list[int]], text: str) -> Guess:
        words = tuple(map(self._name, tokens))
        for word, (start, end) in reversed(list(zip(words, gaps, strict=True))):
            text = text[:start] + word + text[end:]
        return Guess(text=text, words=words, score=math.exp(score))

    @overload
    def embed(
        self, texts: Sequence[str], *, pooling: Pooling = "mean", words: Literal[False] = False
    ) -> Floats: ...

    @overload
    def embed(
        self, texts: Sequence[str], *, pooling: Pooling = "mean", words: Literal[True]
    ) -> list[WordVectors]: ...

    def embed(
        self, texts: Sequence[str], *, pooling: Pooling = "mean", words: bool = False
    ) -> Floats | list[WordVectors]:
        """Return a vector a text, (n, width), or with `words` those of each text's words."""
        if words:
            return list(self._embedder.words(_many(texts), segmenter(), pooling=pooling))
        return self._embedder.embed(_many(texts), pooling=pooling)

    def embed_stream(self, texts: Iterable[str], *, pooling: Pooling = "mean") -> Iterator[Floats]:
        """Yield the vector of each text, (width,), as the texts come in; memory is bounded by a chunk."""
        return chain.from_iterable(self._embedder.stream(_many(texts), pooling=pooling))

    def nearest(
        self, query: str, among: Sequence[str] | Floats, k: int = 10, *, pooling: Pooling = "mean"
    ) -> list[Neighbour]:
        """Return the `k` nearest of some texts, or of their vectors, to a text, by their cosines."""
        vectors = among if isinstance(among, np.ndarray) else self.embed(among, pooling=pooling)
        places_1K, cosines_1K = nearest(self.embed([query], pooling=pooling), vectors, k)
        return [
            Neighbour(place=place, cosine=cosine)
            for place, cosine in zip(places_1K[0].tolist(), cosines_1K[0].tolist(), strict=True)
        ]


def _many(texts: Iterable[str]) -> Iterable[str]:
    if isinstance(texts, str):
        raise DataError("many texts are needed, not one text", remedy="put it in a list")
    return texts


def plain_encoder(name: str, *, dtype: Dtype = "auto") -> Encoder:
    """Return an encoder that transformers has saved, in a folder or on the hub."""
    if not store.is_hub_name(name):
        store.inspect(Path(name))
    kind = store.read_config(name).model_type
    if kind not in FAMILIES:
        return Encoder(
            store.load_encoder(name), headless=f"zhbert fills no masks with the family {kind}", dtype=dtype
        )
    found = store.load_masked(name, dropout=0.0)
    facts = store.Facts(task=store.MASKED, window=most_tokens(found.model))
    model = found.model.to(store.best_device()).eval()
    stored = store.Stored(model=model, tokenizer=found.tokenizer, facts=facts)
    return Encoder(stored, headless=no_head(found.lacking) if found.lacking else "", dtype=dtype)
