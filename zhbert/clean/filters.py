"""The step `filter`: drops a text of which some figure is out of bounds.

What is peculiar:

- A field is a bound and a figure: `min_han` is held against the figure `han` of `figures.FIGURES`. The bound
  itself still passes. Nothing is measured that no field asks for.
- `preset` gives many fields at once (`presets.PRESETS`); fields that are written out go before it, so
  `preset=web min_han=0.5` is `web` with more Han. 0 switches a `min_` field off, 1 a `max_` share.
- The order of `REASONS` is the order of the tests: figures of characters, then of lines, then of words. The
  first that objects gives the reason.
"""

from collections.abc import Callable
from typing import Any, Literal

from pydantic import Field

from zhbert.clean.base import Outcome, Step, StepConfig
from zhbert.clean.figures import FIGURES, Measured
from zhbert.clean.presets import LANGUAGES, PRESETS

REASONS = {
    "min_characters": "too short",
    "max_characters": "too long",
    "min_han": "too little Han",
    "language": "another language",
    "max_latin": "too much Latin",
    "max_symbols": "too many symbols",
    "min_line_length": "lines too short",
    "min_line_ends": "lines without an end",
    "max_ellipsis_lines": "lines cut off",
    "max_bullet_lines": "a list only",
    "max_repeated_lines": "repeated lines",
    "max_repeated_line_characters": "repeated lines",
    "max_repeated_passages": "repeated passages",
    "min_words": "too few words",
    "max_words": "too many words",
    "min_word_length": "words too short",
    "max_word_length": "words too long",
    "min_letter_words": "too few words with letters",
    "min_stop_words": "no common words",
    "max_breaks_per_word": "too many line breaks",
    "max_hashes_per_word": "too many #",
    "max_ellipses_per_word": "too many ellipses",
    **{f"max_top_{n}_words": "one phrase over and over" for n in (2, 3, 4)},
    **{f"max_repeated_{n}_words": "repeated phrases" for n in range(5, 11)},
}

Share = float | None
Number = float | None
Whole = int | None


def _share(what: str) -> Any:
    return Field(default=None, ge=0, le=1, description=what)


def _number(what: str) -> Any:
    return Field(default=None, ge=0, description=what)


class Filter(StepConfig):
    """Bounds on the figures of a text; what is not given is not measured."""

    preset: Literal["", "light", "web", "fineweb2-zh"] = Field(
        default="", description="many bounds by one name"
    )
    min_characters: Whole = _number("drop a text with fewer characters")
    max_characters: Whole = _number("drop a text with more characters")
    min_han: Share = _share("drop a text with a smaller share of Han (of what is not space)")
    language: Literal["", "zh", "zh-hans", "zh-hant"] = Field(
        default="", description="drop what is not Chinese, simplified or traditional, by shares of scripts"
    )
    max_latin: Share = _share("drop a text with a larger share of Latin letters")
    max_symbols: Share = _share("drop a text with a larger share of # = { | □ and the like")
    min_line_length: Number = _number("drop a text with fewer characters a line, on average")
    min_line_ends: Share = _share("drop a text in which fewer lines end a sentence")
    max_ellipsis_lines: Share = _share("drop a text in which more lines end in an ellipsis")
    max_bullet_lines: Share = _share("drop a text in which more lines begin with • or -")
    max_repeated_lines: Share = _share("drop a text in which more lines came before")
    max_repeated_line_characters: Share = _share("the same, by the characters in those lines")
    max_repeated_passages: Share = _share("drop a text in which more runs of 13 characters come twice")
    min_words: Whole = _number("drop a text with fewer words, punctuation apart")
    max_words: Whole = _number("drop a text with more words")
    min_word_length: Number = _number("drop a text with shorter words, on average")
    max_word_length: Number = _number("drop a text with longer words, on average")
    min_letter_words: Share = _share("drop a text in which fewer words have a letter (Han are letters)")
    min_stop_words: Whole = _number("drop a text with fewer different ones of 22 very common words")
    max_breaks_per_word: Number = _number("drop a text with more line breaks per word")
    max_hashes_per_word: Number = _number("drop a text with more # per word")
    max_ellipses_per_word: Number = _number("drop a text with more ellipses per word")
    max_top_2_words: Share = _share("drop a text that its most frequent pair of words makes up by more")
    max_top_3_words: Share = _share("the same for three words")
    max_top_4_words: Share = _share("the same for four words")
    max_repeated_5_words: Share = _share("drop a text that repeated runs of five words make up by more")
    max_repeated_6_words: Share = _share("the same for six words")
    max_repeated_7_words: Share = _share("the same for seven words")
    max_repeated_8_words: Share = _share("the same for eight words")
    max_repeated_9_words: Share = _share("the same for nine words")
    max_repeated_10_words: Share = _share("the same for ten words")

    def bounds(self) -> dict[str, Any]:
        """Return the bounds that hold, preset included, in the order in which they are tested.

        >>> Filter(preset="light", min_han=0.5).bounds()
        {'min_characters': 20, 'min_han': 0.5}
        """
        given = {name: getattr(self, name) for name in self.model_fields_set}
        held = PRESETS.get(self.preset, {}) | given
        return {name: held[name] for name in REASONS if held.get(name) not in (None, "")}

    def settings(self) -> dict[str, Any]:
        """Return the bounds that hold: two ways to write the same filter are the same plan."""
        return self.bounds()

    def make(self) -> Step:
        """Return the function that does the step."""
        tests = [test for field, bound in self.bounds().items() for test in _tests(field, bound)]

        def apply(text: str) -> Outcome:
            measured = Measured(text)
            reason = next((reason for reason, objects in tests if objects(measured)), "")
            return Outcome(text=text, reason=reason)

        return apply


def _tests(field: str, bound: Any) -> list[tuple[str, Callable[[Measured], bool]]]:
    """Return what a field objects to, with the reason."""
    bounds = LANGUAGES[bound] if field == "language" else {field: bound}
    return [(REASONS[field], _objection(name, limit)) for name, limit in bounds.items()]


def _objection(field: str, limit: float) -> Callable[[Measured], bool]:
    side, _, name = field.partition("_")
    figure = FIGURES[name]
    if side == "min":
        return lambda measured: figure(measured) < limit
    return lambda measured: figure(measured) > limit
