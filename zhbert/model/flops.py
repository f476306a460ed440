"""How many floating-point operations training takes, to say what share of a device's speed is used.

Counted is what the mathematics asks for: matrix products of whole sequences without padding, logits at masked
positions only, and within a window only what it shows. Twice a product for multiply and add; three times the
way forward for both ways, as the way back multiplies by the weights and by the values. What a kernel computes
a second time does not count, nor do lookups, norms and activations.
"""

from collections.abc import Iterable, Sequence

from transformers import PreTrainedConfig

from zhbert.model.families import family_of

BOTH_WAYS = 3


def flops_per_token(config: PreTrainedConfig, *, lengths: Sequence[int], masked: float) -> float:
    """Return the operations of training per token, for sequences of these lengths.

    `masked` is the share of tokens whose logits are computed.

    >>> from transformers import BertConfig
    >>> round(flops_per_token(BertConfig(vocab_size=21128), lengths=[128], masked=0.15) / 1e6)
    539
    """
    width, tokens = int(config.hidden_size), sum(lengths)
    matrices = 3 if family_of(config).gated else 2
    layer = 4 * width**2 + matrices * width * int(config.intermediate_size)
    head = masked * (width**2 + width * int(config.vocab_size))
    pairs = sum(sum(_seen(length, window) for length in lengths) for window in _windows(config))
    products = int(config.num_hidden_layers) * layer + head + 2 * width * pairs / tokens
    return 2 * BOTH_WAYS * products


def _windows(config: PreTrainedConfig) -> Iterable[int | None]:
    """Yield how far each layer sees to either side, or nothing for all the way."""
    for kind in getattr(config, "layer_types", None) or ["full_attention"] * config.num_hidden_layers:
        yield config.sliding_window if kind == "sliding_attention" else None


def _seen(length: int, window: int | None) -> int:
    """Return the number of pairs of tokens that see each other.

    >>> _seen(4, None), _seen(4, 1), _seen(1, 1)
    (16, 10, 1)
    """
    if window is None or length <= window:
        return length**2
    return length * (2 * window + 1) - window * (window + 1)
