"""Pretraining: the loss is that of plain transformers, and kills and cuts change nothing."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.nn.functional import cross_entropy
from transformers import AutoModelForMaskedLM

from zhbert.config import parse
from zhbert.encode.tokenizer import Tokenizer
from zhbert.errors import ConfigError
from zhbert.files import Work, read_manifest
from zhbert.model.attention import use_packed
from zhbert.model.encoder import new_config, new_encoder
from zhbert.progress import SILENT, Progress
from zhbert.task.masked import PretrainJob, split
from zhbert.task.pretrain import PretrainConfig, pretrain
from zhbert.train.ranks import Ranks

Values = dict[str, Any]
ALONE = Ranks(0, 1, torch.device("cpu"))


def config_of(values: Values) -> PretrainConfig:
    return parse(PretrainConfig, {k: str(v) if isinstance(v, Path) else v for k, v in values.items()})


def run(folder: Path, values: Values, progress: Progress = SILENT) -> Work:
    folder.mkdir(exist_ok=True)
    work = Work(folder)
    pretrain(config_of(values), work, progress)
    return work


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture
def job(tiny_pretrain: Values, tiny_tokenizer: Tokenizer) -> PretrainJob:
    return PretrainJob(config_of(tiny_pretrain), tiny_tokenizer, ALONE)


def test_the_loss_is_that_of_each_sample_alone(job: PretrainJob, tiny_tokenizer: Tokenizer) -> None:
    model = new_encoder(new_config("pico", tiny_tokenizer), seed=1).eval()
    for micro in job.next_step(done=0.0, parts=1):
        rows = torch.split(micro.tensors["ids_T"], micro.lengths)
        logits = torch.cat([model(input_ids=row[None]).logits[0] for row in rows])
        wanted = micro.tensors["targets_M"]
        slow = cross_entropy(logits[micro.tensors["positions_M"]], wanted, reduction="sum")
        use_packed(model)
        assert job.loss(model, micro).item() == pytest.approx(slow.item(), rel=1e-5)
        model.set_attn_implementation("sdpa")
        assert micro.targets == len(wanted) > 0
        assert micro.tokens == sum(micro.lengths) == len(micro.tensors["ids_T"])


def test_a_batch_is_cut_into_whole_samples(job: PretrainJob) -> None:
    batch, _ = job.batches.batch_at(job.batches.state)
    for tokens in (1, 100, 256, 10_000):
        parts = list(split(batch, tokens))
        for name in ("ids_T", "flags_T", "samples_S"):
            assert np.array_equal(np.concatenate([getattr(p, name) for p in parts]), getattr(batch, name))
        for part in parts:
            assert (part.starts_S1[0], part.starts_S1[-1]) == (0, len(part.ids_T))
            assert len(part.ids_T) < tokens + job.config.max_tokens
        assert len(parts) == min(-(-len(batch.ids_T) // tokens), len(batch.samples_S)), "no crumb is left"
    assert len(list(split(batch, 10_000))) == 1


@pytest.mark.slow
@pytest.mark.parametrize("micro", [64, 128])
def test_micro_batches_change_nothing(
    micro: int, tmp_path: Path, tiny_pretrain: Values, tiny_encoder: Path
) -> None:
    run(tmp_path / "cut", tiny_pretrain | {"micro_tokens": micro})
    one, other = weights(tmp_path / "cut"), weights(tiny_encoder)
    for name in one:
        assert torch.allclose(one[name], other[name], atol=2e-5), name


@pytest.mark.parametrize("at", [pytest.param(1, marks=pytest.mark.slow), 3, 6])
def test_a_killed_run_ends_with_the_same_folder(
    at: int, tmp_path: Path, tiny_pretrain: Values, tiny_encoder: Path, stop_after: Callable[[int], Progress]
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "out", tiny_pretrain | {"save_seconds": 1e-9}, stop_after(at))
    work = run(tmp_path / "out", tiny_pretrain)
    manifest = read_manifest(tiny_encoder)
    assert manifest is not None
    assert work.counts == manifest.counts
    files = {path.name: path.read_bytes() for path in tiny_encoder.iterdir() if path.is_file()}
    del files["manifest.json"]
    assert {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir() if p.is_file()} == files


@pytest.mark.slow
def test_judging_is_the_same_every_time_and_in_between(
    tmp_path: Path, tiny_pretrain: Values, tiny_encoder: Path, tiny_tokenizer: Tokenizer
) -> None:
    values = tiny_pretrain | {"judge_every": 2}
    counts = run(tmp_path / "out", values).counts
    manifest = read_manifest(tiny_encoder)
    assert manifest is not None
    assert counts["held_out"] == manifest.counts["held_out"]
    assert equal(weights(tmp_path / "out"), weights(tiny_encoder))
    job = PretrainJob(config_of(values), tiny_tokenizer, ALONE)
    model = new_encoder(new_config("pico", tiny_tokenizer), seed=1)
    use_packed(model)
    judged = [job.evaluate(model, step, last=step == 6) for step in range(1, 7)]
    assert [now and set(now.figures) for now in judged] == [None, {"held_out_loss", "held_out_accuracy"}] * 3
    assert sorted(job.judged) == [2, 4, 6]
    assert job.judged[2] == job.judged[6]
    assert job.judged[2]["loss"] == pytest.approx(np.log(tiny_tokenizer.size), rel=0.05)


def test_judging_happens_where_the_model_is(job: PretrainJob, monkeypatch: pytest.MonkeyPatch) -> None:
    moved = []
    kind = type(job.held_out[0])
    monkeypatch.setattr(kind, "to", lambda self, device: moved.append(device) or self)
    model = new_encoder(new_config("pico", Tokenizer.load(job.config.shards / "tokenizer")), seed=1)
    use_packed(model)
    job.judge(model)
    assert moved == [model.device] * len(job.held_out)


def test_batches_grow_and_the_position_stays_exact(tiny_pretrain: Values, tiny_tokenizer: Tokenizer) -> None:
    values = tiny_pretrain | {"first_batch_tokens": 100, "batch_tokens": 700, "ramp": 0.5}
    grown = [PretrainJob(config_of(values), tiny_tokenizer, ALONE) for _ in range(2)]
    sizes, seen = [], []
    for step in range(10):
        job = grown[0]
        if step == 4:  # a restart
            grown[1].resume(json.loads(json.dumps(job.state())))
            grown.reverse()
            job = grown[0]
        batch, _ = job.batches.batch_at(job.batches.state)
        before = job.batches.state
        sizes.append(sum(micro.tokens for micro in job.next_step(done=step / 10, parts=1)))
        taken = job.batches.state.consumed - before.consumed
        assert job.where() == (
            f"epoch 0, samples {before.consumed} to {before.consumed + taken - 1} of {len(job.batches.table)}"
        )
        seen += batch.samples_S[:taken].tolist()
    wanted = [100 + 120 * min(step, 5) for step in range(10)]
    assert all(want - 48 < size <= want for size, want in zip(sizes, wanted, strict=True))
    assert len(seen) == len(set(seen)) == job.batches.state.consumed


def test_parts_cut_micro_batches_and_leave_the_batch(
    tiny_pretrain: Values, tiny_tokenizer: Tokenizer
) -> None:
    whole, parts = [], []
    for found, number in ((whole, 1), (parts, 4)):
        job = PretrainJob(config_of(tiny_pretrain), tiny_tokenizer, ALONE)
        found += job.next_step(done=0.0, parts=number)
    most = 64 + tiny_pretrain["max_tokens"]
    assert max(micro.tokens for micro in parts) < most < max(micro.tokens for micro in whole)
    for name in ("ids_T", "targets_M"):
        one, other = (torch.cat([m.tensors[name] for m in found]) for found in (whole, parts))
        assert torch.equal(one, other)


@pytest.mark.slow
def test_processes_share_a_step_and_one_without_samples_is_idle(
    tiny_pretrain: Values, tiny_tokenizer: Tokenizer
) -> None:
    world = 20  # more than a step has samples
    config = config_of(tiny_pretrain)
    all_of_it = PretrainJob(config, tiny_tokenizer, ALONE).next_step(done=0.0, parts=1)
    jobs = [PretrainJob(config, tiny_tokenizer, Ranks(i, world, torch.device("cpu"))) for i in range(world)]
    shares = [job.next_step(done=0.0, parts=1) for job in jobs]
    assert len({str(job.state()) for job in jobs}) == 1
    busy = [micro for share in shares for micro in share if micro.targets]
    ids = torch.cat([micro.tensors["ids_T"] for micro in busy if micro.tokens])
    assert torch.equal(ids, torch.cat([micro.tensors["ids_T"] for micro in all_of_it]))
    idle = [share for share in shares if not sum(micro.tokens for micro in share)]
    assert idle
    model = new_encoder(new_config("pico", tiny_tokenizer), seed=1)
    use_packed(model)
    for (micro,) in idle:
        assert micro.targets == 0
        jobs[0].loss(model, micro).backward()


@pytest.mark.slow
@pytest.mark.parametrize("pairs", ["none", "sop"])
def test_batches_of_one_shape_have_the_same_loss(
    pairs: str, tiny_pretrain: Values, tiny_tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.nn.Module, "compile", lambda module, **_: None)
    plain, shaped = (
        PretrainJob(config_of(tiny_pretrain | {"pairs": pairs}), tiny_tokenizer, ALONE) for _ in range(2)
    )
    model = new_encoder(new_config("pico", tiny_tokenizer), seed=1, pairs=pairs != "none").eval()
    use_packed(model)
    shaped.compiled(model)
    sizes = set()
    for parts in (1, 2):
        steps = plain.next_step(done=0.0, parts=parts), shaped.next_step(done=0.0, parts=parts)
        for one, other in zip(*steps, strict=True):
            assert (one.targets, one.tokens) == (other.targets, other.tokens)
            assert shaped.loss(model, other).item() == pytest.approx(plain.loss(model, one).item(), rel=1e-4)
            sizes.add((parts, len(other.tensors["ids_T"]), len(other.tensors["targets_M"])))
    assert len(sizes) == 2
    assert shaped.judge(model) == pytest.approx(plain.judge(model), abs=2e-4)


def test_held_out_text_is_not_trained_on(job: PretrainJob) -> None:
    assert job.batches.table.shards.folder.name == "train"
    assert sum(micro.tokens for micro in job.held_out) > 100


def test_shards_without_held_out_text_will_do(
    tmp_path: Path, tiny_pretrain: Values, tiny_shards: Path
) -> None:
    shutil.copytree(tiny_shards, tmp_path / "shards")
    shutil.rmtree(tmp_path / "shards" / "held-out")
    counts = run(tmp_path / "out", tiny_pretrain | {"shards": tmp_path / "shards", "steps": 1}).counts
    assert counts["held_out"] == {}


@pytest.mark.slow
def test_going_on_from_an_encoder_has_no_dropout_and_moves_its_weights(
    tmp_path: Path, tiny_pretrain: Values, tiny_encoder: Path
) -> None:
    init = Path(shutil.copytree(tiny_encoder, tmp_path / "init"))
    run(tmp_path / "plain", tiny_pretrain | {"init": init, "steps": 2})
    assert json.loads((tmp_path / "plain" / "config.json").read_text("utf-8"))["hidden_dropout_prob"] == 0.1
    config = json.loads((init / "config.json").read_text("utf-8"))
    config |= {"hidden_dropout_prob": 0.5, "attention_probs_dropout_prob": 0.5}
    (init / "config.json").write_text(json.dumps(config), "utf-8")
    run(tmp_path / "dropped", tiny_pretrain | {"init": init, "steps": 2})
    assert equal(weights(tmp_path / "plain"), weights(tmp_path / "dropped"))
    assert not equal(weights(tmp_path / "plain"), weights(tiny_encoder))


def test_another_tokenizer_is_refused(tmp_path: Path, tiny_pretrain: Values, tiny_encoder: Path) -> None:
    init = Path(shutil.copytree(tiny_encoder, tmp_path / "init"))
    tokens = list(Tokenizer.load(init).tokens)
    tokens[-1], tokens[-2] = tokens[-2], tokens[-1]
    Tokenizer.from_vocab(tokens).save(init)
    with pytest.raises(ConfigError, match="shards were made with another tokenizer"):
        run(tmp_path / "out", tiny_pretrain | {"init": init})


def test_samples_longer_than_the_encoder_are_refused(tmp_path: Path, tiny_pretrain: Values) -> None:
    with pytest.raises(ConfigError, match="max_tokens = 600: the encoder has 512 positions"):
        run(tmp_path / "out", tiny_pretrain | {"max_tokens": 600})


@pytest.mark.slow
def test_what_is_learnt_is_learnt(
    tmp_path: Path, tiny_pretrain: Values, tiny_encoder: Path, stage: Callable[..., Path]
) -> None:
    more = run(tmp_path / "out", tiny_pretrain | {"steps": 40, "lr": 3e-3})
    manifest = read_manifest(tiny_encoder)
    assert manifest is not None
    assert more.counts["held_out"]["loss"] < manifest.counts["held_out"]["loss"] - 0.5
    model = AutoModelForMaskedLM.from_pretrained(tmp_path / "out")
    assert model.config._attn_implementation == "sdpa"
