"""Differing parts: nothing is lost on either side, and what is beyond an excerpt is not called different."""

import random

from zhbert.corpus.differences import differences


def changed(text: str, rng: random.Random) -> str:
    chars = list(text)
    for _ in range(rng.randrange(5)):
        at = rng.randrange(len(chars))
        chars[at : at + rng.randrange(3)] = rng.choices("甲乙丙\n \u3000\U00020bb7\x00", k=rng.randrange(3))
    return "".join(chars)


def test_the_pieces_are_the_two_texts() -> None:
    rng = random.Random(1)
    for _ in range(300):
        kept = "".join(rng.choices("的一是了我不人在他有这个上们来到时大地为", k=rng.randrange(20, 60)))
        dropped = changed(kept, rng)
        found = differences(kept, dropped)
        assert "".join(p.text for p in found if p.classes != "less") == dropped
        assert "".join(p.text for p in found if p.classes != "more") == kept
        assert all(p.text for p in found)


def test_texts_that_differ_altogether_stand_unmarked() -> None:
    assert [(p.text, p.classes) for p in differences("北京的天气", "上海今晚有雨")] == [("上海今晚有雨", "")]
    assert [(p.text, p.classes) for p in differences("", "")] in ([], [("", "")])


def test_the_end_of_an_excerpt_is_not_called_different() -> None:
    text = "".join(chr(0x4E00 + i) for i in range(400))
    found = differences(text[:300], ("新" + text)[:300])
    assert [(p.text[:1], p.classes) for p in found] == [("新", "more"), (text[0], "")]
    assert [p.classes for p in differences(text[:200], text[:190])] == ["", "less"]
