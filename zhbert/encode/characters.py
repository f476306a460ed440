"""What every character is to a BERT tokenizer: a token of its own, a gap, or part of a run.

What is peculiar:

- Nothing is believed of a character that the tokenizer did not say. One of ASKED is shown to it between
  two letters when it first turns up; it stands alone where it came out as one token with both letters
  whole beside it, and is a gap where both letters came out apart. Every other one is part of a run.
- A run is a longest stretch of such characters: a Latin word, a number, kana, emoji, a letter with the
  controls and combining marks in and after it. What stands around a run has no say in its tokens, since
  a border lies on both sides of everything that stands alone; so each run can be encoded by itself.
- ASKED leaves out combining marks: what joins the character before it never stands alone.
- Texts are laid end to end, a line feed after each, as one array of code points.
- A lone surrogate, which the backend refuses, is read as U+FFFD: one character for one. So is NUL, which
  the normaliser drops as it drops U+FFFD; that leaves NUL free to part the runs.

Shapes: N characters of all texts, C characters to ask about.
"""

from collections.abc import Iterable

import numpy as np
import tokenizers
from numpy.typing import NDArray
from tokenizers import models, normalizers, pre_tokenizers

GAP, RUN = -1, -2  # the kind of a character that stands alone is its id, which is never negative
_UNSEEN = -3
_REPLACEMENT, _SURROGATES = 0xFFFD, 0xD800 >> 11
# First and last of what may stand alone: ASCII, Latin-1, Ogham's space, general punctuation, CJK marks but
# for the tone marks, ideographs, vertical and small forms, full-width forms, rare ideographs.
ASKED = (
    *((0x01, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0xBF), (0x1680, 0x1680), (0x2000, 0x206F)),
    *((0x3000, 0x3029), (0x3030, 0x303F), (0x30FB, 0x30FB), (0x3400, 0x9FFF), (0xF900, 0xFAFF)),
    *((0xFE10, 0xFE19), (0xFE30, 0xFE6F), (0xFF00, 0xFF0F), (0xFF1A, 0xFF20), (0xFF3B, 0xFF40)),
    *((0xFF5B, 0xFF65), (0x20000, 0x2CEAF), (0x2F800, 0x2FA1F)),
)

Codes = NDArray[np.uint32]


class Characters:
    """The kinds of characters to one tokenizer, learnt as they turn up.

    `plain` is that tokenizer without its added tokens, which could make an "x" or a "人" something else.

    >>> backend = tokenizers.Tokenizer(models.WordPiece({"[UNK]": 0, "我": 1, "。": 2}))
    >>> backend.normalizer = normalizers.BertNormalizer()
    >>> backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    >>> Characters(backend).kinds(code_points(["我 AI。"])).tolist()
    [1, -1, -2, -2, 2, -1]
    """

    def __init__(self, backend: tokenizers.Tokenizer) -> None:
        self.plain = tokenizers.Tokenizer(backend.model)
        self.plain.normalizer, self.plain.pre_tokenizer = backend.normalizer, backend.pre_tokenizer
        self._table = np.full(0x110000, RUN, dtype=np.int32)
        for first, last in ASKED:
            self._table[first : last + 1] = _UNSEEN

    @staticmethod
    def fit(backend: tokenizers.Tokenizer) -> bool:
        """Return whether characters have such kinds to a tokenizer, as they do to every BERT's."""
        model = backend.model
        return (
            isinstance(backend.normalizer, normalizers.BertNormalizer)
            and backend.normalizer.clean_text
            and isinstance(backend.pre_tokenizer, pre_tokenizers.BertPreTokenizer)
            and isinstance(model, models.WordPiece)
            and model.continuing_subword_prefix != ""
        )

    def kinds(self, codes_N: Codes) -> NDArray[np.int32]:
        """Return the id of every character that stands alone, GAP or RUN for all others."""
        kinds_N = self._table[codes_N]
        if kinds_N.min(initial=0) < RUN:
            self._ask(np.unique(codes_N[kinds_N == _UNSEEN]))
            kinds_N = self._table[codes_N]
        return kinds_N

    def _ask(self, new_C: Codes) -> None:
        probe = self.plain.encode(" ".join(f"x{chr(code)}x" for code in new_C), add_special_tokens=False)
        answers: list[list[tuple[int, int, int]]] = [[] for _ in new_C]
        for id_, (start, end) in zip(probe.ids, probe.offsets, strict=True):
            answers[start // 4].append((start % 4, end - start, id_))
        self._table[new_C] = [_kind(answer) for answer in answers]


def _kind(answer: list[tuple[int, int, int]]) -> int:
    """Return the kind of 人 from the starts, lengths and ids of the tokens of "x人x".

    >>> _kind([(0, 1, 7), (1, 1, 5), (2, 1, 7)]), _kind([(0, 1, 7), (2, 1, 7)]), _kind([(0, 3, 9)])
    (5, -1, -2)
    """
    match answer:
        case [(0, 1, left), (1, 1, between), (2, 1, right)] if left == right:  # x and x, not x and ##x
            return between
        case [(0, 1, left), (2, 1, right)] if left == right:
            return GAP
    return RUN


def code_points(texts: Iterable[str]) -> Codes:
    """Return the characters of texts end to end, a line feed after each.

    >>> code_points(["我", "ab"]).tolist()
    [25105, 10, 97, 98, 10]
    """
    joined = "\n".join([*texts, ""])
    return np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def run_texts(codes_N: Codes, run_N: NDArray[np.bool_]) -> list[str]:
    """Return the text of every run, in order; the last character is never part of one.

    >>> codes = code_points(["我有2只Cat"])
    >>> run_texts(codes, (codes > 32) & (codes < 128))
    ['2', 'Cat']
    """
    taken_N = run_N.copy()
    taken_N[1:] |= run_N[:-1]  # each run and the one character that ends it
    codes, inside = codes_N[taken_N], run_N[taken_N]
    codes[(codes == 0) | (codes >> 11 == _SURROGATES)] = _REPLACEMENT
    codes[~inside] = 0
    return codes.tobytes().decode("utf-32-le").split("\0")[:-1]
