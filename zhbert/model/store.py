"""One folder is one model: what transformers writes, plus `zhbert.json` with what it leaves out.

A folder is inspected before anything of it is loaded: weights must be safetensors (a pickle
can run code), the configuration must not ask for code of its own, and the vocabulary must fit
the embedding. Weights that are not in the folder are refused too, where transformers would make
them up and warn. They are read as float32: transformers 5 keeps the type of the file, and half
precision cannot be trained. Everything a user can put right is said in one line.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModel, AutoModelForMaskedLM, PreTrainedConfig, PreTrainedModel

from zhbert.encode.tokenizer import Tokenizer
from zhbert.errors import ModelError, UserError
from zhbert.files import write_text
from zhbert.model.encoder import class_of, freeze_fixed_positions, most_tokens, set_dropout
from zhbert.model.families import family_of
from zhbert.model.heads import model_class
from zhbert.model.onnx import GRAPHS, Backend, OnnxModel, graph_of
from zhbert.model.quiet import quiet, said
from zhbert.plain import RARE
from zhbert.records import from_plain, to_plain

FACTS = "zhbert.json"
MASKED = "masked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a model folder is for, beyond its weights; `decoding` are numbers that predictions are made by."""

    task: str
    head: str = ""
    labels: tuple[str, ...] = ()
    window: int = 512
    overlap: int = 128
    decoding: dict[str, float] = field(default_factory=dict, metadata=RARE)
    metric: str = ""
    score: float | None = None
    provenance: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A model that was loaded, or a graph in its place, with its tokenizer and facts."""

    model: PreTrainedModel | OnnxModel
    tokenizer: Tokenizer
    facts: Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An encoder to go on with; `lacking` names the weights of its head that it came without."""

    model: PreTrainedModel
    tokenizer: Tokenizer
    lacking: tuple[str, ...]


def save(folder: Path, *, model: PreTrainedModel, tokenizer: Tokenizer, facts: Facts) -> None:
    """Write a model so that plain transformers loads it too."""
    with quiet():
        model.save_pretrained(folder)
    tokenizer.save(folder)
    write_text(folder / FACTS, json.dumps(to_plain(facts), ensure_ascii=False, indent=1) + "\n")


