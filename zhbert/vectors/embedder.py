"""Texts into vectors with an encoder, and words in their contexts.

What is peculiar:

- A text of any length is read whole: in windows that overlap by an eighth, and every token is taken from the
  window where it has most context. A window's weight is the number of tokens that it answers for, its [CLS]
  and [SEP] among them; so a text that fits one window gets what plain transformers gives.
- `mean` is the mean of the last layer over all tokens ([CLS] and [SEP] too, as in sentence-transformers),
  `cls` what stands at [CLS], `last4` the mean over tokens of the mean of the last four layers.
- An empty text is [CLS][SEP] and has a vector like any other.
- A word is the mean of the tokens that touch it; one that no token touches, such as a space, has no vector.
- On a GPU that can, the model computes in bfloat16, as in predicting; what it says is pooled in float32.
- Windows of like length go through the model together, without padding (`model/unpadded.py`); what is in
  memory at once is a chunk of texts.

Shapes: N texts, L tokens of a text, B windows, T tokens of windows with [CLS] and [SEP], W words, K tokens
that stand for characters, P pairs of a word and a token that touches it, H hidden.
"""

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import PreTrainedModel

from zhbert.encode.tokenizer import Encoded
from zhbert.encode.windows import owners, windows
from zhbert.errors import ConfigError, DataError
from zhbert.model.encoder import most_tokens
from zhbert.model.store import Stored
from zhbert.model.unpadded import can_unpad, in_half, unpadded
from zhbert.precision import Dtype
from zhbert.text.segment import Segmenter, ranges
from zhbert.vectors.nearest import Floats, Ints

Pooling = Literal["mean", "cls", "last4"]

CHUNK, CHARACTERS = 1024, 400_000  # the most of a chunk, but that a text is never cut
OF_WORDS = 30_000  # characters of a chunk whose every token is kept
TOKENS = 8192  # tokens that go through the model at once
LAYERS: dict[Pooling, int] = {"mean": 1, "cls": 1, "last4": 4}


@dataclass(frozen=True, slots=True, eq=False)
class WordVectors:
    """The words of a text that have tokens: their characters in the text, and a vector each."""

    offsets_W2: Ints
    vectors_WH: Floats

    def __len__(self) -> int:
        return len(self.offsets_W2)

    def words(self, text: str) -> list[str]:
        """Return the words as they stand in the text."""
        return [text[start:end] for start, end in self.offsets_W2.tolist()]


@dataclass(frozen=True, slots=True, eq=False)
class _Window:
    """Tokens of a text from `start` on; it answers for those from `first` to `stop`."""

    text: int
    ids: NDArray[np.int32]
    start: int
    first: int
    stop: int


