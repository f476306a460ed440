"""Questions in plain text: every place of an answer, none where it is said, what is wrong by its line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zhbert.errors import DataError
from zhbert.read.forms import FORMS, How

PASSAGE = "借书证全年可办，每人可借十本，\n十本以上须预约。"
TEXT = f"""只有一段话，没有提问。

{PASSAGE}
问：可以借几本？
答：十本。
问：要交多少钱？
答：文中没有说明。

第二篇。
问:第几篇?
答: 第三篇
"""


def test_every_place_of_an_answer_none_and_one_that_stands_nowhere(read: Callable[..., Any]) -> None:
    (one, none, nowhere), how = read("faq", TEXT, columns={"none": "文中没有说明。"})
    assert (one.id, one.context, one.question) == ("data-2-1", PASSAGE, "可以借几本？")
    assert [(span.start, span.surface) for span in one.answers] == [(12, "十本"), (16, "十本")]
    assert (none.texts, none.context) == ((), PASSAGE)
    assert (nowhere.answers, nowhere.published, nowhere.question) == ((), ("第三篇",), "第几篇?")
    assert how.counts == {"blocks of another kind": 1, "stands nowhere, kept as a text": 1}


def test_unless_it_is_said_what_means_none_it_is_an_answer(read: Callable[..., Any]) -> None:
    (_, other, _), _ = read("faq", TEXT)
    assert other.published == ("文中没有说明",)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("一段。\n问：谁？\n", "data.txt:2: a question without an answer"),
        ("一段。\n问：谁？\n问：何时？\n", "data.txt:3: this line should begin with 答："),
        (
            "一段。\n问：谁？\n答：他。\n还有一句。\n答：她。\n",
            "data.txt:4: this line should begin with 问：",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_line(content: str, what: str, read: Callable[..., Any]) -> None:
    with pytest.raises(DataError) as caught:
        read("faq", content)
    assert what in str(caught.value)


def test_a_folder_is_all_its_texts_and_may_hold_others(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "c.md"):
        text = "他\n问：谁？\n她说：他。\n\n一段。\n问：几段？\n答：一段。\n"
        (tmp_path / name).write_text(text, "utf-8")
    how = How()
    assert [example.id for _, example in FORMS["faq"].read(tmp_path, how)] == ["a-2-1", "b-2-1"]
    assert how.counts["blocks of another kind"] == 2
