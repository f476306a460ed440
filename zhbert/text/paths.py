"""The best way through tags, and how likely a span is among all ways that are allowed.

A table from `tags.allowed` says which tag may follow which; its last row and column stand for the ends of a
text. Steps between tags may carry scores of their own (a chain that was learnt). Whatever the scores hold,
even infinity or NaN, the path is a valid one.

Shapes: T units, K tags; of steps `_KK` the first axis is the tag before.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from zhbert.records import Span
from zhbert.text.tags import OUTSIDE, parse, scheme_of

Floats = npt.NDArray[np.float64]
Allowed = npt.NDArray[np.bool_]
_LIMIT = 1e30  # stands for infinity in scores, so that only a forbidden step is truly infinite


def best_path(
    scores_TK: npt.ArrayLike, allowed_KK: Allowed, steps_KK: npt.ArrayLike = 0.0
) -> npt.NDArray[np.int64]:
    """Return the tags with the greatest sum of scores (and of steps) among the sequences that are allowed.

    >>> from zhbert.text.tags import allowed
    >>> table = allowed(["O", "B-地点", "I-地点"])
    >>> best_path([[0.0, -3.0, 2.0], [-9.0, -9.0, 0.0]], table).tolist()
    [1, 2]
    """
    scores_TK = _cleaned(scores_TK, len(allowed_KK) - 1)
    if not len(scores_TK):
        return np.zeros(0, dtype=np.int64)
    favourites: npt.NDArray[np.int64] = scores_TK.argmax(axis=1)
    if not np.any(steps_KK) and _valid(favourites, allowed_KK):
        return favourites  # which most often they are: nothing to search
    edge_KK = _steps(allowed_KK, steps_KK)
    between_KK = edge_KK[:-1, :-1].T.copy()
    best_K, before_TK = edge_KK[-1, :-1] + scores_TK[0], np.zeros(scores_TK.shape, dtype=np.int64)
    rows_K = np.arange(len(between_KK))
    for t in range(1, len(scores_TK)):
        paths_KK = between_KK + best_K
        before_TK[t] = paths_KK.argmax(axis=1)
        best_K = paths_KK[rows_K, before_TK[t]] + scores_TK[t]
    last_K = best_K + edge_KK[:-1, -1]
    assert np.isfinite(last_K).any(), "the tags allow no sequence of this length"
    return _walk_back(int(last_K.argmax()), before_TK)


def _cleaned(scores_TK: npt.ArrayLike, tags: int) -> Floats:
    given_TK = np.asarray(scores_TK, dtype=np.float64).reshape(-1, tags)
    if np.abs(given_TK).max(initial=0.0) <= _LIMIT:  # as nearly always: nothing infinite, and no NaN
        return given_TK
    return np.nan_to_num(given_TK, nan=-_LIMIT).clip(-_LIMIT, _LIMIT)


def _steps(allowed_KK: Allowed, steps_KK: npt.ArrayLike) -> Floats:
    """Return the scores of all steps, those to and from the ends of the text too."""
    found = np.zeros(allowed_KK.shape)
    found[:-1, :-1] = np.nan_to_num(np.asarray(steps_KK, dtype=np.float64)).clip(-_LIMIT, _LIMIT)
    return np.where(allowed_KK, found, -np.inf)


def _valid(path_T: npt.NDArray[np.int64], allowed_KK: Allowed) -> bool:
    return bool(
        allowed_KK[-1, path_T[0]] and allowed_KK[path_T[-1], -1] and allowed_KK[path_T[:-1], path_T[1:]].all()
    )


def _walk_back(last: int, before_TK: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    path = np.empty(len(before_TK), dtype=np.int64)
    for t in range(len(path) - 1, -1, -1):
        path[t] = last
        last = int(before_TK[t, last])
    return path


def openers(names: Sequence[str], *, scheme: str = "BIO") -> npt.NDArray[np.bool_]:
    """Return which tags do not go on with a span.

    >>> openers(["O", "B-地点", "I-地点"]).tolist()
    [True, True, False]
    """
    letters = [parse(name)[0] for name in names]
    return np.array([letter == OUTSIDE or scheme_of(scheme).starts(letter) for letter in letters])


def chances(
    spans: Sequence[Span],
    path_T: npt.NDArray[np.int64],
    scores_TK: npt.ArrayLike,
    allowed_KK: Allowed,
    steps_KK: npt.ArrayLike,
    *,
    openers_K: npt.NDArray[np.bool_],
) -> list[float]:
    """Return the probability of each span of a path: that of all ways that tag its units so and end it there.

    >>> from zhbert.text.tags import allowed
    >>> names = ["O", "B-地点", "I-地点"]
    >>> table, even = allowed(names), np.zeros((2, 3))
    >>> chances([Span(0, 2)], np.array([1, 2]), even, table, 0.0, openers_K=openers(names))  # OO OB BO BB BI
    [0.2]
    """
    if not spans:
        return []
    scores_TK, edge_KK = _cleaned(scores_TK, len(allowed_KK) - 1), _steps(allowed_KK, steps_KK)
    before_TK, after_TK = _forwards(scores_TK, edge_KK), _backwards(scores_TK, edge_KK)
    whole = float(np.logaddexp.reduce(before_TK[-1] + edge_KK[:-1, -1]))
    found = []
    for span in spans:
        own = path_T[span.start : span.end]
        inner = (
            scores_TK[np.arange(span.start + 1, span.end), own[1:]].sum() + edge_KK[own[:-1], own[1:]].sum()
        )
        ahead = edge_KK[own[-1], -1]
        if span.end < len(scores_TK):
            next_K = edge_KK[own[-1], :-1] + scores_TK[span.end] + after_TK[span.end]
            ahead = np.logaddexp.reduce(next_K[openers_K])
        found.append(float(np.exp(min(0.0, before_TK[span.start, own[0]] + inner + ahead - whole))))
    return found


def _forwards(scores_TK: Floats, edge_KK: Floats) -> Floats:
    """Return the log weight of all ways to each tag of each unit, the unit's score included."""
    between_KK, found = edge_KK[:-1, :-1].T.copy(), np.empty_like(scores_TK)
    found[0] = edge_KK[-1, :-1] + scores_TK[0]
    for t in range(1, len(found)):
        found[t] = _summed(between_KK + found[t - 1]) + scores_TK[t]
    return found


def _backwards(scores_TK: Floats, edge_KK: Floats) -> Floats:
    """Return the log weight of all ways from each tag of each unit to the end, the unit's score left out."""
    between_KK, found = edge_KK[:-1, :-1], np.empty_like(scores_TK)
    found[-1] = edge_KK[:-1, -1]
    for t in range(len(found) - 2, -1, -1):
        found[t] = _summed(between_KK + (scores_TK[t + 1] + found[t + 1]))
    return found


def _summed(ways_KK: Floats) -> Floats:
    """Return the logsumexp of each row; one that is out of reach stays so."""
    top_K = ways_KK.max(axis=1)
    safe_K = np.where(np.isfinite(top_K), top_K, 0.0)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.exp(ways_KK - safe_K[:, None]).sum(axis=1)) + safe_K)
