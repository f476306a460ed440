"""One folder is one model: what transformers writes, plus `zhbert.json` with what it leaves out.

A folder is inspected before anything of it is loaded: weights must be safetensors (a pickle
can run code), the configuration must not ask for code of its own, and the vocabulary must fit
the embedding. Everything a user can put right is said in one line.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transformers import AutoConfig, AutoModelForMaskedLM, PreTrainedConfig, PreTrainedModel

from zhbert.encode.tokenizer import Tokenizer
from zhbert.errors import ModelError, UserError
from zhbert.files import write_text
from zhbert.model.heads import TASK_MODELS
from zhbert.records import from_plain, to_plain

FACTS = "zhbert.json"
MASKED = "masked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a model folder is for, beyond its weights."""

    task: str
    labels: tuple[str, ...] = ()
    window: int = 512
    overlap: int = 128
    metric: str = ""
    score: float | None = None
    provenance: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A model that was loaded, with its tokenizer and facts."""

    model: PreTrainedModel
    tokenizer: Tokenizer
    facts: Facts


def save(folder: Path, *, model: PreTrainedModel, tokenizer: Tokenizer, facts: Facts) -> None:
    """Write a model so that plain transformers loads it too."""
    model.save_pretrained(folder)
    tokenizer.save(folder)
    write_text(folder / FACTS, json.dumps(to_plain(facts), ensure_ascii=False, indent=1) + "\n")


def load(folder: Path) -> Stored:
    """Return the model of a folder, whatever its task."""
    inspect(folder)
    facts = read_facts(folder)
    kind = AutoModelForMaskedLM if facts.task == MASKED else TASK_MODELS.get(facts.task)
    if kind is None:
        raise ModelError(f'unknown task "{facts.task}"', where=folder / FACTS)
    model = _load(kind, str(folder))
    return Stored(model=model, tokenizer=_fitting_tokenizer(str(folder), model), facts=facts)


def load_encoder(name: str) -> tuple[PreTrainedModel, Tokenizer]:
    """Return the masked-language model of a folder, or of a name on the hub."""
    if not is_hub_name(name):
        inspect(Path(name))
    model = _load(AutoModelForMaskedLM, name)
    return model, _fitting_tokenizer(name, model)


def is_hub_name(name: str) -> bool:
    """Return whether a name can only mean a model on the hub: nothing of that kind lies here.

    >>> is_hub_name("hfl/chinese-macbert-base"), is_hub_name("/tmp/model")
    (True, False)
    """
    parts = Path(name).parts
    return len(parts) <= 2 and not Path(parts[0]).exists() and not name.startswith((".", "~"))


def new_task_model(init: str, *, task: str, config: PreTrainedConfig, random: bool) -> PreTrainedModel:
    """Return a task model with the encoder of `init`, or with random weights of the same size."""
    kind = TASK_MODELS[task]
    return kind.from_config(config) if random else _load(kind, init, config=config)


def task_config(init: str, *, labels: list[str], dropout: float) -> PreTrainedConfig:
    """Return the configuration of an encoder with the labels of a task."""
    names: dict[str, Any] = {
        "id2label": dict(enumerate(labels)),
        "label2id": {n: i for i, n in enumerate(labels)},
    }
    config = AutoConfig.from_pretrained(init, **(names if labels else {}))
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = dropout
    return config


def inspect(folder: Path) -> None:
    """Refuse a folder that is not a model, or that could run code when loaded.

    >>> inspect(Path("nowhere"))
    Traceback (most recent call last):
    zhbert.errors.ModelError: nowhere: no such folder
    """
    if not folder.is_dir():
        raise ModelError("no such folder", where=folder)
    if not (folder / "config.json").is_file():
        raise ModelError("not a model: there is no config.json in it", where=folder)
    if "auto_map" in _read_json(folder / "config.json"):
        raise ModelError(
            "its config.json asks to run code from the folder (auto_map), which zhbert never does",
            where=folder,
        )
    if not list(folder.glob("*.safetensors")):
        pickles = [p.name for p in folder.iterdir() if p.suffix in {".bin", ".pt", ".pth", ".pkl", ".ckpt"}]
        found = f"only {pickles[0]}, which can run code when read" if pickles else "none"
        raise ModelError(
            f"no safetensors weights: {found}", where=folder, remedy="save the model as safetensors"
        )


def read_facts(folder: Path) -> Facts:
    """Return what `zhbert.json` says of a model folder."""
    path = folder / FACTS
    if not path.is_file():
        raise ModelError("no zhbert.json in it, so its task is not known", where=folder)
    try:
        return from_plain(Facts, _read_json(path))
    except UserError as error:
        raise ModelError(error.what, where=path, remedy=error.remedy) from error


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"not valid JSON: {error}", where=path) from error


def _load(kind: Any, name: str, **options: Any) -> PreTrainedModel:
    try:
        model: PreTrainedModel = kind.from_pretrained(
            name, use_safetensors=True, trust_remote_code=False, **options
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError(f"cannot be loaded: {str(error).splitlines()[0]}", where=name) from error
    return model


def _fitting_tokenizer(name: str, model: PreTrainedModel) -> Tokenizer:
    tokenizer = Tokenizer.load(name)
    rows = model.get_input_embeddings().weight.shape[0]
    if tokenizer.size > rows:
        raise ModelError(
            f"its tokenizer has {tokenizer.size} entries but the embedding {rows} rows", where=name
        )
    return tokenizer
