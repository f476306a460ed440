"""Words that may stand for each other, of the same number of tokens: what `mac` puts instead of [MASK].

Two kinds of file are read, told apart by their first line:

    # zhbert similar words ...         the output of `zhbert similar`: word, count, then a similar word and
    北京    806    上海 0.912 ...       how similar it is, and so on, with tabs between
    Aa01A01= 人 士 人物 人士           a thesaurus in the form of 同义词词林 (Cilin), UTF-8 or GB18030

- Of a thesaurus the lines with `=` count, whose words are synonyms; those of `#` are only related, and the
  word of `@` stands alone. A word in several lines is similar to the words of all of them, at most MOST.
- A word is known by the ids of its tokens, and looked up by a hash of them; two words of one hash are so
  unlikely (2e-6 for a million words) that nothing is compared again.
- A word that the tokenizer does not know, or that has more than LONGEST tokens, is left out.

Shapes: K words, in the order of their keys and so of their lengths; N tokens of words; M chosen tokens,
W chosen words; `_K1`, `_W1` are boundaries.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, compress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zhbert.encode.draws import GOLDEN, Bits, Ints, below, mix
from zhbert.encode.pack import ranges
from zhbert.encode.strategies import LONGEST
from zhbert.encode.tokenizer import Tokenizer
from zhbert.errors import DataError

HEAD = "# zhbert similar words: word, count, then each similar word and how similar it is"
MOST = 50
_LENGTH = np.uint64(58)  # the bits of a key above these are the length of its word
_FIGURE = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_GROUP = re.compile(r"[A-Z][a-z][0-9]{2}[A-Z][0-9]{2}([=#@])((?:\s+\S+)*)\s*")
Similar = dict[str, list[str]]


def keys_of(ids_N: Ints, firsts_W: Ints) -> Bits:
    """Return a key for each word: its length, and a hash of its ids and their places.

    >>> one, other, longer = keys_of(np.array([5, 6, 6, 5, 5, 6, 7]), np.array([0, 2, 4])).tolist()
    >>> one != other, one < longer > other
    (True, True)
    """
    if not len(firsts_W):
        return np.empty(0, np.uint64)
    lengths_W = np.diff(firsts_W, append=len(ids_N))
    places_N = np.arange(len(ids_N)) - np.repeat(firsts_W, lengths_W)
    stirred_N = mix(places_N.astype(np.uint64) * GOLDEN + ids_N.astype(np.uint64))
    keys_W = mix(np.add.reduceat(stirred_N, firsts_W)) >> np.uint64(64) - _LENGTH
    keys_W |= np.minimum(lengths_W, 63).astype(np.uint64) << _LENGTH
    return keys_W


def length_of(keys: Bits) -> Ints:
    """Return the number of tokens of the words that have these keys."""
    return (keys >> _LENGTH).astype(np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class SimilarWords:
    """Words and which of them are similar: to word k those in near[near_K1[k]:near_K1[k + 1]].

    >>> from zhbert.encode.bert import NAMES
    >>> tokenizer = Tokenizer.from_vocab([*NAMES.values(), *"北京上海大连的"])
    >>> words = SimilarWords.of({"北京": ["上海", "的"], "的": []}, tokenizer)
    >>> words.similar("北京", tokenizer), words.similar("的", tokenizer), words.similar("大连", tokenizer)
    (['上海'], [], [])
    """

    keys_K: Bits
    ids_N: Ints
    firsts_K1: Ints
    near: Ints
    near_K1: Ints
    lengths: Ints  # the words of n tokens are those from lengths[n] to lengths[n + 1]

    @classmethod
    def of(cls, similar: Similar, tokenizer: Tokenizer) -> "SimilarWords":
        """Return what is known of some words; what has another number of tokens is similar to none."""
        names = sorted({*similar, *(name for others in similar.values() for name in others)})
        names, ids_N, firsts_W1 = _known(names, tokenizer)
        keys_K, order_K = np.unique(keys_of(ids_N, firsts_W1[:-1]), return_index=True)
        lengths_K = np.diff(firsts_W1)[order_K]
        row_of = np.empty(len(names), np.int64)
        row_of[order_K] = np.arange(len(order_K))
        rows, sizes = dict(zip(names, row_of.tolist(), strict=True)), lengths_K.tolist()
        near: list[list[int]] = []
        for row, name in enumerate(names[i] for i in order_K.tolist()):
            others = dict.fromkeys(rows[other] for other in similar.get(name, []) if other in rows)
            near.append([other for other in others if other != row and sizes[other] == sizes[row]][:MOST])
        return cls(
            keys_K=keys_K,
            ids_N=ids_N[ranges(firsts_W1[order_K], lengths_K)],
            firsts_K1=np.concatenate([[0], np.cumsum(lengths_K)]),
            near=np.fromiter(chain.from_iterable(near), np.int64),
            near_K1=np.concatenate([[0], np.cumsum([len(found) for found in near], dtype=np.int64)]),
            lengths=np.searchsorted(lengths_K, np.arange(LONGEST + 2)),
        )

    @cached_property
    def _slots(self) -> NDArray[np.int32]:
        """One word for each value of a few bits of keys, -1 for none: most words are found at one look."""
        slots = np.full(1 << max(4, (4 * len(self.keys_K)).bit_length()), -1, np.int32)
        slots[self._slot(self.keys_K, len(slots))] = np.arange(len(self.keys_K))
        return slots

    @staticmethod
    def _slot(keys: Bits, size: int) -> Ints:
        return (keys & np.uint64(size - 1)).view(np.int64)

    def find(self, keys_W: Bits) -> Ints:
        """Return the place of each word, -1 for an unknown one."""
        if not len(self.keys_K):
            return np.full(len(keys_W), -1)
        found_W = self._slots[self._slot(keys_W, len(self._slots))].astype(np.int64)
        other = np.flatnonzero((found_W >= 0) & (self.keys_K[found_W] != keys_W))
        places = np.minimum(np.searchsorted(self.keys_K, keys_W[other]), len(self.keys_K) - 1)
        found_W[other] = np.where(self.keys_K[places] == keys_W[other], places, -1)
        return found_W

    def instead(self, keys_W: Bits, *, bits_W: Bits, similar_W: NDArray[np.bool_]) -> Ints:
        """Return a similar word for each word that is to have one, else any word of its length, else -1.

        One half of the random bits says which similar word it is, the other which of any.
        """
        lengths_W = np.minimum(length_of(keys_W), LONGEST)
        begins_W, ends_W = self.lengths[lengths_W], self.lengths[lengths_W + 1]
        words_W = np.where(
            ends_W > begins_W, begins_W + below(bits_W << np.uint64(32), ends_W - begins_W), -1
        )
        asked = np.flatnonzero(similar_W)
        found = self.find(keys_W[asked])
        asked, found = asked[found >= 0], found[found >= 0]
        counts = self.near_K1[found + 1] - self.near_K1[found]
        asked, found, counts = asked[counts > 0], found[counts > 0], counts[counts > 0]
        words_W[asked] = self.near[self.near_K1[found] + below(bits_W[asked], counts)]
        return words_W

    def tokens(self, words_W: Ints, lengths_W: Ints) -> Ints:
        """Return the tokens of some words on end, and as many -1 as are wanted where there is no word."""
        places_M = ranges(np.where(words_W >= 0, self.firsts_K1[words_W], -LONGEST), lengths_W)
        ids_M = np.full(len(places_M), -1)
        known = np.flatnonzero(places_M >= 0)
        ids_M[known] = self.ids_N[places_M[known]]
        return ids_M

    def similar(self, word: str, tokenizer: Tokenizer) -> list[str]:
        """Return the words that are similar to one, the nearest first."""
        _, ids_N, firsts_W1 = _known([word], tokenizer)
        (k,) = self.find(keys_of(ids_N, firsts_W1[:-1])).tolist() or [-1]
        near = self.near[self.near_K1[k] : self.near_K1[k + 1]].tolist() if k >= 0 else []
        return [tokenizer.decode(self.ids_N[self.firsts_K1[n] : self.firsts_K1[n + 1]]) for n in near]


def _known(names: Sequence[str], tokenizer: Tokenizer) -> tuple[list[str], Ints, Ints]:
    """Return the words that the tokenizer knows, their ids on end, where each begins and the next would."""
    flat = tokenizer.encode_flat(names)
    lengths_W = np.diff(flat.docs, prepend=0)
    unknown = np.concatenate([[0], np.cumsum(flat.ids == tokenizer.special.unk)])
    known_W = unknown[flat.docs] == unknown[flat.docs - lengths_W]
    known_W &= (lengths_W > 0) & (lengths_W <= LONGEST)
    ids_N = flat.ids[np.repeat(known_W, lengths_W)].astype(np.int64)
    return list(compress(names, known_W)), ids_N, np.concatenate([[0], np.cumsum(lengths_W[known_W])])


def read_similar(path: Path, tokenizer: Tokenizer) -> SimilarWords:
    """Return the similar words of a file."""
    lines = enumerate(_text(path).replace("\r", "").split("\n"), 1)
    numbered = [(f"{path}:{number}", line) for number, line in lines if line.strip()]
    ours = bool(numbered) and numbered[0][1].startswith(HEAD.partition(":")[0])
    words = SimilarWords.of(_neighbours(numbered[1:]) if ours else _thesaurus(numbered), tokenizer)
    if not len(words.near):
        remedy = "is it the list for this tokenizer?"
        raise DataError("no two words of as many tokens are similar", where=path, remedy=remedy)
    return words


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=path) from error
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise DataError("neither UTF-8 nor GB18030", where=path, remedy="save the file as UTF-8")


def _neighbours(lines: Iterable[tuple[str, str]]) -> Similar:
    similar: Similar = {}
    for where, line in lines:
        word, *fields = line.split("\t")
        pairs = [field.rpartition(" ") for field in fields[1:]]
        if not word or not fields or not all(one and _FIGURE.fullmatch(figure) for one, _, figure in pairs):
            remedy = "write word, count, then each similar word, a space and a figure, with tabs between"
            raise DataError(f'not a line of similar words: "{line[:40]}"', where=where, remedy=remedy)
        similar[word] = [other for other, _, _ in pairs]
    return similar


def _thesaurus(lines: Iterable[tuple[str, str]]) -> Similar:
    """Return the synonyms of each word.

    >>> _thesaurus([("1", "Aa01A01= 人 士"), ("2", "Bb02C03= 士 兵 士"), ("3", "Bb02C04# 兵 卒")])
    {'人': ['士'], '士': ['人', '兵'], '兵': ['士']}
    """
    similar: Similar = {}
    for where, line in lines:
        match = _GROUP.fullmatch(line)
        if not match:
            remedy = 'write a group as "Aa01A01= 人 士", or give the output of `zhbert similar`'
            raise DataError(f'not a line of a thesaurus: "{line[:40]}"', where=where, remedy=remedy)
        group = list(dict.fromkeys(match[2].split())) if match[1] == "=" else []
        for word in group:
            known = similar.setdefault(word, [])
            known += [other for other in group if other != word and other not in known]
    return similar
