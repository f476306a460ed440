"""The card as others read it: the head by the hub's own reader, the page by a Markdown reader."""

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from huggingface_hub import ModelCard
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from transformers import PreTrainedModel

from zhbert.model.card import MOST, Card, Leg, Rounding, Source, write_card
from zhbert.model.store import Facts
from zhbert.score.hub import USES
from zhbert.score.markdown import one_line, plain

Write = Callable[..., str]
UGLY = "a|b *c* _d_ [e](f) <script>&amp; `g` # h ~~i~~ \\ $x$"


@pytest.fixture
def write(make: Callable[..., PreTrainedModel]) -> Write:
    config = make("bert").config

    def written(**values: Any) -> str:
        facts = values.pop("facts", Facts(task="masked"))
        usual: dict[str, Any] = {"title": "T", "about": "", "licence": "MIT", "language": "zh", "half": True}
        usual |= {"parameters": 12345, "vocabulary": 80, "longest": 128, "mask": "[MASK]", "text": ()}
        usual |= {"legs": (Leg(stage="pretrain", figures={}),)}
        usual |= {"rounding": Rounding(largest=0.0123, same=0.9876, tokens=3000)}
        return write_card(Card(facts=facts, config=config, **usual | values))

    return written


def cells(card: str) -> list[str]:
    """Return the text of every cell of every table, as a reader sees it."""
    tokens = MarkdownIt().enable("table").parse(card.split("\n---\n", 1)[1])
    return [
        "".join(child.content for child in token.children or ())
        for before, token in pairwise(tokens)
        if before.type == "td_open"
    ]


@pytest.mark.parametrize(
    ("licence", "read", "name"),
    [
        ("Apache-2.0", "apache-2.0", None),
        ("GPL-2.0-only", "gpl-2.0", None),
        ("CC-BY-SA-4.0", "cc-by-sa-4.0", None),
        ("MulanPSL-2.0", "other", "mulanpsl-2.0"),
        ("MIT OR Apache-2.0", "other", "mit-or-apache-2.0"),
    ],
)
def test_the_head_is_what_hubs_read(licence: str, read: str, name: str | None, write: Write) -> None:
    head: Any = ModelCard(write(licence=licence, language="no")).data
    data = head.to_dict()
    assert (data["license"], data.get("license_name"), data["language"]) == (read, name, "no")
    assert (data["library_name"], data["pipeline_tag"]) == ("transformers", "fill-mask")
    assert data["tags"] == ["zhbert", "bert"]


def test_a_temperature_is_told_to_whoever_has_only_the_logits(write: Write) -> None:
    tempered = write(facts=Facts(task="classify", labels=("人名",), decoding={"temperature": 1.25}))
    assert "zhbert divides logits by 1.25, chosen on dev; the model does not" in cells(tempered)
    assert "temperature" not in write(facts=Facts(task="classify", labels=("人名",)))


def test_names_of_data_are_shown_as_they_are(write: Write) -> None:
    facts = Facts(task="classify", labels=(UGLY, "人名"))
    leg = Leg(stage="pretrain", figures={"init": UGLY, "steps": 1200, "epochs": 0.25, "held_out": {}})
    card = write(facts=facts, legs=(leg,), text=(Source(name=UGLY, documents=1, characters=2345),))
    shown = cells(card)
    assert f"{UGLY}, 人名" in shown
    assert shown.count(UGLY) == 2
    assert {"1,200", "0.25", "2,345", "12,345"} <= set(shown)


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), min_size=1))
def test_no_name_breaks_out_of_its_cell(name: str) -> None:
    table = f"---\n---\n| a | b |\n| --- | --- |\n| x{plain(name)}x | end |\n"
    assert cells(table) == [f"x{one_line(name)}x", "end"]


def test_a_title_is_one_line_and_about_stands_as_it_is(write: Write) -> None:
    card = write(title="One\n\n# two *x*", about="\n## Mine\n\n- [a](https://example.org)\n")
    tokens = MarkdownIt().parse(card.split("\n---\n", 1)[1])
    headings = [
        "".join(child.content for child in after.children or ())
        for token, after in pairwise(tokens)
        if token.type == "heading_open"
    ]
    assert headings == ["One # two *x*", "Mine", "What it is", "How it was made", "How to use it"]
    assert "[a](https://example.org)" in card


def test_long_lists_are_cut_and_summed(write: Write) -> None:
    text = [Source(name=f"s{i}", documents=2, characters=10) for i in range(MOST + 5)]
    facts = Facts(task="ner", labels=tuple(f"L{i}" for i in range(MOST + 3)))
    shown = cells(write(text=text, facts=facts))
    assert shown[shown.index("5 more") :][:3] == ["5 more", "10", "50"]
    assert any(cell.endswith(f"L{MOST - 1} and 3 more") for cell in shown)


def test_rounding_is_told_only_where_there_is_any(write: Write) -> None:
    assert "0.012" in write()
    assert "98.76%" in write()
    assert "half precision" not in write(half=False)


@pytest.mark.parametrize("task", sorted(USES))
def test_the_code_is_python(task: str, write: Write) -> None:
    for block in re.findall(r"```python\n(.*?)```", write(facts=Facts(task=task)), re.S):
        compile(block, "card", "exec")
