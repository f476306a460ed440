"""An encoder that guesses hidden tokens, many questions at once.

A question is one sample with some of its tokens behind [MASK]. The samples of all questions of a batch
lie on end in one flat row, as in pretraining: no padding, attention inside each sample, and vocabulary
logits only where something is hidden. A token's rank is the number of tokens that are likelier.

Shapes: T tokens of a row, S samples (S1 boundaries), Q questions, M hidden tokens, V vocabulary, K best ones.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import PreTrainedModel

from zhbert.encode.draws import Floats, Ints
from zhbert.encode.pack import FlatBatch, ranges
from zhbert.encode.tokenizer import Tokenizer
from zhbert.errors import ModelError
from zhbert.model import store
from zhbert.model.attention import Sequences, use_packed
from zhbert.model.encoder import count_parameters, describe, first_position, most_tokens
from zhbert.model.heads import masked_logits
from zhbert.progress import Bar


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Questions:
    """What is hidden: question i is a sample of a row, without its next `counts_Q[i]` of the places."""

    samples_Q: Ints
    counts_Q: Ints
    places_M: Ints

    @classmethod
    def of_ranges(cls, samples_Q: Ints, begins_Q: Ints, lengths_Q: Ints) -> "Questions":
        """Return questions that each hide one range of the row."""
        return cls(samples_Q=samples_Q, counts_Q=lengths_Q, places_M=ranges(begins_Q, lengths_Q))

    def part(self, first: int, stop: int) -> "Questions":
        """Return the questions from one to another."""
        ends = np.concatenate([[0], np.cumsum(self.counts_Q)])
        return Questions(
            samples_Q=self.samples_Q[first:stop],
            counts_Q=self.counts_Q[first:stop],
            places_M=self.places_M[ends[first] : ends[stop]],
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answers:
    """How an encoder guessed each hidden token: minus the log of its probability, and its rank."""

    losses_M: Floats
    ranks_M: Ints


class Guesser:
    """An encoder with the head that guesses tokens."""

    def __init__(self, model: PreTrainedModel, tokenizer: Tokenizer) -> None:
        self.tokenizer, self._model = tokenizer, model
        use_packed(model)
        self._first = first_position(model)
        self.longest = most_tokens(model)
        self.facts = {"size": describe(model.config), "parameters": f"{count_parameters(model):,}"}

    @classmethod
    def load(cls, name: str) -> "Guesser":
        """Return the encoder of a folder or of a hub name; one without the head is refused."""
        return cls(*load_with_head(name))

    def judge(self, row: FlatBatch, questions: Questions, *, tokens: int, bar: Bar) -> Answers:
        """Return how the true tokens of a row were guessed, `tokens` going through the model at once."""
        losses, ranks = [np.zeros(0)], [np.zeros(0, np.int64)]
        for part in _parts(row, questions, tokens):
            targets = row.ids_T[part.places_M]
            logits_MV = self._logits(row, part)
            chosen_M1 = torch.from_numpy(targets).to(logits_MV.device)[:, None]
            own_M1 = logits_MV.gather(1, chosen_M1)
            losses.append((logits_MV.logsumexp(1) - own_M1[:, 0]).double().cpu().numpy())
            ranks.append((logits_MV > own_M1).sum(1).cpu().numpy())
            bar.advance(len(part.samples_Q))
        return Answers(losses_M=np.concatenate(losses), ranks_M=np.concatenate(ranks))

    def best(self, row: FlatBatch, questions: Questions, *, top: int) -> tuple[Ints, Floats]:
        """Return the likeliest tokens (M, K) of each hidden place, and their probabilities."""
        shares_MV = self._logits(row, questions).softmax(1)
        values_MK, tokens_MK = shares_MV.topk(top, dim=1)
        return tokens_MK.cpu().numpy(), values_MK.double().cpu().numpy()

    @torch.inference_mode()
    def _logits(self, row: FlatBatch, questions: Questions) -> Tensor:
        ids_T, lengths, places_M = _laid_out(row, questions, self.tokenizer.special.mask)
        device = next(self._model.parameters()).device
        sequences = Sequences.of(lengths).to(device)
        output = self._model.base_model(
            input_ids=torch.from_numpy(ids_T).to(device)[None],
            position_ids=sequences.positions_1T + self._first,
            sequences=sequences,
        )
        positions_M = torch.from_numpy(places_M).to(device)
        return masked_logits(self._model, output.last_hidden_state, positions_M).float()


def load_with_head(name: str) -> tuple[PreTrainedModel, Tokenizer]:
    """Return the model of a folder or of a hub name, on the best device; one without the head is refused."""
    found = store.load_masked(name, dropout=0.0)
    if found.lacking:
        raise ModelError(
            no_head(found.lacking),
            where=name,
            remedy="give an encoder that was saved with its masked-language head",
        )
    return found.model.to(store.best_device()).eval(), found.tokenizer


def no_head(lacking: Sequence[str]) -> str:
    """Return what is said of a model without a masked-language head, given the weights that it lacks.

    >>> no_head(["cls.predictions.bias"])
    'it has no head that guesses tokens: 1 weights are missing, such as cls.predictions.bias'
    """
    return f"it has no head that guesses tokens: {len(lacking)} weights are missing, such as {lacking[0]}"


def _parts(row: FlatBatch, questions: Questions, tokens: int) -> Iterator[Questions]:
    """Yield the questions so many at a time that their samples have at most so many tokens, or one."""
    ends_Q = np.cumsum(np.diff(row.starts_S1)[questions.samples_Q])
    first = 0
    while first < len(ends_Q):
        before = ends_Q[first - 1] if first else 0
        stop = max(first + 1, int(np.searchsorted(ends_Q, before + tokens, side="right")))
        yield questions.part(first, stop)
        first = stop


def _laid_out(row: FlatBatch, questions: Questions, mask: int) -> tuple[Ints, list[int], Ints]:
    """Return the samples of the questions on end, with [MASK] where they ask; their lengths; these places."""
    lengths_Q = np.diff(row.starts_S1)[questions.samples_Q]
    begins_Q = row.starts_S1[questions.samples_Q]
    ids_T = row.ids_T[ranges(begins_Q, lengths_Q)]
    moved_Q = np.cumsum(lengths_Q) - lengths_Q - begins_Q
    places_M = questions.places_M + np.repeat(moved_Q, questions.counts_Q)
    ids_T[places_M] = mask
    return ids_T, lengths_Q.tolist(), places_M


def characters_of(tokenizer: Tokenizer) -> NDArray[np.int64]:
    """Return how many characters each token of a vocabulary stands for, at least one.

    >>> characters_of(Tokenizer.from_vocab(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "北", "##ing"]))[5:]
    array([1, 3])
    """
    names = dict(enumerate(["?"] * tokenizer.size))
    names |= {id_: name for name, id_ in tokenizer.backend.get_vocab(with_added_tokens=True).items()}
    return np.array([max(1, len(name.removeprefix("##").strip("▁Ġ"))) for name in names.values()], np.int64)
