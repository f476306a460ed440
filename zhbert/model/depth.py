"""How deep a weight lies in its model: which ones learn at what rate, and which stand still.

The embeddings are at depth 0, the n-th layer is at depth n. What an encoder has above its layers (a pooler, a
last norm) goes with the head: often it is as new as that.
"""

import re

from torch import nn
from transformers import PreTrainedModel

from zhbert.errors import ConfigError

_LAYER = re.compile(r"\blayers?\.(\d+)\.")


def depth_of(name: str, model: PreTrainedModel) -> int | None:
    """Return the depth of a weight in the encoder; None: it belongs to the head."""
    if not name.startswith(f"{model.base_model_prefix}."):
        return None
    if found := _LAYER.search(name):
        return int(found[1]) + 1
    return 0 if "embed" in name else None


def rates(model: PreTrainedModel, *, layer: float, head: float, chain: float) -> dict[str, float]:
    """Return for each weight how fast it learns, beside the topmost layer.

    Each layer learns `layer` times as fast as the one above it, the head `head` times as fast as the
    topmost layer, and what the head says is fast (`fast_parameters`) `chain` times.
    """
    most = int(model.config.num_hidden_layers)
    fast = set(model.fast_parameters()) if hasattr(model, "fast_parameters") else set()
    depths = {name: depth_of(name, model) for name, _ in model.named_parameters()}
    return {
        name: chain if name in fast else head if depth is None else layer ** (most - depth)
        for name, depth in depths.items()
    }


def freeze(model: PreTrainedModel, layers: int) -> None:
    """Keep the embeddings and the lowest layers from learning."""
    most = int(model.config.num_hidden_layers)
    if layers > most:
        raise ConfigError(f"freeze = {layers}: the encoder has {most} layers")
    for name, weight in model.named_parameters():
        depth = depth_of(name, model)
        if depth is not None and depth <= layers:
            weight.requires_grad_(False)


def keep_layers(model: PreTrainedModel, count: int) -> None:
    """Keep so many layers of an encoder, evenly, the topmost among them.

    >>> from transformers import BertConfig, BertModel
    >>> model = BertModel(BertConfig(vocab_size=9, hidden_size=8, num_hidden_layers=6, num_attention_heads=2))
    >>> sixth = model.encoder.layer[5]
    >>> keep_layers(model, 3)
    >>> model.config.num_hidden_layers, model.encoder.layer[2] is sixth
    (3, True)
    """
    most = int(model.config.num_hidden_layers)
    if count > most:
        raise ConfigError(f"layers = {count}: the encoder has {most}")
    if getattr(model.config, "layer_types", None):
        raise ConfigError("layers: those of this encoder are not all of a kind", remedy="leave layers out")
    for module in model.base_model.modules():
        layers = getattr(module, "layer", None)
        if isinstance(layers, nn.ModuleList) and len(layers) == most:
            module.layer = nn.ModuleList(layers[-(-n * most // count) - 1] for n in range(1, count + 1))
    model.config.num_hidden_layers = count


def embedding_of(model: PreTrainedModel) -> str:
    """Return the name of the weight that tokens are looked up in."""
    table: nn.Module = model.get_input_embeddings()
    names = [name for name, weight in model.named_parameters() if weight is table.weight]
    return str(names[0])
