"""Steps in a row: how they are written, what they count, and that the default is what it was."""

import pickle
import re
from pathlib import Path

import pytest

from zhbert.clean.base import Outcome, Step, StepConfig
from zhbert.clean.funnel import Funnel, StepCounts
from zhbert.clean.steps import DEFAULT, STEPS, Steps, read_step
from zhbert.errors import ConfigError
from zhbert.text.normalize import normalize

RAW = Path(__file__).parents[3] / "corpora" / "mini" / "raw"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", 'r.toml: unknown step "" (known: boilerplate, filter, markup, normalise, pii, sentences)'),
        ("normalize", 'r.toml: unknown step "normalize" (did you mean "normalise"?)'),
        ("filter min_hann=0.5", 'r.toml: filter.min_hann: unknown key (did you mean "min_han"?)'),
        ("filter preset", 'r.toml: filter: not a setting: "preset" (write key=value)'),
        ("filter preset=", 'r.toml: filter: not a setting: "preset=" (write key=value)'),
        ("filter =light", 'r.toml: filter: not a setting: "=light" (write key=value)'),
        (
            "filter preset=heavy",
            "r.toml: filter.preset = \"heavy\": input should be '', 'light', 'web' or 'fineweb2-zh'",
        ),
        ("filter min_han=1.5", "r.toml: filter.min_han = 1.5: input should be less than or equal to 1"),
        ("filter min_han=0.1 min_han=0.2", "r.toml: filter.min_han: given twice"),
        (
            "normalise simplify=yes",
            'r.toml: normalise.simplify = "yes": input should be a valid boolean',
        ),
        ("sentences x=1", "r.toml: sentences.x: unknown key (known: )"),
        ("pii kinds=mobile,phone", "r.toml: pii.kinds.1 = \"phone\": input should be 'url', 'email', "),
    ],
)
def test_what_is_written_wrong_is_named(line: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Steps(["normalise", line], where="r.toml")
    assert str(caught.value).startswith(message)


def test_markup_is_made_of_indentation() -> None:
    with pytest.raises(ConfigError, match="markup comes too late"):
        Steps(["normalise", "pii", "markup"])
    Steps(["normalise whitespace=false", "markup", "normalise"])


def test_every_step_can_be_written_by_its_name_alone() -> None:
    text = "今天北京下雨，明天也会下雨。后天可能会晴，大家出门要带伞。"
    for name in STEPS:
        assert Steps([name])(text).text.replace("\n", "") == text


def test_a_document_goes_through_all_steps_or_is_dropped_by_one() -> None:
    steps = Steps(["markup", "pii kinds=mobile", "filter min_characters=12", "filter min_han=0.5"])
    assert steps.names == ["markup", "pii", "filter", "filter 2"]
    funnel = steps.funnel()
    kept = steps("**请打电话** 13800000000 找我们 `x`。", funnel)
    assert (kept.text, kept.dropped_by, kept.reason) == ("请打电话 <手机号> 找我们 x。", "", "")
    short = steps("# 13800000000", funnel)
    assert (short.text, short.dropped_by, short.reason) == ("<手机号>", "filter", "too short")
    assert short.changes == {"mobile": 1}
    latin = steps("only English words here, 一个汉字", funnel)
    assert (latin.dropped_by, latin.reason) == ("filter 2", "too little Han")
    assert funnel.steps["pii"].changes == {"mobile": 2}
    assert funnel.steps["filter"] == StepCounts(
        documents_in=3,
        documents_out=2,
        characters_in=len(kept.text + short.text + latin.text),
        characters_out=len(kept.text + latin.text),
        reasons={"too short": 1},
    )
    assert funnel.steps["filter 2"].reasons == {"too little Han": 1}


@pytest.mark.parametrize("text", ["", " \n\u3000", "```\nls\n```", "\x00\u200b"])
def test_what_leaves_nothing_drops(text: str) -> None:
    cleaned = Steps(["markup", "normalise"])(text)
    assert cleaned.reason == "nothing left"
    assert not cleaned.text.strip("\x00\u200b \n\u3000")


def test_white_space_alone_is_nothing() -> None:
    assert Steps(["normalise whitespace=false"])(" \n\t").reason == "nothing left"


def test_no_steps_change_nothing() -> None:
    assert Steps([])(" \x00 ").text == " \x00 "
    assert Steps([])("").reason == ""


def test_steps_pickle_as_their_lines() -> None:
    steps = Steps(["normalise width=half", "filter preset=web"])
    again = pickle.loads(pickle.dumps(steps))
    assert (again.lines, again.settings, again.fingerprint) == (
        steps.lines,
        steps.settings,
        steps.fingerprint,
    )


def test_equal_filters_are_equal_plans_and_settings_are_plain() -> None:
    written = Steps(["filter min_han=0.3   min_characters=20"])
    assert written.settings == Steps(["filter preset=light"]).settings
    assert written.settings == [{"step": "filter", "min_characters": 20, "min_han": 0.3}]
    assert written.fingerprint != Steps(["filter preset=light min_han=0.4"]).fingerprint
    assert Steps(["pii kinds=mobile,qq"]).settings == [{"step": "pii", "kinds": ["mobile", "qq"]}]


def test_funnels_add_up() -> None:
    steps, texts = Steps(["normalise", "filter min_characters=3"]), ["你好吗", "好", "今天天气很好"]
    whole, first, second = steps.funnel(), steps.funnel(), steps.funnel()
    for text in texts:
        steps(text, whole)
    steps(texts[0], first)
    for text in texts[1:]:
        steps(text, second)
    assert first + second == second + first == whole
    assert list((first + second).steps) == ["normalise", "filter"]
    assert whole + Funnel() == whole


def test_a_step_config_makes_a_step() -> None:
    class Loud(StepConfig):
        def make(self) -> Step:
            return lambda text: Outcome(text=text + "！")

    assert Loud().make()("好").text == "好！"
    with pytest.raises(TypeError, match="abstract"):
        StepConfig()  # type: ignore[abstract]  # the refusal is the test
    assert read_step("sentences").settings() == {}


def old_han_share(text: str) -> float:
    visible = [c for c in text if not c.isspace()]
    return sum("\u3400" <= c <= "\u9fff" or c >= "\U00020000" for c in visible) / max(len(visible), 1)


def test_the_default_gives_the_bundled_corpus_what_it_always_gave() -> None:
    steps, count = Steps(), 0
    assert steps.lines == DEFAULT
    for path in sorted(RAW.glob("*.txt")):
        for block in re.split(r"\n\s*\n", path.read_text(encoding="utf-8").strip()):
            text = normalize(block, nfkc=False).text
            dropped = len(text) < 20 or old_han_share(text) < 0.3
            cleaned = steps(block)
            assert (cleaned.text, bool(cleaned.reason)) == (text, dropped)
            count += 1
    assert count > 5000
