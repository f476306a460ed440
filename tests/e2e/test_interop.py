"""The folders are plain transformers folders: same classes, same ids, same logits, same answers."""

from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
import transformers
from transformers import AutoTokenizer

from zhbert.app.pipeline import Encoder, load
from zhbert.encode.tokenizer import Tokenizer
from zhbert.model import store
from zhbert.model.encoder import new_config, new_encoder
from zhbert.model.families import FamilyName

pytestmark = pytest.mark.slow

CLASSES = {
    "masked": transformers.AutoModelForMaskedLM,
    "classify": transformers.AutoModelForSequenceClassification,
    "pair": transformers.AutoModelForSequenceClassification,
    "ner": transformers.AutoModelForTokenClassification,
    "reading": transformers.AutoModelForQuestionAnswering,
}
SENTENCES = [
    "王芳在杭州市图书馆工作，李明去了北京。",
    "1991年11月行情：库存之后怎么看？",
    "Wang Fang买了一台ThinkPad X1，花了9,999元。",
    "😀今天天气真好👨‍👩‍👧，去𠮷野家吃饭吧！",
    "ＡＢＣ公司　的１２３号\r\n产品，龘靐㎏é",
    "[MASK]天[SEP]气",
    "",
]


@pytest.fixture(scope="module")
def folders(tiny_encoder: Path, tiny_models: dict[str, Path]) -> dict[str, Path]:
    return {"masked": tiny_encoder, **tiny_models}


@pytest.mark.parametrize("task", CLASSES)
def test_plain_transformers_gives_the_same_logits(task: str, folders: dict[str, Path]) -> None:
    ours = store.load(folders[task]).model.eval()
    plain, report = CLASSES[task].from_pretrained(folders[task], output_loading_info=True)
    assert not any(report.values())
    tokenizer = AutoTokenizer.from_pretrained(folders[task])
    two = [s[::-1] for s in SENTENCES] if task in ("pair", "reading") else None
    inputs = tokenizer(SENTENCES, two, padding=True, return_tensors="pt")
    with torch.inference_mode():
        found, expected = plain.eval()(**inputs), ours(**inputs)
    seen = inputs["attention_mask"].bool()
    for name in ("logits", "start_logits", "end_logits"):
        if name in expected:
            a, b = found[name], expected[name]
            per_token = a.shape[:2] == seen.shape and task not in ("classify", "pair")
            assert torch.allclose(a[seen] if per_token else a, b[seen] if per_token else b, atol=1e-5)


@pytest.mark.parametrize("task", CLASSES)
def test_tokenizer_ids_are_the_same(task: str, folders: dict[str, Path]) -> None:
    ours, theirs = Tokenizer.load(folders[task]), AutoTokenizer.from_pretrained(folders[task])
    for sentence, encoded in zip(SENTENCES, ours.encode_batch(SENTENCES), strict=True):
        special = [ours.special.cls, *encoded.ids.tolist(), ours.special.sep]
        assert theirs(sentence)["input_ids"] == special
    assert len(theirs) == ours.size
    pair = theirs(SENTENCES[0], SENTENCES[1])
    assert sorted(set(pair["token_type_ids"])) == [0, 1]


@pytest.mark.parametrize("family", get_args(FamilyName))
def test_every_family_is_a_plain_folder(
    family: FamilyName, tmp_path: Path, tiny_tokenizer: Tokenizer
) -> None:
    ours = new_encoder(new_config("pico", tiny_tokenizer, family=family), seed=1).eval()
    facts = store.Facts(task=store.MASKED)
    store.save(tmp_path, model=ours, tokenizer=tiny_tokenizer, facts=facts)
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".safetensors", ".txt"}
    plain, report = transformers.AutoModelForMaskedLM.from_pretrained(tmp_path, output_loading_info=True)
    assert not any(report.values())
    assert type(plain) is type(ours)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    for sentence, encoded in zip(SENTENCES, tiny_tokenizer.encode_batch(SENTENCES), strict=True):
        special = tiny_tokenizer.special
        assert tokenizer(sentence)["input_ids"] == [special.cls, *encoded.ids.tolist(), special.sep]
    inputs = tokenizer(SENTENCES, [s[::-1] for s in SENTENCES], padding=True, return_tensors="pt")
    seen = inputs["attention_mask"].bool()
    with torch.inference_mode():
        found, expected = (model.eval()(**inputs).logits[seen] for model in (plain, ours))
        assert torch.allclose(found, expected, atol=1e-5)


