"""The families of encoders that zhbert pretrains, and what differs between them.

All are stock transformers classes. A family stands here because its attention goes through the attention
interface, so that packed text is kept apart (`attention`), and because its vocabulary head is known
(`heads`). Any other masked-language model is refused: one that computes its attention itself would mix the
texts of a batch without a word.

BERT is the class of most Chinese encoders, MacBERT and Chinese-RoBERTa-wwm among them. xlm-roberta and
camembert are RoBERTa's code under other names and can be gone on with; nobody begins one.
"""

from dataclasses import dataclass
from typing import Any, Literal

from transformers import (
    BertConfig,
    ErnieConfig,
    ModernBertConfig,
    PreTrainedConfig,
    RobertaConfig,
)

from zhbert.encode.tokenizer import Special
from zhbert.errors import ModelError

FamilyName = Literal["bert", "ernie", "roberta", "modernbert"]  # those that a new encoder can be of


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """What a family is made of.

    `head`: the parts that turn hidden states into logits, one after the other; `table`: whether positions
    are rows of a table (else rotations); `gated`: whether the inner layer has a gate, a third matrix;
    `pairs`: whether there is a head that tells whether one text follows another.
    """

    head: tuple[str, ...]
    table: bool = True
    gated: bool = False
    pairs: bool = False


FAMILIES = {
    "bert": Family(head=("cls.predictions",), pairs=True),
    "ernie": Family(head=("cls.predictions",), pairs=True),
    "roberta": Family(head=("lm_head",)),
    "xlm-roberta": Family(head=("lm_head",)),
    "camembert": Family(head=("lm_head",)),
    "modernbert": Family(head=("head", "decoder"), table=False, gated=True),
}


def family_of(config: PreTrainedConfig, *, where: object = "") -> Family:
    """Return the family of a configuration, or say that it is none of ours.

    >>> family_of(ModernBertConfig()).head
    ('head', 'decoder')
    """
    family = FAMILIES.get(config.model_type)
    if family is None:
        raise ModelError(
            f"its family is {config.model_type}, which zhbert cannot pretrain",
            where=where,
            remedy=f"use one of {', '.join(FAMILIES)}",
        )
    return family


def config_of(family: FamilyName, *, positions: int, special: Special, **size: Any) -> PreTrainedConfig:
    """Return the configuration of a new encoder that takes so many tokens; dropout is off.

    A gated inner layer is a third narrower, so that a layer has as many weights in every family.

    >>> special = Special(pad=0, unk=1, cls=2, sep=3, mask=4)
    >>> config_of("roberta", positions=512, special=special).max_position_embeddings
    513
    >>> config_of("modernbert", positions=512, special=special, intermediate_size=3072).intermediate_size
    2048
    """
    common = size | {"pad_token_id": special.pad, "max_position_embeddings": positions}
    ends = {"bos_token_id": special.cls, "eos_token_id": special.sep}
    off = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    match family:
        case "bert":
            return BertConfig(**common, **off)
        case "ernie":
            return ErnieConfig(**common, **off)
        case "roberta":  # its tokens stand after the padding id; two segments, as our tokenizers tell two
            rows = {"max_position_embeddings": positions + special.pad + 1}
            return RobertaConfig(**common | rows, **off, **ends, type_vocab_size=2)
        case "modernbert":
            inner = {k: v * 2 // 3 // 8 * 8 for k, v in size.items() if k == "intermediate_size"}
            named = {"cls_token_id": special.cls, "sep_token_id": special.sep}
            return ModernBertConfig(**common | inner, **ends, **named)
