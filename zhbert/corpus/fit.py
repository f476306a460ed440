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
    unknown, dropped = Counter[str](), Counter[str]()
    for text, tokens in encoded.items():
        unknown.update(text[start:end] for start, end in tokens.offsets[tokens.ids == tokenizer.special.unk])
        dropped.update(_dropped(text, tokens))
    cut: list[str] = []
    for where, example in examples:
        cut += [f"{short(where)}: {words}" for words in _cut(example, encoded)]
    return Fit(
        texts=len(encoded),
        tokens=sum(map(len, encoded.values())),
        longest=max(map(len, encoded.values()), default=0),
        unknown=unknown.total(),
        unknown_surfaces=dict(unknown.most_common(_TOP)),
        dropped={f"U+{ord(sign):04X}": count for sign, count in dropped.most_common(_TOP)},
        findings=(finding("span whose border falls inside a token", cut),) if cut else (),
    )


def _encode(texts: list[str], tokenizer: Tokenizer) -> dict[str, Encoded]:
    found: dict[str, Encoded] = {}
    for start in range(0, len(texts), _BATCH):
        batch = texts[start : start + _BATCH]
        found |= zip(batch, tokenizer.encode_batch(batch), strict=True)
    return found


def _dropped(text: str, tokens: Encoded) -> list[str]:
    """Return the characters that are not white space and stand in no token."""
    held = np.zeros(len(text) + 1, dtype=np.int32)
    np.add.at(held, tokens.offsets[:, 0], 1)
    np.add.at(held, tokens.offsets[:, 1], -1)
    bare = np.flatnonzero(held[:-1].cumsum() == 0)
    return [text[place] for place in bare.tolist() if not text[place].isspace()]


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