def best_device() -> torch.device:
    """Return the device that models run on: CUDA where there is one, else Apple's, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def load(folder: Path, *, backend: Backend = "torch") -> Stored:
    """Return the model of a folder, whatever its task, ready to predict on the best device.

    Another `backend` than torch takes one of the graphs that `zhbert onnx` has written, on the CPU.
    """
    inspect(folder, backend=backend)
    facts = read_facts(folder)
    if backend != "torch":
        config, tokenizer = read_config(str(folder)), Tokenizer.load(folder)
        check_fit(tokenizer, config, where=folder)
        return Stored(model=OnnxModel(graph_of(folder, backend), config), tokenizer=tokenizer, facts=facts)
    model, lacking = _load(_class_of(facts, folder), str(folder))
    if lacking:
        raise ModelError(_missing(lacking), where=folder)
    tokenizer = Tokenizer.load(folder)
    check_fit(tokenizer, model.config, where=folder)
    return Stored(model=model.to(best_device()).eval(), tokenizer=tokenizer, facts=facts)


def _class_of(facts: Facts, folder: Path) -> Any:
    if facts.task == MASKED:
        return AutoModelForMaskedLM
    try:
        return model_class(facts.task, facts.head)
    except ModelError as error:
        raise ModelError(error.what, where=folder / FACTS, remedy=error.remedy) from error


def load_masked(name: str, *, dropout: float, pairs: bool = False) -> Found:
    """Return the masked-language model of a folder, or of a name on the hub.

    A head that is not there begins at random. What only other heads need is left out; that for pairs (with
    its pooler) is another head, unless `pairs` are wanted.
    """
    if not is_hub_name(name):
        inspect(Path(name))
    config = set_dropout(read_config(name), dropout)
    family_of(config, where=name)
    model, lacking = _load(class_of(config, pairs=pairs, where=name), name, config=config)
    tokenizer = Tokenizer.load(name)
    check_fit(tokenizer, config, where=name)
    return Found(model=model, tokenizer=tokenizer, lacking=lacking)


def load_encoder(name: str) -> Stored:
    """Return the encoder of a folder or of a hub name, whatever its head and family, on the best device."""
    if not is_hub_name(name):
        inspect(Path(name))
    model, lacking = _load(AutoModel, name)
    if not hasattr(model, "embeddings"):
        raise ModelError(f"its family is {model.config.model_type}, which is no encoder", where=name)
    if lacking := tuple(key for key in lacking if not key.startswith("pooler.")):
        raise ModelError(_missing(lacking), where=name)
    tokenizer = Tokenizer.load(name)
    check_fit(tokenizer, model.config, where=name)
    facts = Facts(task="", window=most_tokens(model))
    facts = read_facts(Path(name)) if (Path(name) / FACTS).is_file() else facts
    return Stored(model=model.to(best_device()).eval(), tokenizer=tokenizer, facts=facts)


def is_hub_name(name: str) -> bool:
    """Return whether a name can only mean a model on the hub: nothing of that kind lies here.

    >>> is_hub_name("hfl/chinese-macbert-base"), is_hub_name("/tmp/model")
    (True, False)
    """
    parts = Path(name).parts
    return 1 <= len(parts) <= 2 and not Path(parts[0]).exists() and not name.startswith((".", "~"))


def new_task_model(
    init: str, *, task: str, config: PreTrainedConfig, random: bool, head: str = "", fresh: bool = False
) -> PreTrainedModel:
    """Return a task model with the encoder of `init`, or with random weights of the same size.

    A head that `init` has for this kind of task goes on being taught, unless a `fresh` one is wanted.
    """
    kind = model_class(task, head)
    new: PreTrainedModel | None = kind.from_config(config, dtype=torch.float32) if random or fresh else None
    if new and random:
        return new
    model, _ = _load(kind, init, config=config, ignore_mismatched_sizes=fresh)
    if new:
        anew = {name: weight for name, weight in new.state_dict().items() if _of_head(name, new)}
        model.load_state_dict(anew, strict=False)
    return model


def task_config(init: str, *, labels: list[str], problem: str = "", dropout: float) -> PreTrainedConfig:
    """Return the configuration of an encoder with the labels of a task, and what transformers calls it."""
    names: dict[str, Any] = {
        "id2label": dict(enumerate(labels)),
        "label2id": {n: i for i, n in enumerate(labels)},
    }
    outputs = names if labels else {"num_labels": 2}  # whatever the model of another task had
    return set_dropout(read_config(init, **outputs, problem_type=problem or None), dropout)


def labels_of(config: PreTrainedConfig) -> list[str]:
    """Return the labels of a configuration in the order of the outputs."""
    return [config.id2label[place] for place in sorted(config.id2label)]


def inspect(folder: Path, *, backend: Backend = "torch") -> None:
    """Refuse a folder that is not a model, has nothing for a backend, or could run code when loaded.

    >>> inspect(Path("nowhere"))
    Traceback (most recent call last):
    zhbert.errors.ModelError: nowhere: no such folder
    """
    if not folder.is_dir():
        raise ModelError("no such folder", where=folder)
    if not (folder / "config.json").is_file():
        raise ModelError("not a model: there is no config.json in it", where=folder)
    config = _read_json(folder / "config.json")
    if not isinstance(config, dict):
        raise ModelError("must be an object", where=folder / "config.json")
    if "auto_map" in config:
        raise ModelError(
            "its config.json asks to run code from the folder (auto_map), which zhbert never does",
            where=folder,
        )
    if backend != "torch":
        graph_of(folder, backend)
    elif not list(folder.glob("*.safetensors")):
        if graphs := [name for name, file in GRAPHS.items() if (folder / file).is_file()]:
            raise ModelError("only graphs for ONNX Runtime", where=folder, remedy=f"backend: {graphs[-1]}")
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


def check_fit(tokenizer: Tokenizer, config: PreTrainedConfig, *, where: object) -> None:
    """Refuse a tokenizer with ids that the embedding has no rows for."""
    if tokenizer.size > config.vocab_size:
        raise ModelError(
            f"its tokenizer has {tokenizer.size} entries but the embedding {config.vocab_size} rows",
            where=where,
        )


def read_config(name: str, **options: Any) -> PreTrainedConfig:
    """Return the configuration of a folder, or of a name on the hub."""
    config: PreTrainedConfig = said(
        name, lambda: AutoConfig.from_pretrained(name, trust_remote_code=False, **options)
    )
    return config


def _load(kind: Any, name: str, **options: Any) -> tuple[PreTrainedModel, tuple[str, ...]]:
    """Return a model, and which weights beyond the encoder are new because the folder has none."""
    model, facts = said(
        name,
        lambda: kind.from_pretrained(
            name,
            use_safetensors=True,
            trust_remote_code=False,
            dtype=torch.float32,
            output_loading_info=True,
            **options,
        ),
    )
    loaded: PreTrainedModel = model
    lacking = tuple(sorted(facts["missing_keys"]))
    if missing := tuple(key for key in lacking if not _of_head(key, loaded)):
        raise ModelError(_missing(missing), where=name)
    freeze_fixed_positions(loaded)
    return loaded, lacking


def _missing(keys: tuple[str, ...]) -> str:
    return f"{len(keys)} weights are missing, such as {keys[0]}"


def _of_head(key: str, model: PreTrainedModel) -> bool:
    return not key.startswith(f"{model.base_model_prefix}.") or ".pooler." in key
