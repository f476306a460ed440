"""Whether packed attention on a device computes what attention computes, and what its empty slots cost.

An encoder reads some sequences three ways: one at a time with plain SDPA in float32 (the truth), the same
under bf16 autocast, and all packed in one row under bf16 autocast, as training does. The packed way is right
when its error is of the order of what bf16 costs anyway, when a sequence's outputs are the same to the bit
whatever stands in another one, and when every layer made one call for all sequences (a device that cannot
makes none). Weights are drawn wide, so that attention is not next to uniform.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from unittest.mock import patch

import torch
from torch import Tensor
from torch.nn.attention import varlen
from transformers import AutoModelForMaskedLM, PreTrainedModel

from zhbert.encode.tokenizer import Special
from zhbert.model.attention import Sequences, packed_attention, use_packed, use_plain
from zhbert.model.encoder import first_position
from zhbert.model.families import FamilyName, config_of
from zhbert.model.shape import Shape

SPECIAL = Special(pad=0, unk=1, cls=2, sep=3, mask=4)
VOCABULARY = 1000
LONGEST = 128
FAMILIES: tuple[FamilyName, ...] = ("bert", "ernie", "roberta", "modernbert")
SIZES = (26, 64)  # dimensions of a head: those of micro, which are filled up to 32, and those of base
WINDOW = 32  # of ModernBERT's local layers: half of it to either side
WORSE = 2.5  # how far the packed error may go beyond that of bf16 alone
BF16 = torch.bfloat16


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is checked: whole encoders on a GPU, next to nothing in a rehearsal."""

    layers: int
    heads: int
    lengths: tuple[int, ...]
    tokens: int  # of the row that empty slots are measured on


GPU = Scale(4, 12, (128, 1, 3, 77, 128, 40, 64, 2, 100, 127, 33, 8, 90, 511), 65_536)
CPU = Scale(2, 2, (40, 1, 3, 17), 1_024)


def made(family: FamilyName, size: int, scale: Scale, device: torch.device) -> PreTrainedModel:
    """Return an encoder whose heads have so many dimensions."""
    config = config_of(
        family,
        positions=512,
        special=SPECIAL,
        vocab_size=VOCABULARY,
        hidden_size=size * scale.heads,
        num_hidden_layers=scale.layers,
        num_attention_heads=scale.heads,
        intermediate_size=2 * size * scale.heads,
        initializer_range=1.5 * (size * scale.heads) ** -0.5,
    )
    if family == "modernbert":
        config.local_attention = WINDOW
    torch.manual_seed(1)
    model: PreTrainedModel = AutoModelForMaskedLM.from_config(config, dtype=torch.float32)
    return model.to(device).eval()


def alone(model: PreTrainedModel, ids_T: Tensor, lengths: tuple[int, ...]) -> Tensor:
    """Return the hidden states of sequences that are read one at a time."""
    use_plain(model)
    rows = [
        model.base_model(input_ids=ids[None]).last_hidden_state[0]
        for ids in torch.split(ids_T, list(lengths))
    ]
    return torch.cat(rows).float()


def packed(model: PreTrainedModel, ids_T: Tensor, lengths: tuple[int, ...]) -> Tensor:
    """Return the hidden states of sequences that are read in one row."""
    use_packed(model)
    row = Sequences.of(lengths).to(ids_T.device)
    places_1T = row.positions_1T + first_position(model)
    output = model.base_model(input_ids=ids_T[None], position_ids=places_1T, sequences=row)
    return output.last_hidden_state[0].float()  # type: ignore[no-any-return]


Way = Callable[[PreTrainedModel, Tensor, tuple[int, ...]], Tensor]


def both(way: Way, model: PreTrainedModel, ids_T: Tensor, scale: Scale, *, bf16: bool) -> tuple[Tensor, ...]:
    """Return hidden states, and the gradient of a random sum of them."""
    with torch.autocast(ids_T.device.type, BF16, enabled=bf16):
        hidden_TH = way(model, ids_T, scale.lengths)
    weights_TH = torch.randn(hidden_TH.shape, generator=torch.Generator().manual_seed(2))
    parameters = list(model.base_model.parameters())
    found = torch.autograd.grad((hidden_TH * weights_TH.to(hidden_TH)).sum(), parameters, allow_unused=True)
    return hidden_TH.detach(), torch.cat([grad.flatten() for grad in found if grad is not None])


