"""What holds for every text: normalising, sentences and words."""

import re
import unicodedata
from itertools import pairwise

import jieba
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from zhbert.text.normalize import normalize
from zhbert.text.rapid import THRICE
from zhbert.text.segment import SEGMENTERS, ranges, segmenter, words
from zhbert.text.sentences import _END, _GOES_ON, sentences

MARKS = "\u0300\u0301\u0302\u0323\u0327\u0338\u3099\u309aﾞﾟ\u093c\u09be\u09d7\u05b0\u0f71\u0f72\u0f74"
JAMO = "\U0001d165\U0001d16d\u1100\u1112\u1161\u1175\u11a7\u11a8\u11c2ㅎㅏㄴﾡￂ가각힣"
FOLDED = "Ａ１，！…㎏ﬁ①㍿ﷺ\ufa0a\ufb2c²ｶﾊ゛´¨ǅªΩŵªكﾠ\u2011\u00a0\u3000"
PLAIN = "的一我你北京清华大学龘eaoßķクかন😀\ue000臺灣頭髮"
SPECIAL = "\x00\n\r\t\u200b\u200d\ufeff\x85\u2028\xad"
ENDS = "。！？；….!?;\"'”’」)） abc3wＡ北"

pieces = st.text(st.sampled_from(MARKS + JAMO + FOLDED + PLAIN + SPECIAL), max_size=30)
texts = st.one_of(pieces, st.text(max_size=30))


@examples(300)
@given(texts)
def test_nfkc_is_that_of_unicodedata(text: str) -> None:
    assert normalize(text, controls=False).text == unicodedata.normalize("NFKC", text)


@examples(200)
@given(texts, st.booleans(), st.booleans(), st.booleans())
def test_origins_run_in_order_and_name_the_characters(
    text: str, nfkc: bool, controls: bool, simplify: bool
) -> None:
    result = normalize(text, nfkc=nfkc, controls=controls, simplify=simplify)
    origins = result.origins.tolist()
    assert len(origins) == len(result.text)
    assert all(0 <= start < end <= len(text) for start, end in origins)
    assert all(a[0] <= b[0] and a[1] <= b[1] for a, b in pairwise(origins))
    for i, (start, end) in enumerate(origins):
        assert (
            result.text[i] in normalize(text[start:end], nfkc=nfkc, controls=controls, simplify=simplify).text
        )
        first, last = result.forward(start, end)
        assert first <= i < last


@examples(150)
@given(texts)
def test_normalising_twice_is_normalising_once(text: str) -> None:
    once = normalize(text)
    assert normalize(once.text).text == once.text


def curly(line: str) -> str:
    parts = line.split('"')
    return "".join(part + "“”"[i % 2] for i, part in enumerate(parts[:-1])) + parts[-1]


def sentences_by_the_rule(text: str) -> list[tuple[int, int]]:
    """Try the rule at every character."""
    curled = "\n".join(map(curly, text.split("\n")))
    found, start, place = [], 0, 0
    while place < len(text):
        match = _END.match(curled, place)
        if match and ("." not in match[0] or not _GOES_ON.search(text[start : match.end()][-40:])):
            found.append((start, match.end()))
            start = match.end()
        place = match.end() if match else place + 1
    return [*found, (start, len(text))] if start < len(text) else found


@examples(500)
@given(st.one_of(texts, st.text(st.sampled_from(ENDS + "\n\r．⋯；;'1DrMs.A😀"), max_size=12)))
def test_sentences_end_where_the_rule_says(text: str) -> None:
    assert sentences(text) == sentences_by_the_rule(text)


@pytest.mark.slow
@examples(150)
@given(st.one_of(texts, st.text(st.sampled_from(ENDS), max_size=30)))
def test_sentences_and_words_cover_the_text(text: str) -> None:
    cuts = [sentences(text), *(ranges(segmenter(name).ends(text)).tolist() for name in SEGMENTERS)]
    for found in cuts:
        assert "".join(text[start:end] for start, end in found) == text
        assert [start for start, _ in found[1:]] == [end for _, end in found[:-1]]
        assert all(start < end for start, end in found)


@examples(200)
@given(st.text(st.sampled_from(ENDS + "\n\u3000"), max_size=30))
def test_no_sentence_begins_with_space_or_holds_a_break(text: str) -> None:
    for start, end in sentences(text)[1:]:
        assert not text[start].isspace()
        assert "\n" not in text[start:end].strip()


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> jieba.Tokenizer:
    tokenizer = jieba.Tokenizer()
    tokenizer.tmp_dir = str(tmp_path_factory.mktemp("jieba"))
    return tokenizer


COMMON = (
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面"
)
characters = st.one_of(
    st.sampled_from(COMMON + "abZ09.%-_+#& ，\r\n·㐀𠀀豈\ue000\ud800\x00\u2028😀赞常"),
    st.sampled_from(["3.5", "1.2.3", "v2.0b", "c++", "T恤", "4S店", "github.com", "常在", "赞赞赞", "\r\n"]),
    st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF),
    st.characters(),
)


CLOSE_TO_ITSELF = re.compile(f"(?![{THRICE}])([\u4e00-\u9fd5])\\1\\1")  # the known limit: see `rapid`


@pytest.mark.slow
@examples(200)
@given(text=st.lists(characters, max_size=40).map("".join))
def test_words_are_those_of_jieba(text: str, plain: jieba.Tokenizer) -> None:
    assert words(segmenter("jieba-plain"), text) == plain.lcut(text)
    assert CLOSE_TO_ITSELF.search(text) or words(segmenter("jieba"), text) == plain.lcut(text)
