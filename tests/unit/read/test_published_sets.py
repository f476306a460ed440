"""Cards against the published files: checksums, counts, labels, leaks, what is left out."""

from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from zhbert.files import hash_file
from zhbert.read.card import content_root, list_cards, load_card
from zhbert.read.examples import labels_in, read_examples
from zhbert.read.references import DATA, Reference, differs, find
from zhbert.read.sets import asked, read_set
from zhbert.records import Example, PairExample, ReadingExample

pytestmark = [pytest.mark.realdata, pytest.mark.slow]

KNOWN = [
    (name, task, split)
    for name in list_cards()
    for task, labelled in load_card(name).tasks.items()
    for split, facts in labelled.splits.items()
    if facts.sha256 and not (content_root("corpora") / name / facts.file).exists()
]
LEAKS = [
    (name, task, leak.split, leak.also_in, leak.examples)
    for name in list_cards()
    for task, labelled in load_card(name).tasks.items()
    for leak in labelled.leaks
]
ABSENT = {  # labels that a split has no example of
    "gsdsimp:parts/test": {"SYM"},
    "iflytek-few:topics/dev": {"成人", "影视娱乐"},
}
LEFT_OUT = {
    "chnsenticorp:sentiment/dev-clean": {"stands in train too": 338},
    "chnsenticorp:sentiment/test-clean": {"stands in train too": 331},
    "cmrc2018:reading/train": {"moved": 21},
    "cmrc2018:reading/dev": {"stands nowhere, kept as a text": 193, "moved": 7},
    "cmrc2018:reading/trial": {"moved": 5},
    "ocnli:relations/train": {'left out: label "-"': 15},
    "ocnli:relations/dev-whole": {'left out: label "-"': 50},
    "ocnli:relations/dev": {'left out: label "-"': 50},  # of the whole file
    "ocnli:relations/test": {'left out: label "-"': 50},
    "msra-ner:entities/train": {"sentences with mended tags": 6},
    "msra-ner:entities/dev": {"sentences with mended tags": 6},
    "msra-ner:entities/train-whole": {"sentences with mended tags": 6},
}


@pytest.fixture(autouse=True)
def data(published: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DATA, str(published("cluener").parent))


@cache
def examples_of(reference: str) -> tuple[list[Example], dict[str, int]]:
    counts: Counter[str] = Counter()
    return [example for _, example in read_set(reference, counts)], dict(counts)


@pytest.mark.parametrize(("name", "task", "split"), KNOWN)
def test_a_split_is_what_its_card_says(name: str, task: str, split: str) -> None:
    reference = f"{name}:{task}/{split}"
    labelled = load_card(name).tasks[task]
    facts = labelled.splits[split]
    if not Reference.of(reference).path.is_file():
        pytest.skip(f"no {facts.file} of {name}")
    examples, left_out = examples_of(reference)
    assert differs(reference) == ""
    assert len(examples) == facts.examples
    assert len({example.id for example in examples}) == len(examples)
    assert left_out == LEFT_OUT.get(reference, {})
    labels = {label for example in examples for label in labels_in(example)}
    if reference != "iflytek-few:topics/test":  # 21 of 119 are absent
        assert labels == set(labelled.labels) - ABSENT.get(reference, set()) if facts.labelled else not labels


@pytest.mark.parametrize(("name", "task", "split", "also_in", "count"), LEAKS)
def test_leaks_are_as_large_as_the_card_says(
    name: str, task: str, split: str, also_in: str, count: int
) -> None:
    elsewhere = {asked(example) for example in examples_of(f"{name}:{task}/{also_in}")[0]}
    assert sum(asked(example) in elsewhere for example in examples_of(f"{name}:{task}/{split}")[0]) == count


@pytest.mark.parametrize("name", sorted({name for name, _, _ in KNOWN}))
def test_no_other_text_stands_on_two_sides(name: str) -> None:
    for task, labelled in load_card(name).tasks.items():
        known = {(leak.split, leak.also_in) for leak in labelled.leaks}
        here = [split for split in ("train", "dev", "test") if (name, task, split) in KNOWN]
        texts = {split: {asked(e) for e in examples_of(f"{name}:{task}/{split}")[0]} for split in here}
        shared = {(a, b) for a in here for b in here if here.index(b) < here.index(a) and texts[a] & texts[b]}
        assert shared == known


def test_every_file_here_has_its_checksum_in_a_card(published: Callable[[str], Path]) -> None:
    told = {(load_card(n).folder or n, load_card(n).tasks[t].splits[s].file) for n, t, s in KNOWN}
    for folder in sorted({folder for folder, _ in told}):
        files = {
            p.name
            for p in published(folder).iterdir()
            if p.suffix in (".json", ".tsv", ".txt", ".gz", ".conllu")
        }
        assert files - {file for place, file in told if place == folder} <= {"classes.txt"}


def test_the_numbers_of_labels_are_those_of_the_published_list() -> None:
    lines = (find("thucnews-titles:topics/train").parent / "classes.txt").read_text("utf-8").split()
    labelled = load_card("thucnews-titles").tasks["topics"]
    assert [labelled.names[str(number)] for number in range(10)] == lines == labelled.labels


def test_what_is_left_out_is_what_stands_in_the_file_of_train() -> None:
    """The leak of ChnSentiCorp, counted from the files themselves."""
    lines = {
        split: [
            row.split("\t")[1]
            for row in find(f"chnsenticorp:sentiment/{split}").read_text("utf-8").split("\n")[1:-1]
        ]
        for split in ("train", "test")
    }
    train = set(lines["train"])
    clean = [text for text in lines["test"] if text not in train]
    examples = read_examples(Path("chnsenticorp:sentiment/test-clean"), "classify")
    assert [asked(example)[0] for example in examples] == clean
    assert len(lines["test"]) - len(clean) == 331


def test_scores_of_similarity_are_numbers() -> None:
    examples = examples_of("sts-b:similarity/dev")[0]
    values = Counter(example.value for example in examples if isinstance(example, PairExample))
    assert values == {0.0: 333, 1.0: 247, 2.0: 267, 3.0: 354, 4.0: 205, 5.0: 52}


def test_answers_that_are_worded_freely_are_kept() -> None:
    examples = {e.id: e for e in examples_of("cmrc2018:reading/dev")[0] if isinstance(e, ReadingExample)}
    free = examples["DEV_6_QUERY_2"]
    assert "2010年是邹游在河南建业効力的最后一个赛季更无法得到出场机会。" in free.texts
    assert all(example.answers for example in examples.values())


def test_the_checksum_is_that_of_the_whole_file() -> None:
    facts = load_card("ocnli").tasks["relations"].splits
    assert facts["dev"].sha256 == facts["test"].sha256 == hash_file(find("ocnli:relations/dev"))
