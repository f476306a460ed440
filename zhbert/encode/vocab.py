"""A vocabulary from a corpus: every character that matters, then pieces of Latin words and numbers.

- Order: [PAD] [UNK] [CLS] [SEP] [MASK] are ids 0 to 4 whatever else is asked for; then [unused1] …
  for tokens that a user may want later; then what is always there; characters; pieces.
- Always there: printable ASCII and Chinese punctuation; letters and digits with "##" too, so that no plain
  English word and no number is [UNK].
- Words and characters are counted as the tokenizer will look them up (`words`).
- Characters come by falling count until `coverage` of all character occurrences is reached.
- Pieces: byte-pair merges of the words of letters and digits, the most frequent pair first, as the trainer
  of `tokenizers` does; written out here because that one gave four vocabularies in four runs on one text.
- Equal counts fall to the token that sorts first, so the same texts in any order give the same vocabulary.
- A small corpus gives fewer tokens than `size`; nothing is made up to fill it. Distinct words are held in
  memory: a sample of 100 million characters is plenty.
"""

import heapq
import string
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from zhbert.encode.bert import NAMES, bert_backend
from zhbert.encode.words import Word, count_characters, count_words
from zhbert.errors import ConfigError

CHINESE_MARKS = "，。、；：？！…—·～（）《》〈〉【】「」『』〔〕“”‘’￥％"
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Tokens in the order of their ids, and how well they cover the text that they come from."""

    tokens: tuple[str, ...]
    counts: dict[str, int]
    characters: int
    covered: int
    left_out: int

    @property
    def coverage(self) -> float:
        """The share of the characters of the text that have a token."""
        return self.covered / self.characters if self.characters else 1.0


def build_vocab(
    texts: Iterable[str],
    *,
    size: int = 8000,
    coverage: float = 0.9998,
    min_count: int = 2,
    reserved: int = 16,
    lowercase: bool = True,
) -> Vocabulary:
    """Return a vocabulary of at most `size` tokens for a BERT tokenizer.

    >>> vocabulary = build_vocab(["我爱北京，我爱BERT。", "BERT在北京"], size=200)
    >>> [token for token, count in vocabulary.counts.items() if len(token) > 1 and count > 1]
    ['##e', '##r', '##t', '##er', '##ert', 'bert']
    """
    fixed = [*NAMES.values(), *(f"[unused{i}]" for i in range(1, reserved + 1)), *_always(lowercase)]
    if size < len(fixed):
        raise ConfigError(
            f"a vocabulary of {size} has no room for the {len(fixed)} tokens that are always there"
        )
    splitter = bert_backend([*NAMES.values()], {"do_lower_case": lowercase}, where="vocabulary")
    words = count_words(texts, splitter)
    characters = count_characters(words)
    chosen = choose_characters(characters, set(fixed), coverage=coverage, min_count=min_count)
    tokens = dict.fromkeys(fixed + chosen[: size - len(fixed)])
    pieces: dict[str, int] = {}
    for token, count in merges({word: n for word, n in words.items() if _spelt(word, tokens)}, min_count):
        if len(tokens) >= size:
            break
        tokens.setdefault(token)
        pieces.setdefault(token, count)
    return Vocabulary(
        tokens=tuple(tokens),
        counts={token: characters[token] for token in tokens if token in characters} | pieces,
        characters=characters.total(),
        covered=sum(count for token, count in characters.items() if token in tokens),
        left_out=sum(token not in tokens for token in characters),
    )


def _always(lowercase: bool) -> list[str]:
    letters = string.digits + string.ascii_lowercase + ("" if lowercase else string.ascii_uppercase)
    return [*string.punctuation, *CHINESE_MARKS, *letters, *("##" + letter for letter in letters)]


def choose_characters(
    characters: Counter[str], present: Container[str], *, coverage: float, min_count: int
) -> list[str]:
    """Return the characters to add to those present, by falling count, until the coverage is reached.

    >>> choose_characters(Counter(的=90, 我=9, 你=1), {"我"}, coverage=0.99, min_count=1)
    ['的']
    """
    covered, goal = 0, coverage * characters.total()
    chosen = []
    for token, count in sorted(characters.items(), key=lambda item: (-item[1], item[0])):
        if token in present:
            covered += count
        elif covered < goal and count >= min_count:
            covered += count
            chosen.append(token)
    return chosen


def _spelt(word: Word, tokens: Container[str]) -> bool:
    """Tell whether a word is letters and digits that all have tokens; a ruler of ──── needs no pieces."""
    return all(character in tokens and character[-1].isalnum() for character in word)


def merges(words: dict[Word, int], min_count: int) -> Iterator[tuple[str, int]]:
    """Yield the token and count of each byte-pair merge, the most frequent first.

    The heap holds every count that a pair ever had; one that is no longer true is passed over. So is a
    word in `places` that holds a pair no more.

    >>> list(merges({("b", "##e", "##r"): 3, ("##e", "##r"): 1}, 2))
    [('##er', 4), ('ber', 3)]
    """
    spellings, counts = list(words), list(words.values())
    pairs: Counter[Pair] = Counter()
    places: defaultdict[Pair, set[int]] = defaultdict(set)
    for at, spelling in enumerate(spellings):
        for pair in pairwise(spelling):
            pairs[pair] += counts[at]
            places[pair].add(at)
    heap = [(-count, pair) for pair, count in pairs.items()]
    heapq.heapify(heap)
    while heap:
        count, pair = -heap[0][0], heapq.heappop(heap)[1]
        if count != pairs[pair] or count < min_count:
            continue
        token = pair[0] + pair[1][2:]
        yield token, count
        changes: defaultdict[Pair, int] = defaultdict(int)
        for at in places.pop(pair):
            old, spellings[at] = spellings[at], _merge(spellings[at], pair)
            for neighbours in pairwise(old):
                changes[neighbours] -= counts[at]
            for neighbours in pairwise(spellings[at]):
                changes[neighbours] += counts[at]
                if token in neighbours:
                    places[neighbours].add(at)
        for neighbours, change in changes.items():
            if change:
                pairs[neighbours] += change
                heapq.heappush(heap, (-pairs[neighbours], neighbours))


def _merge(spelling: Word, pair: Pair) -> Word:
    """Return a spelling with every occurrence of the pair made one piece.

    >>> _merge(("n", "##a", "##n", "##a"), ("n", "##a"))
    ('na', '##n', '##a')
    """
    merged: list[str] = []
    for piece in spelling:
        if merged and (merged[-1], piece) == pair:
            merged[-1] += piece[2:]
        else:
            merged.append(piece)
    return tuple(merged)
