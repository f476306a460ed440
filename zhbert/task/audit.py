"""What a masking does to real text: measured, not promised.

The masking that an encoder was trained with is done once more, on held-out text, and its rate, what it puts
instead, and whether it keeps its promises are counted. Where it changes over the training, it is measured at
the beginning, in the middle and at the end.
"""

from pathlib import Path
from typing import Any

import numpy as np

from zhbert.config import INPUT, parse
from zhbert.encode.masking import mask
from zhbert.encode.pack import ranges
from zhbert.encode.plan import MaskingConfig
from zhbert.encode.shards import CONTINUES_WORD
from zhbert.encode.strategies import LONGEST, STRATEGIES, Masking
from zhbert.files import read_manifest
from zhbert.model import store
from zhbert.score.probesheet import Audit, Unit
from zhbert.task.heldout import SEED, HeldOut, is_special, units

ALWAYS = 30  # real tokens from which on a sample always has a mask
_KINDS = (  # name, kind in the shards, tokens at least and at most
    ("words of one token", "word", 1, 1),
    ("words of several tokens", "word", 2, LONGEST),
    ("phrases", "phrase", 2, LONGEST),
    ("entities", "entity", 2, LONGEST),
)


def masking_of(encoder: str, *, strategy: str, rate: float) -> tuple[MaskingConfig | None, str]:
    """Return the masking that an encoder says it was trained with, else the given one, and who says so.

    None where it cannot be done again: a list of similar words does not travel with an encoder.
    """
    settings = _settings(Path(encoder))
    said = {key: value for key, value in settings.items() if key in MaskingConfig.model_fields}
    if INPUT in said.values():
        return None, "the encoder"
    if "strategy" in said:
        return parse(MaskingConfig, said, where=encoder), "the encoder"
    return parse(MaskingConfig, {"strategy": strategy, "rate": rate}, where=encoder), "an option"


def _settings(folder: Path) -> dict[str, Any]:
    manifest = read_manifest(folder)
    if manifest and manifest.stage == "pretrain":
        return manifest.settings
    return store.read_facts(folder).provenance if (folder / store.FACTS).is_file() else {}


def audit(text: HeldOut, config: MaskingConfig, *, by: str) -> tuple[Audit, ...]:
    """Return what a masking does to a text, at each point of the training at which it is another one."""
    points = {config.masking(done): done for done in (1.0, 0.5, 0.0)}
    return tuple(_audit(text, now, done, by) for now, done in sorted(points.items(), key=lambda p: p[1]))


def _audit(text: HeldOut, masking: Masking, done: float, by: str) -> Audit:
    row = text.row
    found = mask(row, masking, seed=SEED, vocabulary=text.vocabulary)
    special_T = is_special(text)
    taken_T = np.zeros(len(row.ids_T), np.bool_)
    taken_T[found.positions_M] = True
    real_S = np.diff(row.starts_S1) - np.add.reduceat(special_T, row.starts_S1[:-1])
    hidden_S = np.add.reduceat(taken_T, row.starts_S1[:-1])
    hidden_D = np.bincount(text.documents_S, weights=hidden_S, minlength=len(text.documents))
    put_M = found.ids_T[found.positions_M]
    became_M, stayed_M = put_M == text.vocabulary.mask, put_M == found.targets_M
    changed_T = (found.ids_T != row.ids_T) & ~taken_T
    touched, broken = _words(text, taken_T)
    chosen = max(1, len(found.positions_M))
    return Audit(
        done=done,
        strategy=masking.strategy,
        by=by,
        whole_words=STRATEGIES[masking.strategy].pieces == "words",
        asked_rate=masking.rate,
        rate=float(taken_T.sum() / max(1, real_S.sum())),
        asked_shares=masking.replace,
        shares=(
            float(became_M.sum() / chosen),
            float((~became_M & ~stayed_M).sum() / chosen),
            float((stayed_M & ~became_M).sum() / chosen),
        ),
        tokens=int(real_S.sum()),
        words=touched,
        broken_words=broken,
        special_masked=int((special_T & (taken_T | changed_T)).sum()),
        others_changed=int((changed_T & ~special_T).sum()),
        samples=len(real_S),
        samples_without=int((hidden_S == 0).sum()),
        long_samples_without=int(((hidden_S == 0) & (real_S >= ALWAYS)).sum()),
        documents=len(text.documents),
        documents_without=int((hidden_D == 0).sum()),
        units=tuple(_unit(text, taken_T, *kind) for kind in _KINDS),
    )


def _unit(
    text: HeldOut, taken_T: np.ndarray[Any, np.dtype[np.bool_]], name: str, kind: str, least: int, most: int
) -> Unit:
    """Return how the units of a kind fared, of those that could be chosen."""
    heads_U, lengths_U = units(text, kind, most=len(taken_T))
    fit_U = (least <= lengths_U) & (lengths_U <= most)
    heads_U, lengths_U = heads_U[fit_U], lengths_U[fit_U]
    ends_T1 = np.concatenate([[0], np.cumsum(taken_T)])
    hidden_U = ends_T1[heads_U + lengths_U] - ends_T1[heads_U]
    return Unit(
        kind=name,
        n=len(heads_U),
        whole=int((hidden_U == lengths_U).sum()),
        partly=int(((hidden_U > 0) & (hidden_U < lengths_U)).sum()),
        share=float(hidden_U.sum() / max(1, taken_T.sum())),
    )


def _words(text: HeldOut, taken_T: np.ndarray[Any, np.dtype[np.bool_]]) -> tuple[int, int]:
    """Return how many words have a hidden token, and how many of these also one that is not.

    Words that are longer than masking keeps whole are not counted.
    """
    special_T = is_special(text)
    special = np.flatnonzero(special_T)
    heads_T = text.row.flags_T & CONTINUES_WORD == 0
    heads_T[special] = True
    heads_T[special[special < len(heads_T) - 1] + 1] = True
    heads_U = np.flatnonzero(heads_T)
    lengths_U = np.diff(heads_U, append=len(taken_T))
    fit_U = (lengths_U <= LONGEST) & ~special_T[heads_U]
    heads_U, lengths_U = heads_U[fit_U], lengths_U[fit_U]
    hidden_U = np.add.reduceat(
        taken_T[ranges(heads_U, lengths_U)].astype(np.int64), np.cumsum(lengths_U) - lengths_U
    )
    return int((hidden_U > 0).sum()), int(((hidden_U > 0) & (hidden_U < lengths_U)).sum())
