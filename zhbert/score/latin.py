"""Penn Treebank words of the Latin stretches in a Chinese answer.

The official CMRC 2018 script cuts what is not Han with nltk's word tokenizer. These are the same
rules as one table of rewrites, applied in order, so that the figures agree without nltk and its
data. Two things are peculiar: straight double quotes become `` and '' (as in the Treebank), and a
full stop is cut off only at the very end, since a stretch is taken as one sentence.
"""

import re

_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        # quotes that open
        (r"([«“‘„]|`+)", r" \1 "),
        (r'^"', "``"),
        (r"(``)", r" \1 "),
        (r"""([ (\[{<])("|'{2})""", r"\1 `` "),
        (r"(?i)(?<!\w)(')(?!(?:re|ve|ll|m|t|s|d|n)\b)(?=\w)", r"\1 "),
        # punctuation
        (r"""([^.])(\.)([\])}>"'»”’ ]*)\s*$""", r"\1 \2 \3 "),
        (r"([:,])(\D)", r" \1 \2"),
        (r"([:,])$", r" \1 "),
        (r"(\.{2,})", r" \1 "),
        (r"([;@#$%&\u2012-\u2015])", r" \1 "),
        (r"""([^.])(\.)([\])}>"']*)\s*$""", r"\1 \2\3 "),
        (r"([?!])", r" \1 "),
        (r"([^'])' ", r"\1 ' "),
        (r"([*\[\](){}<>])", r" \1 "),
        (r"--", " -- "),
        (r"\A|\Z", " "),
        # quotes that close, and clitics
        (r"([»”’])", r" \1 "),
        (r"""(?:''|")""", " '' "),
        (r"\s+", " "),
        (r"([^' ])('[sSmMdD]|') ", r"\1 \2 "),
        (r"([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) ", r"\1 \2 "),
        (r"(?i)\b(can)(not)\b", r" \1 \2 "),
        (r"(?i)\b(d)('ye)\b", r" \1 \2 "),
        (r"(?i)\b(gim|lem)(me)\b", r" \1 \2 "),
        (r"(?i)\b(gon)(na)\b", r" \1 \2 "),
        (r"(?i)\b(got)(ta)\b", r" \1 \2 "),
        (r"(?i)\b(more)('n)\b", r" \1 \2 "),
        (r"(?i)\b(wan)(na)(?=\s)", r" \1 \2 "),
        (r"(?i) ('t)(is|was)\b", r" \1 \2 "),
    )
)


def latin_words(text: str) -> list[str]:
    """Return the Treebank words of a stretch without Han.

    >>> latin_words('kof (1996), "vol. 2".')
    ['kof', '(', '1996', ')', ',', '``', 'vol.', '2', "''", '.']
    """
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text.split()