class Embedder:
    """An encoder that makes vectors; `lock` is held while the model works, which others may share."""

    def __init__(
        self, stored: Stored, *, lock: AbstractContextManager[Any] | None = None, dtype: Dtype = "auto"
    ) -> None:
        assert isinstance(stored.model, PreTrainedModel), "a graph has no hidden states"
        self.model, self.tokenizer = stored.model.base_model, stored.tokenizer
        self.width = int(self.model.config.hidden_size)
        self._room = max(1, min(stored.facts.window, most_tokens(stored.model)) - 2)
        self._half = in_half(self.model, dtype)
        self._lock = lock or threading.Lock()

    def embed(self, texts: Iterable[str], *, pooling: Pooling = "mean") -> Floats:
        """Return a vector a text, (N, H), in the order of the texts."""
        return np.concatenate([np.zeros((0, self.width), np.float32), *self.stream(texts, pooling=pooling)])

    def stream(self, texts: Iterable[str], *, pooling: Pooling = "mean") -> Iterator[Floats]:
        """Yield vectors of a chunk of texts, (n, H), as the texts come in."""
        _check(pooling)
        for chunk in chunks(texts, characters=CHARACTERS):
            yield self._vectors(chunk, pooling)

    def words(
        self, texts: Iterable[str], cutter: Segmenter, *, pooling: Pooling = "mean"
    ) -> Iterator[WordVectors]:
        """Yield the vectors of the words of each text; `last4` takes four layers, `mean` the last."""
        _check(pooling)
        if pooling == "cls":
            raise ConfigError("a word has no [CLS]", remedy="mean or last4")
        for chunk in chunks(texts, characters=OF_WORDS):
            encoded = self.tokenizer.encode_batch(chunk)
            hidden = [np.empty((len(one), self.width), np.float32) for one in encoded]
            for batch in self._batches(encoded):
                bounds, hidden_TH = self._hidden(batch, pooling)
                rows_TH = hidden_TH.cpu().numpy()
                for window, (at, end) in zip(batch, pairwise(bounds), strict=True):
                    hidden[window.text][window.first : window.stop] = rows_TH[_taken(window, at, end)[1:-1]]
            for text, one, hidden_LH in zip(chunk, encoded, hidden, strict=True):
                yield _pooled(ranges(cutter.ends(text)), one.offsets, hidden_LH)

    def _vectors(self, texts: Sequence[str], pooling: Pooling) -> Floats:
        sums_NH = np.zeros((len(texts), self.width))
        counts_N = np.zeros(len(texts))
        for batch in self._batches(self.tokenizer.encode_batch(texts)):
            texts_B = np.array([window.text for window in batch])
            counts_B = np.array([window.stop - window.first + 2 for window in batch])
            np.add.at(sums_NH, texts_B, self._sums(batch, counts_B, pooling))
            np.add.at(counts_N, texts_B, counts_B)
        return (sums_NH / counts_N[:, None]).astype(np.float32)

    def _sums(self, batch: Sequence[_Window], counts_B: Ints, pooling: Pooling) -> NDArray[np.float64]:
        """Return for each window its mean (or its [CLS]) times the number of tokens it answers for."""
        bounds, hidden_TH = self._hidden(batch, pooling)
        if pooling == "cls":
            firsts_BH = hidden_TH[torch.tensor(bounds[:-1], device=hidden_TH.device)].cpu().numpy()
            return firsts_BH.astype(np.float64) * counts_B[:, None]
        takes = [_taken(window, at, end) for window, (at, end) in zip(batch, pairwise(bounds), strict=True)]
        places_T = torch.from_numpy(np.concatenate(takes)).to(hidden_TH.device)
        windows_T = torch.from_numpy(np.repeat(np.arange(len(batch)), counts_B)).to(hidden_TH.device)
        sums_BH = hidden_TH.new_zeros(len(batch), self.width)
        return sums_BH.index_add_(0, windows_T, hidden_TH[places_T]).cpu().numpy().astype(np.float64)

    def _batches(self, encoded: Sequence[Encoded]) -> Iterator[list[_Window]]:
        """Yield all windows of some texts, longest first, so many that their tokens stay below a budget."""
        found = [window for text, one in enumerate(encoded) for window in self._windows(text, one)]
        padded, batch, held = not can_unpad(self.model), list[_Window](), 0
        for window in sorted(found, key=lambda window: -len(window.ids)):
            longest = batch[0] if batch and padded else window  # padding makes every row as long as the first
            size = len(longest.ids) + 2
            if batch and held + size > TOKENS:
                yield batch
                batch, held, size = [], 0, len(window.ids) + 2
            batch.append(window)
            held += size
        if batch:
            yield batch

    def _windows(self, text: int, encoded: Encoded) -> Iterator[_Window]:
        if len(encoded) <= self._room:
            yield _Window(text, encoded.ids, 0, 0, len(encoded))
            return
        cut = windows(len(encoded), size=self._room, stride=self._room - self._room // 8)
        bounds = np.searchsorted(owners(len(encoded), cut), np.arange(len(cut) + 1)).tolist()
        for (start, end), (first, stop) in zip(cut, pairwise(bounds), strict=True):
            yield _Window(text, encoded.ids[start:end], start, first, stop)

    @torch.inference_mode()
    def _hidden(self, batch: Sequence[_Window], pooling: Pooling) -> tuple[list[int], Tensor]:
        """Return where each window begins among the tokens of all (and their end), and the hidden states."""
        special, device = self.tokenizer.special, self.model.device
        lengths = [len(window.ids) + 2 for window in batch]
        ids_BL = np.full((len(batch), max(lengths)), special.pad, dtype=np.int64)
        for row, window in enumerate(batch):
            ids_BL[row, : lengths[row]] = [special.cls, *window.ids.tolist(), special.sep]
        mask_BL = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).to(device)
        count = LAYERS[pooling]
        with self._lock, unpadded(self.model, half=self._half):
            output = self.model(
                input_ids=torch.from_numpy(ids_BL).to(device),
                attention_mask=mask_BL.long(),
                output_hidden_states=count > 1,
            )
        layers = output.hidden_states[-count:] if count > 1 else [output.last_hidden_state]
        flat = count > 1 and can_unpad(self.model)  # inside, the rows lie end to end
        found = torch.stack([(layer[0] if flat else layer[mask_BL]).float() for layer in layers])
        return [0, *np.cumsum(lengths).tolist()], found.mean(0)


