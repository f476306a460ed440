"""Texts to tokens, many texts at once: characters by table, runs from memory, the backend for what is new.

What is peculiar:

- Ids and offsets are those of the `tokenizers` backend for each text alone. The tests hold them against it
  on random texts, on every code point in several places, and on real text.
- What stands alone (Han, punctuation) is looked up, see `characters`. A run (a Latin word, a number, emoji)
  is encoded once and remembered.
- A text that spells an added token such as "[MASK]" goes through the backend whole, as if it were one run.
- The memory is emptied when FULL, and nothing depends on what it holds. One lock guards it: threads may
  share an encoder, but one waits for the other. A copy in another process begins with an empty memory.

Shapes: D texts, N characters of all texts with a line feed after each, P places where tokens begin, R runs,
S tokens of runs, T tokens of all; `_T2` is a start and an end, `_S3` an id, a start and an end.
"""

import re
import threading
from array import array
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, count, groupby, islice
from typing import Any

import numpy as np
import tokenizers
from numpy.typing import NDArray

from zhbert.encode.characters import GAP, RUN, Characters, Codes, code_points, run_texts

FULL = 2_000_000  # characters of remembered runs: some 250,000 words, 50 MB
AT_ONCE = 100  # runs; the backend takes 4 µs for each in company, 9 µs alone
_SURROGATE = re.compile("[\ud800-\udfff]")
Ids = NDArray[np.int32]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Flat:
    """The tokens of many texts in one row.

    Offsets count characters of all texts joined by line feeds, where text d begins at `begins[d]`; its
    tokens end before token `docs[d]`.
    """

    ids: Ids
    starts: Ints
    ends: Ints
    docs: Ints
    begins: Ints


class TableEncoder:
    """The tokens of a BERT tokenizer, fast.

    >>> from zhbert.encode.bert import NAMES, bert_backend
    >>> backend = bert_backend([*NAMES.values(), "我", "爱", "bert", "##s"], {}, where="")
    >>> flat = TableEncoder(backend).encode(["我爱", "BERTs我"])
    >>> flat.ids.tolist(), flat.starts.tolist(), flat.ends.tolist(), flat.docs.tolist()
    ([5, 6, 7, 8, 5], [0, 1, 3, 7, 8], [1, 2, 7, 8, 9], [2, 5])
    """

    def __init__(self, backend: tokenizers.Tokenizer) -> None:
        self._backend = backend
        self._added = sorted(token.content for token in backend.get_added_tokens_decoder().values())
        self._characters = Characters(backend)
        self._memory = _Memory(backend, self._characters.plain)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._backend,)

    @staticmethod
    def fit(backend: tokenizers.Tokenizer) -> bool:
        """Return whether a tokenizer is a BERT's and finds added tokens in the text as it stands."""
        added = backend.get_added_tokens_decoder().values()
        return Characters.fit(backend) and not any(token.normalized for token in added)

    def encode(self, texts: Sequence[str]) -> Flat:
        """Return the tokens of all texts."""
        codes_N, bounds = code_points(texts), _bounds(texts)
        kinds_N = self._characters.kinds(codes_N)
        whole = np.unique(np.searchsorted(bounds, self._spelt(codes_N), side="right") - 1)
        for d in whole:
            kinds_N[bounds[d] : bounds[d + 1] - 1] = RUN
        run_N = kinds_N == RUN
        first_N = run_N.copy()
        first_N[1:] &= ~run_N[:-1]
        places_P = np.flatnonzero(first_N | (kinds_N > GAP))
        sizes_R, tokens_S3 = self._memory.recall(run_texts(codes_N, run_N), self._added if len(whole) else [])
        ids, starts, ends = _lay(places_P, kinds_N[places_P], first_N[places_P], sizes_R, tokens_S3)
        return Flat(ids, starts, ends, np.searchsorted(starts, bounds[1:]), bounds[:-1])

    def _spelt(self, codes_N: Codes) -> Ints:
        """Return where added tokens are spelt out."""
        found = [np.empty(0, dtype=np.int64)]
        for first, tokens in groupby(self._added, key=lambda token: token[0]):
            starts = np.flatnonzero(codes_N == ord(first))
            for token in tokens:
                at = starts[starts + len(token) <= len(codes_N)]
                for i, character in enumerate(token[1:], 1):
                    at = at[codes_N[at + i] == ord(character)]
                found.append(at)
        return np.concatenate(found)


