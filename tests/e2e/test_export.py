"""What is handed on, in the hands of plain transformers, and as its card says that it is used."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import transformers
from transformers import AutoTokenizer

import zhbert
from zhbert.corpus.documents import Columns
from zhbert.encode.shards import Shards
from zhbert.encode.tokenizer import Tokenizer
from zhbert.model import store
from zhbert.records import Document

pytestmark = pytest.mark.slow

CLASSES = {
    "masked": transformers.AutoModelForMaskedLM,
    "classify": transformers.AutoModelForSequenceClassification,
    "pair": transformers.AutoModelForSequenceClassification,
    "ner": transformers.AutoModelForTokenClassification,
    "reading": transformers.AutoModelForQuestionAnswering,
}
TEXTS = ["王芳在杭州市图书馆工作，李明去了北京。", "1991年11月[MASK]情：库存之后怎么看？", "iPhone15😀"]
ROOT = Path(zhbert.__file__).parents[1]


@pytest.fixture(scope="module")
def handed(
    stage: Callable[..., Path],
    tiny_encoder: Path,
    tiny_models: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Path]:
    home = tmp_path_factory.mktemp("handed")
    models = {"masked": tiny_encoder, **tiny_models}
    return {
        task: stage("export", home / task, model=model, title=task, licence="MIT")
        for task, model in models.items()
    }


def run(*words: str, cwd: Path, **environment: str) -> None:
    done = subprocess.run(
        [sys.executable, *words],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def same_outputs(folder: Path, task: str) -> float:
    """Hold plain transformers against `store`; return the largest difference."""
    plain, report = CLASSES[task].from_pretrained(folder, output_loading_info=True)
    assert not any(report.values())
    assert {p.dtype for p in plain.parameters()} == {torch.float32}
    inputs = AutoTokenizer.from_pretrained(folder)(TEXTS, padding=True, return_tensors="pt")
    with torch.inference_mode():
        found = plain.eval()(**inputs).to_tuple()
        ours = store.load(folder).model.to("cpu")(**inputs).to_tuple()
    assert len(found) == len(ours)
    return max(float((a - b).abs().max()) for a, b in zip(found, ours, strict=True))


@pytest.mark.parametrize("task", CLASSES)
def test_plain_transformers_gives_the_same(task: str, handed: dict[str, Path]) -> None:
    assert same_outputs(handed[task], task) < 1e-5


def test_plain_transformers_loads_the_bundled_encoder() -> None:
    assert same_outputs(ROOT / "zhbert" / "model" / "bundled", "masked") < 1e-5


def test_the_code_on_every_card_runs(handed: dict[str, Path], tmp_path: Path) -> None:
    code = ""
    for folder in handed.values():
        card = (folder / "README.md").read_text("utf-8")
        blocks = re.findall(r"```python\n(.*?)```", card, re.S)
        assert len(blocks) == 2
        code += "".join(blocks).replace("path/to/this/folder", str(folder))
    run("-c", code, cwd=tmp_path)


def test_text_is_encoded_with_the_tokenizer_of_a_name_on_the_hub(tiny_encoder: Path, tmp_path: Path) -> None:
    """Laid out as huggingface_hub keeps what it has fetched, so that no network is needed."""
    kept = tmp_path / "hub" / "models--someone--small"
    shutil.copytree(tiny_encoder, kept / "snapshots" / "1")
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text("1")
    (tmp_path / "documents").mkdir()
    for number in range(3):
        rows = [Document(id=f"{number}-{i}", text=text) for i, text in enumerate(TEXTS)]
        Columns.of(rows).write(tmp_path / "documents" / f"part-{number:05d}.parquet")
    words = "encode --documents documents --tokenizer someone/small --held-out 0 --workers 2 -o shards"
    run("-m", "zhbert", *words.split(), cwd=tmp_path, HF_HUB_CACHE=str(tmp_path / "hub"))
    tokenizer = Tokenizer.load(tiny_encoder)
    assert Tokenizer.load(tmp_path / "shards" / "tokenizer").fingerprint == tokenizer.fingerprint
    ids, _ = Shards.open(tmp_path / "shards" / "train").doc(0)
    assert ids.tolist() == tokenizer.encode_batch(TEXTS[:1])[0].ids.tolist()
    manifest = json.loads((tmp_path / "shards" / "manifest.json").read_text("utf-8"))
    assert manifest["inputs"]["tokenizer"] == "hub:someone/small"
