"""How often the words of a tokenizer occur in a corpus, cut into characters in WordPiece form.

What is counted is what will be looked up: texts go through the tokenizer's own normaliser and word
splitter, to which every Han character and every mark of punctuation is a word. All other characters
(Latin, kana, Cyrillic, ℃, emoji) stand in words, and each is counted apart as first ("ア") and as later
("##ア"). Distinct words are held in memory; the texts pass by once, a million characters at a time.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain

import numpy as np
import tokenizers

from zhbert.encode.characters import GAP, RUN, Characters, code_points, run_texts

AT_ONCE = 1_000_000  # characters
LONGEST_WORD = 100  # characters; the tokenizer makes one [UNK] of a longer word
Word = tuple[str, ...]


def count_words(texts: Iterable[str], backend: tokenizers.Tokenizer) -> dict[Word, int]:
    """Return how often each word of a BERT tokenizer occurs, spelt in characters.

    >>> from zhbert.encode.bert import NAMES, bert_backend
    >>> count_words(["爱BERT"], bert_backend([*NAMES.values()], {}, where=""))
    {('爱',): 1, ('b', '##e', '##r', '##t'): 1}
    """
    words: Counter[Word] = Counter()
    for chunk, times in _count_chunks(texts, Characters(backend)):
        normal = backend.normalizer.normalize_str(chunk)
        for word, _ in backend.pre_tokenizer.pre_tokenize_str(normal):
            if len(word) <= LONGEST_WORD:
                words[word[0], *("##" + character for character in word[1:])] += times
    return dict(words)


def count_characters(words: dict[Word, int]) -> Counter[str]:
    """Return how often each character occurs in some words, first and later ones apart.

    >>> count_characters({("爱",): 2, ("a", "##b", "##b"): 3})
    Counter({'##b': 6, 'a': 3, '爱': 2})
    """
    characters: Counter[str] = Counter()
    for word, times in words.items():
        for character in word:
            characters[character] += times
    return characters


def _count_chunks(texts: Iterable[str], characters: Characters) -> Iterator[tuple[str, int]]:
    """Yield the characters that stand alone and the runs, with their counts."""
    alone_V = np.zeros(sys.maxunicode + 1, dtype=np.int64)
    runs: Counter[str] = Counter()
    for batch in _batches(texts):
        codes_N = code_points(batch)
        kinds_N = characters.kinds(codes_N)
        alone_V += np.bincount(codes_N[kinds_N > GAP], minlength=len(alone_V))
        runs.update(run_texts(codes_N, kinds_N == RUN))
    alone = ((chr(code), int(alone_V[code])) for code in np.flatnonzero(alone_V))
    return chain(alone, runs.items())


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    """Yield texts in lists of about a million characters."""
    batch: list[str] = []
    held = 0
    for text in texts:
        batch.append(text)
        held += len(text)
        if held >= AT_ONCE:
            yield batch
            batch, held = [], 0
    yield batch