def _lay(
    places_P: Ints, kinds_P: Ids, run_P: NDArray[np.bool_], sizes_R: Ints, tokens_S3: Ids
) -> tuple[Ids, Ints, Ints]:
    """Return ids, starts and ends: one token where a character stands alone, its own where a run begins."""
    sizes_P = np.ones(len(places_P), dtype=np.int64)
    sizes_P[run_P] = sizes_R
    ids_T, starts_T = np.repeat(kinds_P, sizes_P), np.repeat(places_P, sizes_P)
    ends_T, run_T = starts_T + 1, np.repeat(run_P, sizes_P)
    ids_T[run_T] = tokens_S3[:, 0]
    ends_T[run_T] += tokens_S3[:, 2] - 1
    starts_T[run_T] += tokens_S3[:, 1]
    return ids_T, starts_T, ends_T


class _Memory:
    """The tokens of every run seen so far: of run r, those from `_firsts[r]` to `_firsts[r + 1]`."""

    def __init__(self, backend: tokenizers.Tokenizer, plain: tokenizers.Tokenizer) -> None:
        self._backend, self._plain = backend, plain
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self._rows: defaultdict[str, int] = defaultdict(count().__next__)
        self._firsts, self._tokens, self._held = array("q", [0]), array("i"), 0

    def recall(self, runs: list[str], added: list[str]) -> tuple[Ints, Ids]:
        """Return how many tokens each run has, and all of them with their offsets in the run.

        A run that spells one of `added` is a whole text.
        """
        with self._lock:
            if self._held > FULL or len(self._rows) >= len(self._firsts):  # the latter: interrupted
                self._forget()
            rows_R = np.fromiter(map(self._rows.__getitem__, runs), np.int64, len(runs))
            self._learn(added)
            return self._of(rows_R)

    def _of(self, rows_R: Ints) -> tuple[Ints, Ids]:
        """Return what `recall` does; no view of the arrays, which could not grow, outlives the lock."""
        firsts = np.asarray(self._firsts)
        sizes_R = firsts[rows_R + 1] - firsts[rows_R]
        ends_R = np.cumsum(sizes_R)
        rows_S = np.repeat(firsts[rows_R] - ends_R + sizes_R, sizes_R) + np.arange(sizes_R.sum())
        return sizes_R, np.asarray(self._tokens).reshape(-1, 3)[rows_S]

    def _learn(self, added: list[str]) -> None:
        """Encode the runs that have a row but no tokens yet, which are the last."""
        missing = len(self._rows) + 1 - len(self._firsts)
        new = list(islice(reversed(self._rows), missing))[::-1]
        for whole, group in groupby(new, key=lambda run: any(token in run for token in added)):
            runs, step = list(group), 1 if whole else AT_ONCE
            for i in range(0, len(runs), step):
                self._keep(runs[i : i + step], self._backend if whole else self._plain)

    def _keep(self, runs: list[str], backend: tokenizers.Tokenizer) -> None:
        """Encode runs as one text, a space between each two, and keep their tokens."""
        encoding = backend.encode(" ".join(runs), add_special_tokens=False)
        bounds, offsets_T2 = _bounds(runs), _offsets(encoding)
        run_T = np.searchsorted(bounds, offsets_T2[:, 0], side="right") - 1
        tokens_T3 = np.column_stack([encoding.ids, offsets_T2 - bounds[run_T, None]])
        firsts = self._firsts[-1] + np.cumsum(np.bincount(run_T, minlength=len(runs)))
        self._tokens.frombytes(tokens_T3.astype(np.int32).tobytes())
        self._firsts.frombytes(firsts.tobytes())
        self._held += int(bounds[-1])


class BackendEncoder:
    """The tokens of any tokenizer, by its backend alone."""

    def __init__(self, backend: tokenizers.Tokenizer) -> None:
        self._backend = backend

    def encode(self, texts: Sequence[str]) -> Flat:
        """Return the tokens of all texts."""
        clean = [_SURROGATE.sub("\ufffd", text) for text in texts]
        encodings = self._backend.encode_batch(clean, add_special_tokens=False)
        sizes_D, begins_D = np.array([len(e) for e in encodings], dtype=np.int64), _bounds(texts)[:-1]
        ids = np.fromiter(chain.from_iterable(e.ids for e in encodings), np.int32, sizes_D.sum())
        offsets_T2 = np.concatenate([np.empty((0, 2), dtype=np.int64), *map(_offsets, encodings)])
        starts, ends = offsets_T2.T + np.repeat(begins_D, sizes_D)
        return Flat(ids, starts, ends, np.cumsum(sizes_D), begins_D)


def _offsets(encoding: tokenizers.Encoding) -> Ints:
    flat = np.fromiter(chain.from_iterable(encoding.offsets), np.int64, 2 * len(encoding))
    return flat.reshape(-1, 2)


def _bounds(texts: Sequence[str]) -> Ints:
    """Return where each text begins among all, and where the next one would.

    >>> _bounds(["我爱", "", "北京"]).tolist()
    [0, 3, 4, 7]
    """
    bounds = np.zeros(len(texts) + 1, dtype=np.int64)
    np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)) + 1, out=bounds[1:])
    return bounds