def errors(found: tuple[Tensor, ...], truth: tuple[Tensor, ...]) -> list[float]:
    """Return the errors of outputs and gradient, as shares of what is right."""
    return [float((one - right).norm() / right.norm()) for one, right in zip(found, truth, strict=True)]


def check(family: FamilyName, size: int, device: torch.device) -> dict[str, object]:
    """Compare packed attention with the truth, beside what bf16 costs without it."""
    scale = GPU if device.type == "cuda" else CPU
    model = made(family, size, scale, device)
    torch.set_float32_matmul_precision("highest")
    rng = torch.Generator().manual_seed(3)
    ids_T = torch.randint(5, VOCABULARY, (sum(scale.lengths),), generator=rng).to(device)
    truth = both(alone, model, ids_T, scale, bf16=False)
    exact = errors(both(packed, model, ids_T, scale, bf16=False), truth)
    plain = errors(both(alone, model, ids_T, scale, bf16=True), truth)
    with patch.object(varlen, "varlen_attn", wraps=varlen.varlen_attn) as calls:
        near = both(packed, model, ids_T, scale, bf16=True)
    wanted = scale.layers if Sequences.of(scale.lengths).to(device).at_once else 0
    found = errors(near, truth)
    other_T = ids_T.clone()
    other_T[: scale.lengths[0]] = 7
    changed = both(packed, model, other_T, scale, bf16=True)[0][scale.lengths[0] :]
    leaks = not torch.equal(changed, near[0][scale.lengths[0] :])
    right = all(a <= WORSE * b < 0.25 for a, b in zip(found, plain, strict=True))
    return {
        "varlen_forward": round(found[0], 5),
        "plain_forward": round(plain[0], 5),
        "varlen_gradient": round(found[1], 5),
        "plain_gradient": round(plain[1], 5),
        "float32": float(f"{max(exact):.1e}"),
        "varlen_calls": calls.call_count,
        "leaks": leaks,
        "right": right and max(exact) < 1e-4 and not leaks and calls.call_count == wanted,
    }


def product(device: torch.device) -> dict[str, object]:
    """Return what the device does in a large product of matrices, on random numbers."""
    size = 8192 if device.type == "cuda" else 256
    a, b = torch.randn(2, size, size, device=device, dtype=BF16)
    return {"tflops": round(2e-12 * size**3 / seconds(lambda: a @ b, device), 4)}


def slots(device: torch.device) -> dict[str, int]:
    """Return how many slots a row has: as many as sequences, or as compiled code gets them."""
    tokens = (GPU if device.type == "cuda" else CPU).tokens
    shape = Shape.of(tokens=tokens, rate=0.15, longest=LONGEST, mean=LONGEST)
    return {
        "its own slots": 0,
        "slots of one shape": len(shape.sequences([LONGEST] * (tokens // LONGEST)).bounds_S1) - 1,
    }


def attention(device: torch.device, *, slots: int) -> dict[str, object]:
    """Return the time of one attention of base, forward and backward, and the most memory it takes."""
    cuda, tokens = device.type == "cuda", (GPU if device.type == "cuda" else CPU).tokens
    three = [
        torch.randn(1, 12, tokens, 64, device=device, dtype=BF16 if cuda else None).requires_grad_()
        for _ in range(3)
    ]
    slope = torch.randn_like(three[0].transpose(1, 2))
    row = Sequences.of([LONGEST] * (tokens // LONGEST), longest=LONGEST, slots=slots).to(device)

    def once() -> None:
        seen, _ = packed_attention(torch.nn.Identity(), three[0], three[1], three[2], None, sequences=row)
        torch.autograd.grad(seen, three, slope)

    if cuda:
        torch.cuda.reset_peak_memory_stats()
    spent = seconds(once, device)
    memory = torch.cuda.max_memory_allocated() / 2**30 if cuda else 0.0
    return {"slots": len(row.bounds_S1) - 1, "milliseconds": round(1000 * spent, 3), "gib": round(memory, 2)}


def seconds(do: Callable[[], object], device: torch.device) -> float:
    """Return the time of one call, the mean of some after two that warm up."""
    times = 20 if device.type == "cuda" else 1
    for _ in range(2):
        do()
    if device.type == "cuda":
        torch.cuda.synchronize()
    started = time.perf_counter()
    for _ in range(times):
        do()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return (time.perf_counter() - started) / times
