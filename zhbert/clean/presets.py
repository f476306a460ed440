"""Named thresholds for the step `filter`, with the source of every published figure.

`light` keeps all but crumbs and foreign text. `web` is ours, put together from published figures, without
words. `fineweb2-zh` is what FineWeb-2 applied to Mandarin, to the letter: its configs/cmn_Hani.yml over the
filters as fineweb-2-pipeline.py calls them, with the defaults of datatrove for the rest.

What is published but stands in no preset: MNBVC drops web pages with less than 70 % Han (`min_han=0.7`:
too strict for technical text), ChineseWebText 2.0 drops a text with any traditional character
(`language=zh-hans` allows 5 %, for names and quotations) and one with many sensitive words (its list is not
ours to ship), data-juicer's alpaca-cot-zh-refine drops a text when its frequent 10-grams pass 0.6 (made for
chat data, under ten characters counts as short there).
"""

from typing import Any

STOP_WORDS = frozenset("的年在月是和日了於·為有被人中为他與後也而由")  # cmn_Hani.yml; each is one character

# datatrove, utils/text.py: TERMINAL_PUNCTUATION, less the scripts that no Chinese text is written in.
# A closing quote after the full stop is not in it.
LINE_ENDS = tuple(".!?。！？．｡﹒﹖﹗‼‽⁇⁈⁉⸮⸼")
# datatrove, utils/text.py: PUNCTUATION, with its full-width 1; a word of these alone is none.
NO_WORD = (
    "!/—”:％１〈&(、━\\【#%「」，】；+^]~“《„';’{|∶´[=-`*．（–？！：$～«〉,><》)?）。…@_.\"}►»"
    + "".join(map(chr, (*range(9), *range(11, 32), *range(127, 160))))
    + "".join(LINE_ENDS)
)

PRESETS: dict[str, dict[str, Any]] = {
    "light": {"min_characters": 20, "min_han": 0.3},
    "web": {
        "min_characters": 201,  # ChineseWebText 2.0, preprocess.py: drops up to 200
        "min_line_length": 10,  # ChineseWebText 2.0
        "min_han": 0.3,  # ChineseWebText 2.0 (of all characters; here of those that are not space)
        "language": "zh",  # Japanese has enough Han to pass the line above
        "max_symbols": 0.15,  # ours: of 5,191 texts only crumbs and pages of formulas have more
        "max_repeated_lines": 0.287,  # FineWeb-2, cmn_Hani.yml
        "max_repeated_line_characters": 0.1,  # FineWeb-2, pipeline
        "max_repeated_passages": 0.5,  # ChineseWebText 2.0: runs of 13 characters
        "min_line_ends": 0.04,  # FineWeb-2 has 0.106, which drops half of a collection of recipes, all lists
        "max_ellipsis_lines": 0.3,  # Gopher, by way of datatrove
    },
    "fineweb2-zh": {
        "language": "zh",  # stands in for a GlotLID score of at least 0.692: no model here
        # GopherRepetitionFilter
        "max_repeated_lines": 0.287,
        "max_top_2_words": 0.256,
        "max_top_3_words": 0.201,
        "max_top_4_words": 0.171,
        "max_repeated_5_words": 0.198,
        "max_repeated_6_words": 0.182,
        "max_repeated_7_words": 0.167,
        "max_repeated_8_words": 0.154,
        "max_repeated_9_words": 0.14,
        "max_repeated_10_words": 0.127,
        # FineWebQualityFilter; its filter of short lines was off
        "min_line_ends": 0.106,
        "max_repeated_line_characters": 0.1,
        "max_breaks_per_word": 0.178,
        # GopherQualityFilter; what cmn_Hani.yml does not name has datatrove's default
        "min_words": 50,
        "max_words": 100_000,
        "min_word_length": 1,
        "max_word_length": 5,
        "max_hashes_per_word": 0.1,
        "max_ellipses_per_word": 0.1,
        "max_bullet_lines": 0.9,
        "max_ellipsis_lines": 0.3,
        "min_letter_words": 0.735,  # named max_non_alpha_words_ratio there (datatrove issue 202)
        "min_stop_words": 2,
    },
}

# What a language is, as figures: Han among letters, kana beside Han, traditional among Han. Measured: the
# simplified collections in ZHBERT_DATA reach 0.007 traditional, classical histories 0.027, and an
# encyclopedia in traditional characters has 0.16 to 0.2.
LANGUAGES: dict[str, dict[str, float]] = {
    "zh": {"min_han_letters": 0.3, "max_kana": 0.1},
    "zh-hans": {"min_han_letters": 0.3, "max_kana": 0.1, "max_traditional": 0.05},
    "zh-hant": {"min_han_letters": 0.3, "max_kana": 0.1, "min_traditional": 0.05},
}
