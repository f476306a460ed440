"""A vocabulary extended for a domain: what a corpus needs and a model's tokenizer lacks.

What is peculiar:

- Ids of old tokens stay. New tokens come after the last one, so an embedding gets new rows at its end; with
  `fill_unused` they first take the ids of the [unusedN] tokens, which then are no more.
- First the characters that have no token, by falling count; Han stays one token a character. Then pieces of
  words in alphabets (Latin, Greek, Cyrillic): byte-pair merges that go on from the old pieces.
- A piece must earn its row. The tokenizer takes the longest piece that fits, so merges on the way to a word
  are seldom met once the word is there. So CANDIDATES times as many are tried, and while there is no room
  the quarter that saves the fewest tokens leaves. What is met less than `min_count` times leaves too.
- No word becomes [UNK] that was none: a piece that bars the way to the rest of a word is left out.
- A new row of an embedding starts as the mean of old ones (see `extension`): the token's old pieces; or the
  token without "##", or with it; or what it is like (鄴 邺, ㎏ kg, “ "); or, where nothing is known, a
  whole group: "Han", "punctuation" or "all".
"""

import re
from collections import Counter
from collections.abc import Collection, Container, Iterable, Iterator
from itertools import chain, count, islice

from zhbert.encode.characters import Characters
from zhbert.encode.extension import Extension, NewToken
from zhbert.encode.tokenizer import Tokenizer
from zhbert.encode.vocab import choose_characters, merges
from zhbert.encode.words import Word, count_characters, count_words
from zhbert.errors import ModelError
from zhbert.text.normalize import normalize
from zhbert.text.scripts import SCRIPTS, count_scripts

CANDIDATES, LEAST = 4, 1000  # pieces to choose from: for each one wanted, and at all
_GROUPS = ("Han", "punctuation")
_UNUSED = re.compile(r"\[unused\d+\]")
_LIKE = str.maketrans("“”‘’`—–―‐", "\"\"'''----")  # bert-base-chinese knows none of the left ones
_BEYOND_ALPHABETS = "\u2e80"  # from here on: CJK, kana, Hangul, full-width forms, emoji


def extend(
    base: Tokenizer,
    texts: Iterable[str],
    *,
    room: int = 2000,
    min_count: int = 20,
    fill_unused: bool = False,
    where: object = "",
) -> tuple[Tokenizer, Extension]:
    """Return a tokenizer with at most `room` tokens more, for texts such as these, and what is new in it.

    >>> base = Tokenizer.from_vocab(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "肺", "c", "##t", "t"])
    >>> tokenizer, extension = extend(base, ["肺炎CT", "CT"], min_count=1)
    >>> [(new.token, new.id, new.count, new.init or new.group) for new in extension.tokens]
    [('炎', 9, 1, 'Han'), ('ct', 10, 2, (6, 7))]
    """
    if not Characters.fit(base.backend):
        raise ModelError("only the tokenizer of a BERT can be extended", where=where)
    vocabulary = base.backend.get_vocab(with_added_tokens=True)
    words = count_words(texts, base.backend)
    characters = count_characters(words)
    chosen = choose_characters(characters, vocabulary, coverage=1, min_count=min_count)[:room]
    counts = {token: characters[token] for token in chosen}
    if left := room - len(chosen):
        counts |= _choose_pieces(words, {*vocabulary}, chosen, room=left, min_count=min_count)
    ids = dict(zip(counts, _free_ids(base, fill_unused), strict=False))
    tokenizer = base.extended(ids)
    return tokenizer, _describe(base, tokenizer, ids, counts)


def spell(word: str, vocabulary: Container[str], *, later: bool = False) -> tuple[str, ...]:
    """Return the pieces that WordPiece finds, the longest first; none where it finds no way.

    >>> spell("berts", {"b", "ber", "##t", "##ts"}), spell("北", {"##北"}), spell("北", {"##北"}, later=True)
    (('ber', '##ts'), (), ('##北',))
    """
    pieces: list[str] = []
    start = 0
    while start < len(word):
        mark = "##" if later or start else ""
        ends = range(len(word), start, -1)
        end = next((end for end in ends if mark + word[start:end] in vocabulary), None)
        if end is None:
            return ()
        pieces.append(mark + word[start:end])
        start = end
    return tuple(pieces)


