"""What a masking hides of words, phrases and entities, token by token; and the card of the text."""

import runpy
from pathlib import Path

import pytest

from zhbert.encode.masking import mask
from zhbert.encode.replacement import UNKNOWN
from zhbert.encode.strategies import LONGEST
from zhbert.files import PAGE, Plan, building
from zhbert.score.probesheet import Unit
from zhbert.task.audit import audit, masking_of
from zhbert.task.heldout import BITS, SEED, HeldOut
from zhbert.task.lineage import card_of, past_of

MADE = runpy.run_path(str(Path(__file__).with_name("probed.py")))
WHOLE = {
    "wwm": {"words of several tokens"},
    "phrase": {"words of several tokens", "phrases"},
    "entity": {"words of several tokens", "phrases", "entities"},
    "char": set[str](),
}


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> HeldOut:
    write_shards, text_of = MADE["write_shards"], MADE["text_of"]
    found: HeldOut = text_of(write_shards(tmp_path_factory.mktemp("shards") / "own", MADE["TOKENIZER"]))
    return found


def counted(text: HeldOut, strategy: str) -> dict[str, tuple[int, int, int, int]]:
    """How many units of each kind there are, hidden whole, in part, and the hidden tokens in them."""
    config, _ = masking_of("", strategy=strategy, rate=0.3)
    assert config is not None
    chosen = set(
        mask(text.row, config.masking(1.0), seed=SEED, vocabulary=text.vocabulary).positions_M.tolist()
    )
    flags = (text.row.flags_T | text.vocabulary.flags_V[text.row.ids_T]).tolist()
    found = {}
    names = {
        "words of one token": "word",
        "words of several tokens": "word",
        "phrases": "phrase",
        "entities": "entity",
    }
    for name, kind in names.items():
        runs: list[list[int]] = []
        for at, flag in enumerate(flags):
            if flag & BITS[kind]:
                runs[-1].append(at)
            else:
                runs.append([at])
        runs = [run for run in runs if all(flags[at] < UNKNOWN for at in run)]
        runs = [run for run in runs if (len(run) == 1 if "one" in name else 1 < len(run) <= LONGEST)]
        hidden = [len(chosen & set(run)) for run in runs]
        whole = sum(n == len(run) for n, run in zip(hidden, runs, strict=True))
        found[name] = (len(runs), whole, sum(n > 0 for n in hidden) - whole, sum(hidden))
    return found | {"all": (len(chosen), 0, 0, 0)}


@pytest.mark.parametrize("strategy", WHOLE)
def test_units_are_those_of_the_obvious_count(strategy: str, text: HeldOut) -> None:
    config, by = masking_of("", strategy=strategy, rate=0.3)
    assert config is not None
    (found,) = audit(text, config, by=by)
    expected = counted(text, strategy)
    total = expected.pop("all")[0]
    assert found.units == tuple(
        Unit(kind=kind, n=n, whole=whole, partly=partly, share=hidden / total)
        for kind, (n, whole, partly, hidden) in expected.items()
    )
    unbroken = {unit.kind for unit in found.units if not unit.partly}
    assert unbroken - {"words of one token"} >= WHOLE[strategy]
    assert all(unit.n for unit in found.units)
    assert bool(unbroken & {"words of several tokens"}) is (strategy != "char")


def test_the_card_of_the_text_is_found_beside(tmp_path: Path) -> None:
    def made(name: str, stage: str, inputs: dict[str, str]) -> str:
        with building(tmp_path / name, Plan(stage=stage, settings={}, inputs=inputs, version="1")) as work:
            (work.folder / "what.txt").write_text(name, "utf-8")
        return past_of(tmp_path / name)[-1][1].content

    documents = made("documents", "corpus build", {})
    shards = made("shards", "encode", {"documents": documents})
    made("encoder", "pretrain", {"shards": shards})
    assert card_of(past_of(tmp_path / "encoder")) == ""
    made("another", "corpus report", {"documents": "f" * 64})
    assert card_of(past_of(tmp_path / "encoder")) == ""
    made("card", "corpus report", {"documents": documents})
    assert card_of(past_of(tmp_path / "encoder")) == f"card/{PAGE}"
    assert card_of([]) == ""
