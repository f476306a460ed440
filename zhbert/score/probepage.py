"""The page of a judgement of encoders (`page.py` says what all pages have in common).

- Curves are drawn in boxes that stretch with the page; what their edges mean stands beside them as text.
- Words that belong to the data (names, sources, tokens) are shown as they are.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zhbert.score import marks
from zhbert.score.curves import Curve, draw
from zhbert.score.interval import Interval
from zhbert.score.page import in_both, render_page
from zhbert.score.probesheet import Audit, Cut, Judged, Measure, ProbeReport, Specimen
from zhbert.score.render import Axis, axis, groupby_kept, numbered
from zhbert.score.words import chinese, p_value, percent, points

if TYPE_CHECKING:
    from markupsafe import Markup

LEAD = ("word", "item@1")
KINDS = ("wrong", "right")
TOKEN = 12  # characters of a token that are shown
_NAMES = {
    "masked": "Words masked all over the text, 15 %",
    "word": "One word hidden at a time, all of it",
    "token": "One token hidden at a time",
    "loss": "loss of a token",
    "loss_per_character": "loss of a character",
    "token@1": "tokens right at the first guess",
    "token@5": "tokens among five guesses",
    "item@1": "words right at the first guess",
    "item@5": "words among five guesses",
    "perplexity": "pseudo-perplexity of a token",
    "perplexity_per_character": "pseudo-perplexity of a character",
    "lr": "learning rate",
    "tokens_per_second": "tokens a second",
    "norm": "norm of the gradient",
    "score": "score on held-out text",
    "held_out_loss": "loss on held-out text",
    "held_out_accuracy": "accuracy on held-out text",
}


def render(report: ProbeReport) -> str:
    """Return the whole page."""
    return render_page(
        "probe.html.j2",
        room="score",
        title=report.title,
        format=report.format,
        styles=["report.css", "probe.css"],
        functions=_SHOWN,
        report=report,
        hues=(),
        buttons=len(KINDS),
        kinds=KINDS,
    )


def t(word: str) -> "Markup":
    """Return a word in both languages; one that the table does not know stands once.

    >>> "words right at the first guess</span>" in t("item@1"), "整词首选正确率" in t("item@1")
    (True, True)
    """
    english = _NAMES.get(word, word)
    return in_both(english, chinese(english))


def shown(value: float, kind: str) -> str:
    """Return a figure as it is printed.

    >>> shown(0.512, "share"), shown(2.3456, "loss"), shown(12.3456, "perplexity"), shown(1e4, "perplexity")
    ('51.2 %', '2.346', '12.35', '10,000')
    """
    if kind == "share":
        return f"{percent(value)} %"
    digits = 3 if kind == "loss" else 2 if abs(value) < 1000 else 0
    return f"{value:,.{digits}f}".replace("-", "−")


def moved(value: float, kind: str) -> str:
    """Return a difference as it is printed, sign first.

    >>> moved(0.012, "share"), moved(-0.5, "loss")
    ('+1.2', '−0.500')
    """
    return points(value) if kind == "share" else ("+" if value > 0 else "") + shown(value, kind)


def edges(of: Interval, kind: str) -> str:
    """Return an interval as it is printed.

    >>> edges(Interval(0.5, 0.41, 0.6), "share")
    '[41.0, 60.0]'
    """
    low, high = (shown(edge, kind).removesuffix(" %") for edge in (of.low, of.high))
    return f"[{low}, {high}]"


def lead_of(judged: Judged) -> Measure:
    """Return the figure by which encoders are judged first."""
    return next(measure for measure in judged.measures if (measure.hidden, measure.name) == LEAD)


def measure_of(judged: Judged, hidden: str, name: str) -> Measure:
    """Return one figure of an encoder."""
    return next(m for m in judged.measures if (m.hidden, m.name) == (hidden, name))


def cut_axis(cuts: Sequence[Cut]) -> Axis:
    """Return one axis of few ticks for the accuracies of all parts."""
    wide = axis(of for cut in cuts for of in cut.accuracy)
    return Axis(wide.low, wide.high, (wide.low, wide.high))


def plain(value: float) -> str:
    """Return a number at the edge of a curve.

    >>> plain(5.4321), plain(0.00012), plain(123456.7), plain(0.0)
    ('5.43', '0.00012', '123,457', '0')
    """
    return f"{value:,.0f}" if abs(value) >= 1000 or not value else f"{value:.3g}"


def last_of(curve: Curve) -> str:
    """Return the last value of a curve."""
    return plain(curve.values[-1])


def per_cent_of(part: int, whole: int) -> str:
    """Return a share of a count.

    >>> per_cent_of(1, 8), per_cent_of(0, 0)
    ('12.5 %', '0.0 %')
    """
    return f"{percent(part / whole if whole else 0.0)} %"


def kept(audit: Audit) -> bool:
    """Return whether a masking kept the promises that can be held against it.

    Words that are cut are no fault of a strategy that masks single tokens, nor are long runs of them.
    """
    broken = audit.broken_words if audit.whole_words else 0
    return not (audit.special_masked or audit.others_changed or audit.long_samples_without or broken)


def kind_class(one: Specimen) -> str:
    """Return the style classes by which a specimen is filtered."""
    return " ".join(f"x{KINDS.index(kind)}" for kind in one.kinds)


def token(text: str) -> str:
    """Return a token that is safe to show and not longer than it should be."""
    return marks.clean(text if len(text) <= TOKEN else text[:TOKEN] + "…")


_SHOWN = (
    t,
    shown,
    moved,
    edges,
    lead_of,
    measure_of,
    cut_axis,
    draw,
    plain,
    last_of,
    per_cent_of,
    kept,
    kind_class,
    token,
    groupby_kept,
    numbered,
    percent,
    p_value,
)
