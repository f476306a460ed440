"""Predicting beside transformers' own recipe: how fast, and whether the answers are the same.

Prints what it measures and, as its last line, one JSON object. Parts can be named:
`python benchmarks/apply.py ner reading onnx --size micro`.

- `ner`: `zhbert.load(folder).batch(texts)` beside `pipeline("token-classification", batch_size=32)` on the
  same folder and texts: the dev set of CLUENER, or of the corpus mini where there are no public data
  (ZHBERT_DATA).
- `onnx`: the same texts through the graphs that `zhbert onnx` makes of that folder, beside the same pipeline.
- `reading`: CMRC 2018 dev (or mini) beside the usual loop over `AutoModelForQuestionAnswering`: the
  tokenizer's overflowing windows, padded to the greatest length, 16 at a time, and the best pair of 20 starts
  and ends.
- `resume`: `zhbert apply` over real text with two models: killed at ten random moments, with one worker and
  with two, one pass beside two, and the most memory. Only when it is named; it takes half an hour.

All take turns in one process, on as many threads; a ratio is the median over the rounds. `*_same` is the
share of examples with the same answer, of those that the other side reads whole in one window (`*_compared`).
At `micro` the entities are learnt from 1500 examples on top of the bundled encoder, and the head for reading
is random; at `base` all weights are random: good for speed, and the answers mean nothing.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from _machine import commit, machine
from _text import DATA, lines_of, sample

Figures = dict[str, object]
Answer = Callable[[], list[Any]]
PARTS = ("ner", "reading", "onnx")
RESUME, CHARACTERS = "resume", 200_000
WINDOW, OVERLAP = 512, 128
MANY = {"micro": {"ner": 1343, "reading": 300}, "base": {"ner": 300, "reading": 40}}  # examples


def source(name: str, split: str, *, mini: str) -> Path:
    return Path(f"{name}/{split}" if DATA.is_dir() else f"{mini}/{split}")


def model_for(task: str, size: str, folder: Path) -> Path:
    """Return the folder of a model: taught a little, or random where only speed is asked for."""
    from zhbert.app.stages import execute, find_stage
    from zhbert.config import parse

    if (task, size) != ("ner", "micro"):
        return random_model(task, size, folder)
    stage = find_stage("finetune")
    train, dev = (source("cluener:entities", split, mini="mini:ner") for split in ("train", "dev"))
    settings = {
        "task": task,
        "init": "bundled",
        "epochs": 3,
        "lr": 1e-3,
        "window": WINDOW,
        "overlap": OVERLAP,
    }
    some = []
    for path, many in ((train, 1500), (dev, 100)):
        some.append(folder.with_name(f"{many}.jsonl"))
        write_some(path, many, some[-1])
    values = settings | {"train": str(some[0]), "dev": str(some[1])}
    return execute(stage, parse(stage.config_type(), values), folder).folder


def write_some(path: Path, many: int, target: Path) -> None:
    from zhbert.read.examples import read_examples
    from zhbert.records import to_json

    lines = [to_json(example) + "\n" for example in read_examples(path, "ner")[:many]]
    target.write_text("".join(lines), encoding="utf-8")


def random_model(task: str, size: str, folder: Path) -> Path:
    """Return a model on the bundled encoder, or of any size, with random weights for what is lacking."""
    import torch

    from zhbert.config import model_named
    from zhbert.encode.tokenizer import Tokenizer
    from zhbert.model import store
    from zhbert.model.encoder import new_config
    from zhbert.text.tags import tag_names

    bundled = model_named("bundled")
    tokenizer = Tokenizer.load(bundled)
    labels = tuple(f"L{n}" for n in range(10)) if task == "ner" else ()
    tags = tag_names(labels, "BIO") if labels else []
    config = store.task_config(bundled, labels=tags, dropout=0.1)
    torch.manual_seed(1)
    if size != "micro":
        config = type(config)(**config.to_dict() | new_config(size, tokenizer).to_diff_dict())
        if tags:
            config.id2label, config.label2id = dict(enumerate(tags)), {n: i for i, n in enumerate(tags)}
    model = store.new_task_model(bundled, task=task, config=config, random=size != "micro")
    if tags:
        model.classifier.bias.data[0] = 1.5  # mostly O, as in text
    facts = store.Facts(task=task, labels=labels, window=WINDOW, overlap=OVERLAP)
    folder.mkdir()
    store.save(folder, model=model, tokenizer=tokenizer, facts=facts)
    return folder


def graphs_of(folder: Path) -> Path:
    from zhbert.app.stages import execute, find_stage
    from zhbert.config import parse

    stage = find_stage("onnx")
    config = parse(stage.config_type(), {"model": str(folder), "int8": True})
    return execute(stage, config, folder.with_name("graphs")).folder


def their_pipeline(folder: Path, texts: Sequence[str]) -> Answer:
    from transformers import pipeline

    recognise = pipeline(
        "token-classification", model=str(folder), aggregation_strategy="simple", batch_size=32, device="cpu"
    )

    def answer() -> list[Any]:
        return [
            {(e["start"], e["end"], e["entity_group"]) for e in found} for found in recognise(list(texts))
        ]

    return answer


def our_entities(folder: Path, texts: Sequence[str], **how: Any) -> Answer:
    import zhbert

    pipe: Any = zhbert.load(folder, **how)

    def answer() -> list[Any]:
        return [{(e.start, e.end, e.label) for e in p.entities} for p in pipe.batch(list(texts))]

    return answer


def our_answers(folder: Path, asked: Sequence[Any]) -> Answer:
    import zhbert

    pipe: Any = zhbert.load(folder)

    def answer() -> list[Any]:
        said = pipe.batch([(e.question, e.context) for e in asked])
        return [(p.answer.start, p.answer.end) if p.answer else None for p in said]

    return answer


def turns(systems: dict[str, Answer], rounds: int) -> tuple[dict[str, list[float]], dict[str, list[Any]]]:
    """Return the seconds that each system took in every round, and what it said."""
    seconds: dict[str, list[float]] = {name: [] for name in systems}
    said = {}
    for number in range(rounds + 1):  # the first is for warming up
        for name in list(systems)[:: 1 if number % 2 else -1]:
            started = time.perf_counter()
            said[name] = systems[name]()
            if number:
                seconds[name].append(time.perf_counter() - started)
    return seconds, said


def compared(
    part: dict[str, str], systems: dict[str, Answer], characters: int, rounds: int, whole: Sequence[bool]
) -> Figures:
    """Return the figures of systems, by their names in the output, beside those of `baseline`."""
    seconds, said = turns(systems, rounds)
    figures: Figures = {}
    for name, called in part.items():
        pairs = zip(seconds["baseline"], seconds[name], strict=True)
        same = [a == b for a, b, one in zip(said["baseline"], said[name], whole, strict=True) if one]
        figures[f"{called}_ratio"] = round(statistics.median(a / b for a, b in pairs), 2)
        figures[f"{called}_characters_per_second"] = round(characters / statistics.median(seconds[name]))
        figures |= {
            f"{called}_same": round(sum(same) / max(1, len(same)), 4),
            f"{called}_compared": len(same),
        }
    base = statistics.median(seconds["baseline"])
    called = min(part.values(), key=len)
    figures[f"{called}_baseline_characters_per_second"] = round(characters / base)
    return figures


def measure(part: str, folder: Path, given: argparse.Namespace) -> Figures:
    """Measure one part on a model that is made in a folder."""
    from zhbert.read.examples import read_examples

    if part == RESUME:
        return resume(folder, given.examples or CHARACTERS)
    task = "reading" if part == "reading" else "ner"
    model = folder / task
    if not model.exists():
        model_for(task, given.size, model)
    name = ("cmrc2018:reading", "mini:reading") if part == "reading" else ("cluener:entities", "mini:ner")
    examples: list[Any] = read_examples(source(name[0], "dev", mini=name[1]), task)
    examples = examples[: given.examples or MANY[given.size][task]]
    if part == "reading":
        from _reading_loop import their_answers

        theirs, whole = their_answers(model, examples, window=WINDOW, overlap=OVERLAP)
        systems = {"baseline": theirs, "ours": our_answers(model, examples)}
        characters = sum(len(e.question) + len(e.context) for e in examples)
        return compared({"ours": "reading"}, systems, characters, given.rounds, whole)
    texts = [e.text for e in examples]
    characters, whole = sum(map(len, texts)), [len(text) < WINDOW - 2 for text in texts]
    systems = {"baseline": their_pipeline(model, texts)}
    if part == "ner":
        systems["ours"] = our_entities(model, texts)
        return compared({"ours": "ner"}, systems, characters, given.rounds, whole)
    graphs = graphs_of(model)
    systems |= {name: our_entities(graphs, texts, backend=name) for name in ("onnx", "onnx-int8")}
    return compared({"onnx": "onnx", "onnx-int8": "onnx_int8"}, systems, characters, given.rounds, whole)


def resume(folder: Path, characters: int) -> Figures:
    """Kill `zhbert apply` again and again over so many characters of real text."""
    from _apply_resume import apply_resume

    models = {name: folder / name for name in ("names", "others")}
    for model in models.values():
        random_model("ner", "micro", model)
    text = folder / "text.txt"
    text.write_text("".join(line + "\n" for line in lines_of(sample(characters / 3e5))), encoding="utf-8")
    return apply_resume(models, text)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "parts", nargs="*", choices=[*PARTS, RESUME, []], help="what to measure [all but resume]"
    )
    parser.add_argument("--size", choices=[*MANY], default="micro", help="size of the encoder [micro]")
    parser.add_argument("--examples", type=int, default=0, help="texts or questions [as many as is usual]")
    parser.add_argument("--rounds", type=int, default=3, help="times that each has its turn [3]")
    parser.add_argument("--threads", type=int, default=2, help="threads of torch and ONNX Runtime [2]")
    given = parser.parse_args()
    os.environ.setdefault("ZHBERT_DATA", str(DATA))  # without data the bundled corpus serves
    import torch

    torch.set_num_threads(given.threads)
    weights = "random" if given.size != "micro" else "bundled, entities taught, reading random"
    figures: Figures = {"machine": machine(), "commit": commit(), "threads": given.threads}
    figures |= {"size": given.size, "weights": weights}
    with tempfile.TemporaryDirectory() as folder:
        for part in given.parts or PARTS:
            found = measure(part, Path(folder), given)
            print(f"{part:8}", "  ".join(f"{key} {value}" for key, value in found.items()), flush=True)
            figures |= found
    print(json.dumps(figures, ensure_ascii=False))


if __name__ == "__main__":
    main()
