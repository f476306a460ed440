"""The step on real Markdown and reStructuredText: little markup is left, the prose is all there."""

import gzip
import json
import os
import re
from itertools import islice
from pathlib import Path

import pytest

from zhbert.clean.boilerplate import Boilerplate
from zhbert.clean.figures import count_han
from zhbert.clean.markup import Markup
from zhbert.clean.steps import Steps

DATA = Path(os.environ.get("ZHBERT_DATA", Path(__file__).parents[4] / "shared" / "data")) / "text"
LEFT = re.compile(
    r"^#{1,6} |\]\(https?:|^```|\*\*[^*\n]+\*\*|<(?:div|span|br|img)\b|^\.\. \w+::|:ref:`", re.MULTILINE
)

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"{DATA} is not there; set ZHBERT_DATA to the data sets"),
]


def documents(name: str, step: int) -> list[str]:
    with gzip.open(DATA / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in islice(lines, 0, None, step)]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["docs", "tech-translations"])
def test_little_markup_is_left_and_the_prose_is_there(name: str) -> None:
    strip = Markup().make()
    marked = before = after = left = 0
    for text in documents(name, 41):
        outcome = strip(text)
        marked += len(LEFT.findall(text))
        left += len(LEFT.findall(outcome.text))
        before += count_han(re.sub(r"^[ \t]*```.*?^[ \t]*```|^\s*---\n.*?^---$", "", text, flags=re.M | re.S))
        after += count_han(outcome.text)
    assert marked > 500
    assert left < marked / 100
    assert 0.9 < after / before < 1.02


@pytest.mark.slow
def test_laws_lose_no_sentence() -> None:
    strip, cut = Markup().make(), Boilerplate().make()
    for text in documents("laws", 97):
        plain = cut(strip(text).text)
        assert plain.changes == {}
        assert count_han(plain.text) == count_han(text)


@pytest.mark.slow
def test_web_keeps_what_is_prose() -> None:
    steps = Steps(["markup", "boilerplate", "normalise", "filter preset=web"])
    for name, least in (("laws", 0.95), ("tech-translations", 0.95)):
        texts = documents(name, 53)
        assert sum(not steps(text).reason for text in texts) > least * len(texts)