def chunks(texts: Iterable[str], *, characters: int) -> Iterator[list[str]]:
    """Cut texts, in order, into runs of so many characters and at most CHUNK texts, or one text.

    >>> [len(chunk) for chunk in chunks(["字" * n for n in (9, 3, 5, 2)], characters=10)]
    [1, 3]
    """
    if isinstance(texts, str):
        raise DataError("many texts are needed, not one text", remedy="put it in a list")
    chunk: list[str] = []
    held = 0
    for text in texts:
        if not isinstance(text, str):
            raise DataError(f"a text is needed, not {type(text).__name__}")
        if chunk and (held + len(text) > characters or len(chunk) == CHUNK):
            yield chunk
            chunk, held = [], 0
        chunk.append(text)
        held += len(text)
    if chunk:
        yield chunk


def _check(pooling: str) -> None:
    if pooling not in LAYERS:
        raise ConfigError(f'no pooling "{pooling}"', remedy=f"known: {', '.join(LAYERS)}")


def _taken(window: _Window, at: int, end: int) -> Ints:
    """Return the places of what a window answers for: [CLS], its own tokens, [SEP]."""
    own = np.arange(window.first, window.stop) - window.start + at + 1
    return np.concatenate([[at], own, [end - 1]])


def _pooled(words_W2: Ints, tokens_L2: NDArray[np.int32], hidden_LH: Floats) -> WordVectors:
    """Return the mean of the tokens that touch each word, of those words that a token touches."""
    real_K = np.flatnonzero(tokens_L2[:, 0] < tokens_L2[:, 1])
    firsts_K = np.searchsorted(words_W2[:, 1], tokens_L2[real_K, 0], side="right")
    counts_K = np.searchsorted(words_W2[:, 0], tokens_L2[real_K, 1], side="left") - firsts_K
    tokens_P = np.repeat(real_K, counts_K)
    steps_P = np.arange(len(tokens_P)) - np.repeat(np.cumsum(counts_K) - counts_K, counts_K)
    words_P = np.repeat(firsts_K, counts_K) + steps_P
    found_W, begins_W, sizes_W = np.unique(words_P, return_index=True, return_counts=True)
    if not len(found_W):
        return WordVectors(np.zeros((0, 2), np.int64), np.zeros((0, hidden_LH.shape[1]), np.float32))
    sums_WH = np.add.reduceat(hidden_LH[tokens_P], begins_W, axis=0)
    return WordVectors(words_W2[found_W], (sums_WH / sizes_W[:, None]).astype(np.float32))
