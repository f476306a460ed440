"""The audit of a masking: it measures what was asked for, and takes that from the encoder."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest

from zhbert.encode.masking import Masked
from zhbert.encode.strategies import STRATEGIES
from zhbert.model import store
from zhbert.records import to_plain
from zhbert.task.audit import audit, masking_of
from zhbert.task.heldout import HeldOut

MADE = runpy.run_path(str(Path(__file__).with_name("probed.py")))
TOKENIZER, text_of, write_shards = (MADE[name] for name in ("TOKENIZER", "text_of", "write_shards"))


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> HeldOut:
    return text_of(write_shards(tmp_path_factory.mktemp("shards") / "own", TOKENIZER))


@pytest.mark.parametrize("strategy", [name for name, s in STRATEGIES.items() if s.instead == "[MASK]"])
def test_an_audit_measures_what_was_asked_for(strategy: str, tmp_path: Path, text: HeldOut) -> None:
    config, by = masking_of(str(tmp_path), strategy=strategy, rate=0.2)
    assert config is not None
    (found,) = audit(text, config, by=by)
    assert (found.strategy, found.by, found.asked_rate) == (strategy, "an option", 0.2)
    assert found.rate == pytest.approx(0.2, abs=0.08)
    assert sum(found.shares) == pytest.approx(1)
    assert (found.special_masked, found.others_changed, found.long_samples_without) == (0, 0, 0)
    assert (found.broken_words > 0) is not found.whole_words


def test_an_audit_takes_the_masking_from_the_encoder(tmp_path: Path, text: HeldOut) -> None:
    facts = store.Facts(task=store.MASKED, provenance={"strategy": "wwm", "rate": 0.3, "steps": 7})
    (tmp_path / "zhbert.json").write_text(json.dumps(to_plain(facts)))
    config, by = masking_of(str(tmp_path), strategy="char", rate=0.1)
    assert config is not None
    assert (config.strategy, config.rate, by) == ("wwm", 0.3, "the encoder")
    staged = config.model_copy(update={"final_rate": 0.1})
    assert [(a.done, a.asked_rate) for a in audit(text, staged, by=by)] == [
        (0.0, 0.3),
        (0.5, pytest.approx(0.2)),
        (1.0, pytest.approx(0.1)),
    ]


def test_an_audit_sees_a_masking_that_breaks_its_promises(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: HeldOut
) -> None:
    def bad(*_: object, **__: object) -> Masked:
        """Mask the second token of every word, every [CLS], and nothing else."""
        flags_T = text.row.flags_T
        places = np.sort([*np.flatnonzero(flags_T & 1), *text.row.starts_S1[:-1]])
        ids_T = text.row.ids_T.copy()
        ids_T[places] = text.vocabulary.mask
        return Masked(ids_T=ids_T, positions_M=places, targets_M=text.row.ids_T[places])

    monkeypatch.setattr("zhbert.task.audit.mask", bad)
    config, by = masking_of(str(tmp_path), strategy="wwm", rate=0.15)
    assert config is not None
    (found,) = audit(text, config, by=by)
    assert found.special_masked == found.samples + 1  # one text has the letters "[MASK]" in it
    assert 10 < found.broken_words <= found.words <= found.broken_words + 1
    assert found.shares == (1.0, 0.0, 0.0)