def test_labels_are_in_the_order_of_the_data(folders: dict[str, Path]) -> None:
    for task in ("classify", "pair", "ner"):
        config = transformers.AutoConfig.from_pretrained(folders[task])
        labels = list(store.read_facts(folders[task]).labels)
        names = ["O", *(f"{letter}-{x}" for x in labels for letter in "BI")] if task == "ner" else labels
        assert [config.id2label[i] for i in range(config.num_labels)] == names
        assert config.label2id == {name: i for i, name in enumerate(names)}


def test_fill_mask_agrees(folders: dict[str, Path]) -> None:
    text = "王芳在杭州市图书[MASK]工作"
    theirs = transformers.pipeline("fill-mask", model=str(folders["masked"]), top_k=5)(text)
    encoder = load(folders["masked"])
    assert isinstance(encoder, Encoder)
    ours = {guess.words[0]: guess.score for guess in encoder.fill(text, top=50)}
    assert all(
        guess["score"] == pytest.approx(ours.get(guess["token_str"], guess["score"])) for guess in theirs
    )
    assert sum(guess["token_str"] in ours for guess in theirs) >= 4


def test_token_classification_agrees(folders: dict[str, Path]) -> None:
    text = SENTENCES[0]
    theirs: Any = transformers.pipeline("token-classification", model=str(folders["ner"]), ignore_labels=[])
    stored = store.load(folders["ner"])
    encoded = stored.tokenizer.encode_batch([text])[0]
    special = stored.tokenizer.special
    with torch.inference_mode():
        ids = torch.tensor([[special.cls, *encoded.ids.tolist(), special.sep]])
        sure = stored.model(input_ids=ids).logits[0, 1:-1].softmax(-1).numpy()
    found = theirs(text)
    assert [(row["start"], row["end"]) for row in found] == [tuple(o) for o in encoded.offsets.tolist()]
    assert [row["score"] for row in found] == pytest.approx(sure.max(-1).tolist(), abs=1e-5)
    names = stored.model.config.id2label
    assert [row["entity"] for row in found] == [names[i] for i in sure.argmax(-1).tolist()]


def test_classification_agrees(folders: dict[str, Path]) -> None:
    theirs: Any = transformers.pipeline("text-classification", model=str(folders["classify"]), top_k=None)
    ours: Any = load(folders["classify"])
    for sentence in SENTENCES[:5]:
        scores = {row["label"]: row["score"] for row in theirs([sentence])[0]}
        found = ours(sentence)
        assert found.scores == pytest.approx(scores, abs=1e-5)
        assert found.labels[0] == max(scores, key=lambda name: scores[name])


def test_our_reader_scores_what_transformers_scores(folders: dict[str, Path]) -> None:
    ours: Any = load(folders["reading"])
    plain = CLASSES["reading"].from_pretrained(folders["reading"]).eval()
    tokenizer = AutoTokenizer.from_pretrained(folders["reading"])
    question, context = "谁在图书馆工作？", SENTENCES[0]
    asked = tokenizer(question, context, return_tensors="pt")
    with torch.inference_mode():
        out = plain(**asked)
    start, end = out.start_logits[0].numpy(), out.end_logits[0].numpy()
    (first,) = np.flatnonzero(asked["input_ids"][0] == tokenizer.sep_token_id)[:1]
    places = range(first + 1, len(start) - 1)
    longest = int(ours.facts.decoding["longest"])
    spans = [(i, j) for i in places for j in places if i <= j < i + longest]
    odds = [np.exp(start[i] + end[j] - start[0] - end[0]) for i, j in spans]
    said = ours((question, context))
    assert said.null_score == pytest.approx(1 / (1 + sum(odds)), abs=1e-5)
    assert said.score == pytest.approx(max(odds) / (1 + sum(odds)), abs=1e-5)
