"""What a tokenizer makes of labelled texts: what it cannot represent, and spans that no tokens amount to."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zhbert.corpus.findings import Finding, finding, marked_text, short, spans_of
from zhbert.encode.tokenizer import Encoded, Tokenizer
from zhbert.read.forms import Placed
from zhbert.read.sets import asked
from zhbert.records import Example

_TOP = 20
_BATCH = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How many tokens texts become, what becomes [UNK], and what no token stands for."""

    texts: int
    tokens: int
    longest: int
    unknown: int
    unknown_surfaces: dict[str, int]
    dropped: dict[str, int]
    findings: tuple[Finding, ...]


def fit_of(examples: Sequence[Placed], tokenizer: Tokenizer) -> Fit:
    """Return what a tokenizer makes of the texts of examples, each text once."""
    encoded = _encode(
        list(dict.fromkeys(text for _, example in examples for text in asked(example))), tokenizer
    )
    found = unseen(list(encoded), list(encoded.values()), tokenizer)
    unknown = Counter(surface for _, surface in found.unknown)
    dropped = Counter(sign for _, sign in found.dropped)
    cut: list[str] = []
    for where, example in examples:
        cut += [f"{short(where)}: {words}" for words in _cut(example, encoded)]
    return Fit(
        texts=len(encoded),
        tokens=sum(map(len, encoded.values())),
        longest=max(map(len, encoded.values()), default=0),
        unknown=unknown.total(),
        unknown_surfaces=dict(unknown.most_common(_TOP)),
        dropped={code_point(sign): count for sign, count in dropped.most_common(_TOP)},
        findings=(finding("span whose border falls inside a token", cut),) if cut else (),
    )


def _encode(texts: list[str], tokenizer: Tokenizer) -> dict[str, Encoded]:
    found: dict[str, Encoded] = {}
    for start in range(0, len(texts), _BATCH):
        batch = texts[start : start + _BATCH]
        found |= zip(batch, tokenizer.encode_batch(batch), strict=True)
    return found


def code_point(sign: str) -> str:
    """Return the name of a character that may not be seen.

    >>> code_point("\u200b")
    'U+200B'
    """
    return f"U+{ord(sign):04X}"


@dataclass(frozen=True, slots=True)
class Unseen:
    """What texts have that no model sees: behind each [UNK], and in no token; each with its text's place."""

    unknown: list[tuple[int, str]]
    dropped: list[tuple[int, str]]


def unseen(texts: Sequence[str], encoded: Sequence[Encoded], tokenizer: Tokenizer) -> Unseen:
    """Return what the tokens of texts do not tell apart and what they leave out, white space aside.

    >>> tokenizer = Tokenizer.from_vocab(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "他", "在"])
    >>> texts = ["他在", "他\u200b 在京"]
    >>> unseen(texts, tokenizer.encode_batch(texts), tokenizer)
    Unseen(unknown=[(1, '京')], dropped=[(1, '\u200b')])
    """
    if not texts:
        return Unseen([], [])
    row, begins = "".join(texts), np.cumsum([0, *map(len, texts)])
    ids_T = np.concatenate([tokens.ids for tokens in encoded])
    text_T = np.repeat(np.arange(len(texts)), [len(tokens) for tokens in encoded])
    places_T2 = np.concatenate([tokens.offsets for tokens in encoded]) + begins[text_T, None]
    unknown = np.flatnonzero(ids_T == tokenizer.special.unk)
    surfaces = [row[start:end] for start, end in places_T2[unknown].tolist()]
    starts, ends = (np.bincount(edges, minlength=len(row) + 1) for edges in places_T2.T)
    bare = np.flatnonzero((starts - ends).cumsum()[:-1] == 0)
    bare_in = np.searchsorted(begins, bare, side="right") - 1
    signs = zip(bare_in.tolist(), (row[place] for place in bare.tolist()), strict=True)
    return Unseen(
        list(zip(text_T[unknown].tolist(), surfaces, strict=True)),
        [(text, sign) for text, sign in signs if not sign.isspace()],
    )


def _cut(example: Example, encoded: dict[str, Encoded]) -> list[str]:
    """Return the spans with a border inside a token, and that token's surface."""
    spans = spans_of(example)
    if not spans:
        return []
    text = marked_text(example)
    starts, ends = encoded[text].offsets.T
    found = []
    for span in spans:
        for border in (span.start, span.end):
            token = int(np.searchsorted(starts, border, side="left")) - 1  # the last that begins before it
            if token >= 0 and ends[token] > border:
                found.append(
                    f"{span.surface} ({span.label or 'answer'}) in {text[starts[token] : ends[token]]}"
                )
                break
    return found
