"""What pretraining goes on with: an encoder that is there, its tokenizer, and what is new about it.

- The shards' tokenizer is the encoder's own, or an extension of it: then the embedding grows (`grow`).
- A folder can be an encoder alone. transformers then makes a vocabulary head up at random, which training
  has to learn first. It is said, and written down, which weights those are.
- A head can be there and yet predict nothing, weights under other names or of another vocabulary. That shows
  in the loss on held-out text, compared with that of guessing at random.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transformers import PreTrainedModel

from zhbert.config import called
from zhbert.encode.extension import EXTENSION, Extension, read_extension
from zhbert.encode.tokenizer import Tokenizer
from zhbert.errors import ConfigError, ModelError
from zhbert.model import store
from zhbert.model.grow import grow

KNOWS = 0.75  # of the loss of guessing; news by the frequencies of tokens alone: 0.66 at 21,128 tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A model to train, what the user should hear of it, and what its folder should say of it."""

    model: PreTrainedModel
    warnings: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadCheck:
    """The loss of a head on masked text, and that of guessing among all tokens.

    >>> HeadCheck(loss=2.1, guessing=9.96).predicts, HeadCheck(loss=9.5, guessing=9.96).predicts
    (True, False)
    """

    loss: float
    guessing: float

    @property
    def predicts(self) -> bool:
        """Whether the loss is clearly below that of guessing."""
        return self.loss < KNOWS * self.guessing

    @property
    def warning(self) -> str:
        """What the user should hear; nothing where all is well."""
        figures = f"loss {self.loss:.2f} on held-out text, guessing {self.guessing:.2f}"
        return "" if self.predicts else f"its vocabulary head does not predict masked tokens: {figures}"


def check_head(model: PreTrainedModel, judge: Callable[[PreTrainedModel], float]) -> HeadCheck:
    """Return how well a model predicts before any training; `judge` gives its mean loss in nats."""
    return HeadCheck(loss=judge(model), guessing=math.log(model.config.vocab_size))


def go_on(init: str, tokenizer: Tokenizer, *, folder: Path, pairs: bool = False) -> Start:
    """Return the encoder `init` for text in the tokens of `tokenizer`, which is that of `folder`."""
    found = store.load_masked(init, dropout=0.0, pairs=pairs)
    facts: dict[str, Any] = {"init": called(init), "family": found.model.config.model_type}
    warnings = []
    if found.lacking:
        facts["new_weights"] = list(found.lacking)
        warnings.append(
            f"{init}: {len(found.lacking)} weights of its heads are not in it, "
            f"such as {found.lacking[0]}; they start at random"
        )
    if found.tokenizer.fingerprint != tokenizer.fingerprint:
        extension = _extension(folder, init, found.tokenizer, tokenizer)
        try:
            grow(found.model, extension)
        except ModelError as error:
            raise ModelError(error.what, where=init) from error
        facts["new_tokens"] = len(extension.tokens)
    return Start(model=found.model, warnings=tuple(warnings), facts=facts)


def _extension(folder: Path, init: str, own: Tokenizer, tokenizer: Tokenizer) -> Extension:
    """Return what the tokenizer of `folder` has beyond that of `init`, or say that it is another one."""
    if (folder / EXTENSION).is_file():
        extension = read_extension(folder)
        if (extension.base, extension.tokenizer) == (own.fingerprint, tokenizer.fingerprint):
            return extension
    raise ConfigError(
        "the shards were made with another tokenizer",
        where=init,
        remedy="encode again with tokenizer = init, or with an extension of it",
    )
