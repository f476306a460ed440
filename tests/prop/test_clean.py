"""What holds for every text: cleaning never fails, never invents, and takes linear time."""

import pickle
import time
from collections import Counter

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from zhbert.clean.figures import FIGURES, figures
from zhbert.clean.normalise import tidy
from zhbert.clean.pii import RULES, mask
from zhbert.clean.steps import Steps
from zhbert.text.normalize import normal_text, normalize

ODD = "\x00\n\r\t \u200b\u3000\u2028\ufdd0\uffff\ud800\udc00e\u0301，。！：:“”"
MARKS = "`*_~#>[](){}<>|-+=.:\\/&;$!^%\"'@"
WORDS = "今天臺灣頭髮𠮷😀Ａ１ab138"
PIECES = [
    "```\n",
    "$$\n",
    "    ",
    "- ",
    "](",
    "![",
    "<!--",
    "-->",
    "<b>",
    "</b>",
    "&amp;",
    ".. note:: ",
    "::\n",
]
PIECES += [
    "`x`",
    ":ref:`",
    "|a|b|\n",
    "---\n",
    "title: 题\n",
    "[a]: b\n",
    "[^1]",
    "13800000000",
    "QQ12345",
    "a@b.cn",
]

texts = st.one_of(
    st.text(st.sampled_from(ODD + MARKS + WORDS), max_size=60),
    st.lists(st.sampled_from([*PIECES, *(ODD + MARKS + WORDS)]), max_size=40).map("".join),
    st.text(max_size=30),
)
ALL = [
    Steps(
        [
            "markup",
            "boilerplate",
            "normalise width=half simplify=true",
            "pii",
            "filter preset=web",
            "sentences",
        ]
    ),
    Steps(
        [
            "markup dialect=rst code=true",
            "normalise nfkc=true",
            "pii kinds=ip,old-id-card",
            "filter language=zh",
        ]
    ),
    Steps(["markup dialect=markdown code=true tables=false", "filter preset=light"]),
]


@pytest.mark.slow
@examples(400)
@given(texts, st.booleans(), st.booleans(), st.booleans())
def test_the_text_alone_is_the_text_with_its_origins(
    text: str, nfkc: bool, controls: bool, simplify: bool
) -> None:
    plain = normal_text(text, nfkc=nfkc, controls=controls, simplify=simplify)
    assert plain == normalize(text, nfkc=nfkc, controls=controls, simplify=simplify).text


@examples(200)
@given(texts)
def test_every_text_is_cleaned_or_dropped_and_counted(text: str) -> None:
    for steps in ALL:
        funnel = steps.funnel()
        cleaned = steps(text, funnel)
        assert steps(text) == cleaned == pickle.loads(pickle.dumps(steps))(text)
        assert bool(cleaned.reason) == bool(cleaned.dropped_by)
        left = sum(counts.documents_in - counts.documents_out for counts in funnel.steps.values())
        reasons = sum((Counter(counts.reasons) for counts in funnel.steps.values()), Counter[str]())
        assert left == reasons.total() == bool(cleaned.reason)
        changes = sum((Counter(counts.changes) for counts in funnel.steps.values()), Counter[str]())
        assert changes == Counter(cleaned.changes)
        assert all(number > 0 for number in cleaned.changes.values())


@examples(200)
@given(texts)
def test_markup_takes_away_and_adds_nothing(text: str) -> None:
    """But for the signs of entities and the brackets and spaces that stand for tags."""
    text = text.replace("&", "")
    for dialect in ("markdown", "rst"):
        for code in ("true", "false"):
            left = Steps([f"markup dialect={dialect} code={code}"])(text).text
            added = Counter(left) - Counter(text) - Counter("（）" * len(text) + " \n" * len(text))
            assert not added - Counter(":")


@examples(200)
@given(texts)
def test_tidying_twice_is_tidying_once(text: str) -> None:
    once = tidy(text)
    assert tidy(once) == once
    assert "".join(once.split()) == "".join(text.split())
    assert "\n\n\n" not in once


@examples(200)
@given(texts)
def test_masking_leaves_what_it_does_not_mask(text: str) -> None:
    text = text.replace("<", "")  # no sign is there already
    for rule in RULES.values():
        masked, found = mask(text, rule)
        pieces = masked.split(rule.sign.removeprefix(r"\1"))
        assert len(pieces) == found + 1
        assert text.startswith(pieces[0])
        assert text.endswith(pieces[-1])
        place = 0
        for piece in pieces:
            place = text.index(piece, place) + len(piece)


@examples(150)
@given(texts)
def test_figures_do_not_depend_on_what_else_is_asked(text: str) -> None:
    together = figures(text, FIGURES)
    for name in FIGURES:
        assert figures(text, [name]) == {name: together[name]}


HOSTILE = [
    "[",
    "*",
    "<",
    "`",
    "``",
    "_",
    "!",
    "](",
    "[a](",
    "[a]((x)",
    "{",
    "{/*",
    "<!--",
    "<a ",
    "<svg",
    "</",
    "&",
]
HOSTILE += [
    "\\",
    "~",
    "|",
    "> ",
    "- ",
    "    x\n",
    "```a\n````b\n",
    "$$\n",
    ":a:`",
    ":a:",
    ".. a::\n",
    "::\n\n  a\n",
]
HOSTILE += [
    "a@",
    "a.",
    "1",
    "1-",
    "13800000000",
    "http://",
    "http://!",
    "QQ:",
    "1.1.",
    " ",
    "\n",
    "\t",
    "\u3000",
    "哈",
]
HOSTILE += [
    "译者：",
    "未经许可",
    "首页 | ",
    "\x00",
    "\ud800",
    "\r\n",
    "e\u0301",
    "臺",
    "---\na: b\n",
    "…",
    "。\n",
]
SLOWEST = 2.0  # seconds of CPU; what is not linear takes minutes


def seconds(steps: Steps, text: str) -> float:
    began = time.process_time()
    steps(text)
    return time.process_time() - began


@pytest.mark.parametrize("unit", ["[", "*", "<"])
def test_a_long_run_of_one_mark_costs_one_pass(unit: str) -> None:
    steps = Steps(["markup", "pii"])
    assert seconds(steps, unit * 300_000) < SLOWEST


@pytest.mark.slow
@pytest.mark.parametrize("unit", HOSTILE)
def test_no_step_takes_more_than_linear_time(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    for line in ("markup dialect=markdown", "markup dialect=rst code=true", "markup", "boilerplate", "pii"):
        assert seconds(Steps([line]), text) < SLOWEST, line
    for line in ("normalise width=half nfkc=true simplify=true", "filter preset=web", "sentences"):
        assert seconds(Steps([line]), text) < SLOWEST, line


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["哈", "a", "1", "。", "哈哈，", "\n", "#", "a "])
def test_figures_of_words_take_linear_time(unit: str) -> None:
    text = unit * (50_000 // len(unit))
    assert seconds(Steps(["filter preset=fineweb2-zh min_words=0"]), text) < SLOWEST
