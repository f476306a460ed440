"""The job of fine-tuning: batches of features in a seeded order, judged on dev."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from zhbert.errors import DataError
from zhbert.records import Example
from zhbert.score.judge import judge
from zhbert.task.base import Feature, Task, collate, evened, exactly, run_model, together
from zhbert.task.doubt import disagreement
from zhbert.task.predict import chunks, predict
from zhbert.task.pupil import Teacher
from zhbert.task.registry import make_task
from zhbert.train.job import Judged, Micro
from zhbert.train.ranks import Ranks

if TYPE_CHECKING:
    from zhbert.task.finetune import FinetuneConfig

POOL = 16  # batches whose examples are sorted by length together


class FinetuneJob:
    """Batches of features in a seeded order, judged on dev; `alike`: with like lengths together."""

    def __init__(
        self,
        task: Task,
        config: "FinetuneConfig",
        train: Sequence[Example],
        dev: Sequence[Example],
        ranks: Ranks,
        *,
        alike: bool,
        teacher: Teacher | None = None,
    ) -> None:
        self.config, self.dev, self.ranks, self.alike = config, dev, ranks, alike
        self.teacher = teacher
        prepared = [one for chunk in chunks(train) for one in task.prepare(chunk)]
        decoding = {**task.setting.decoding, **task.measure(prepared)}
        self.task = make_task(task.name, replace(task.setting, decoding=decoding))
        self.lost = sum(one.lost for one in prepared)
        self.features = [feature for feature in evened(prepared) if feature.target is not None]
        if not self.features:
            raise DataError(
                "no window holds an answer whole", where=config.train, remedy="--window, --overlap"
            )
        self.steps_per_epoch = -(-len(together(self.features)) // config.batch)
        self.position = 0
        self._planned: tuple[int, list[list[list[int]]]] = (-1, [])

    def next_step(self, *, done: float, parts: int) -> list[Micro]:
        """Return this process's share of the next batch."""
        epoch, place = divmod(self.position, self.steps_per_epoch)
        if self._planned[0] != epoch:
            seed, size = (self.config.seed, epoch), self.config.batch
            self._planned = epoch, epoch_batches(self.features, size, seed=seed, alike=self.alike)
        self.position += 1
        mine = self._planned[1][place][self.ranks.rank :: self.ranks.world]
        if not mine:
            return [collate(self.task, [self.features[i] for i in together(self.features)[0]]).idle()]
        size = max(1, len(mine) // parts)
        cut = [mine[i : i + size] for i in range(0, len(mine), size)]
        return [collate(self.task, [self.features[i] for group in part for i in group]) for part in cut]

    def where(self) -> str:
        """Name the last batch by its place in its epoch."""
        epoch, place = divmod(self.position - 1, self.steps_per_epoch)
        return f"epoch {epoch}, batch {place} of {self.steps_per_epoch}"

    def compiled(self, model: PreTrainedModel) -> None:
        """Compile nothing: a fine-tuning is over before it would pay."""

    def loss(self, model: PreTrainedModel, micro: Micro) -> Tensor:
        """Return the task's loss, of two looks where they should agree, and with a teacher's answers."""
        tensors, rdrop = micro.tensors, self.config.rdrop
        if self.teacher:
            with self.teacher.listener(model) as heard:
                output = run_model(model, tensors)
            with exactly(tensors):
                loss = self.task.loss(output, tensors)
            return self.teacher.mixed(loss, output, micro, heard)
        looks = [run_model(model, tensors) for _ in range(2 if rdrop else 1)]
        with exactly(tensors):
            loss = torch.stack([self.task.loss(output, tensors) for output in looks]).mean()
            return loss + rdrop * disagreement(looks[0], looks[1], tensors) if rdrop else loss

    def evaluate(self, model: PreTrainedModel, step: int, *, last: bool) -> Judged | None:
        """Return the headline score on dev where it is time to look."""
        if step % max(1, round(self.config.judge_every * self.steps_per_epoch)) and not last:
            return None
        said = list(predict(self.task, model, self.dev))
        judged = judge(self.config.task, self.dev, said, head=self.task.setting.head)
        return Judged(score=float(judged.headline(judged.counts)))

    def state(self) -> dict[str, Any]:
        """Return how many batches were taken."""
        return {"position": self.position}

    def resume(self, state: dict[str, Any]) -> None:
        """Go on after a number of batches."""
        self.position = state["position"]


def epoch_batches(
    features: Sequence[Feature], size: int, *, seed: tuple[int, int], alike: bool
) -> list[list[list[int]]]:
    """Return one epoch as batches of groups of feature numbers in random order, like lengths together or not.

    A group is a feature, and those that follow it.
    """
    rng = np.random.default_rng(seed)
    groups = together(features)
    order = rng.permutation(len(groups)).tolist()
    if not alike:
        return [[groups[i] for i in order[start : start + size]] for start in range(0, len(order), size)]
    batches = []
    for start in range(0, len(order), POOL * size):
        pool = [groups[i] for i in order[start : start + POOL * size]]
        pool.sort(key=lambda group: max(len(features[i].ids) for i in group))
        batches += [pool[i : i + size] for i in range(0, len(pool), size)]
    return [batches[i] for i in rng.permutation(len(batches))]