def _choose_pieces(
    words: dict[Word, int], old: set[str], chosen: Collection[str], *, room: int, min_count: int
) -> dict[str, int]:
    """Return the pieces to add, and how often each is met once all are there."""
    known = old.union(chosen)
    whole = {word[0] + "".join(character[2:] for character in word[1:]): n for word, n in words.items()}
    spelt = {word: pieces for word in whole if len(pieces := spell(word, known)) > 1}
    alphabetic = (word for word in spelt if _is_alphabetic(word) and old.issuperset(spelt[word]))
    found = (token for token, _ in merges({spelt[word]: whole[word] for word in alphabetic}, min_count))
    wanted = (token for token in found if token not in old and any(map(str.isalpha, token)))
    saving = {token: _length(token, old) - 1 for token in islice(wanted, max(CANDIDATES * room, LEAST))}
    while True:
        met, lost = _meet({word: whole[word] for word in spelt}, known.union(saving))
        best = sorted(saving, key=lambda token: (-saving[token] * met[token], token))
        best = [token for token in best[: max(room, len(best) * 3 // 4)] if not _is_in(token, lost)]
        if len(best) <= room:
            best = [token for token in best if met[token] >= min_count]
        if len(best) == len(saving):
            return {token: met[token] for token in sorted(best, key=lambda token: (-met[token], token))}
        saving = {token: saving[token] for token in best}


def _meet(words: dict[str, int], vocabulary: Container[str]) -> tuple[Counter[str], list[str]]:
    """Return how often pieces are met in words, and the words that now cannot be spelt."""
    met: Counter[str] = Counter()
    lost = []
    for word, times in words.items():
        pieces = spell(word, vocabulary)
        for piece in pieces:
            met[piece] += times
        if not pieces:
            lost.append(word)
    return met, lost


def _length(token: str, vocabulary: Container[str]) -> int:
    """Return in how many old pieces a token comes; two at least, for it is a merge."""
    later = token.startswith("##")
    return max(2, len(spell(token[2:] if later else token, vocabulary, later=later)))


def _is_in(token: str, words: Iterable[str]) -> bool:
    return any(token.removeprefix("##") in word for word in words)


def _is_alphabetic(word: str) -> bool:
    """Tell whether a word is letters of an alphabet, with digits or without."""
    return any(map(str.isalpha, word)) and all(c.isalnum() and c < _BEYOND_ALPHABETS for c in word)


def _free_ids(base: Tokenizer, fill_unused: bool) -> Iterator[int]:
    """Yield the ids of new tokens."""
    added = {token.content for token in base.backend.get_added_tokens_decoder().values()}
    vocabulary = base.backend.get_vocab(with_added_tokens=True)
    unused = (id_ for token, id_ in vocabulary.items() if _UNUSED.fullmatch(token) and token not in added)
    return chain(sorted(unused) if fill_unused else [], count(base.size))


def _describe(
    base: Tokenizer, tokenizer: Tokenizer, ids: dict[str, int], counts: dict[str, int]
) -> Extension:
    vocabulary = base.backend.get_vocab(with_added_tokens=True)
    tokens = []
    for token, id_ in ids.items():
        init = _init(token, base, vocabulary)
        group = "" if init else _group(token.removeprefix("##") or token)
        tokens.append(NewToken(token=token, id=id_, count=counts[token], init=init, group=group))
    return Extension(
        base=base.fingerprint,
        tokenizer=tokenizer.fingerprint,
        base_size=base.size,
        size=tokenizer.size,
        groups=_groups(base, vocabulary, {new.group for new in tokens if new.group}),
        tokens=tuple(tokens),
    )


def _init(token: str, base: Tokenizer, vocabulary: dict[str, int]) -> tuple[int, ...]:
    """Return the old ids that stand for a token, if any do."""
    later = token.startswith("##") and len(token) > 2
    bare = token[2:] if later else token
    for form in (later, not later):
        if pieces := spell(bare, vocabulary, later=form):
            return tuple(vocabulary[piece] for piece in pieces)
    (like,) = base.encode_batch([normalize(bare, simplify=True).text.translate(_LIKE)])
    return () if base.special.unk in like.ids else tuple(like.ids.tolist())


def _groups(base: Tokenizer, vocabulary: dict[str, int], wanted: set[str]) -> dict[str, tuple[int, ...]]:
    """Return the rows of each group; of all where a group has none."""
    names = {id_: token for token, id_ in vocabulary.items()}
    every = tuple(base.ordinary_ids.tolist())
    members = {group: tuple(id_ for id_ in every if _group(names[id_]) == group) for group in sorted(wanted)}
    return {group: every if group == "all" else ids or every for group, ids in members.items()}


def _group(token: str) -> str:
    """Return the group of a token, by the script of its one character.

    >>> _group("我"), _group("！"), _group("er")
    ('Han', 'punctuation', 'all')
    """
    script = SCRIPTS[count_scripts([token])[0].argmax()] if len(token) == 1 else ""
    return script if script in _GROUPS else "all"
