"""What a fine-tuning usually takes, where it is not said: by the size of the encoder, the task, and the data.

From published recipes. Base encoders: 2e-5 to 5e-5 and 2 to 4 epochs (BERT); CMRC 2018 with 3e-5 and 2
epochs, TNEWS and IFLYTEK with 2e-5 and 3 (CLUE); CLUENER with 3e-5 and 4. Small ones want more of both: 1e-4
and 5 to 10 epochs (MiniRBT), up to 3e-4 (ELECTRA-small, Google's small BERTs). On few examples it is steps
that lack: 20 epochs on a thousand (Mosbach et al. 2021).
"""

from dataclasses import dataclass

from transformers import PreTrainedConfig

_RATES = ((20, 2e-4), (60, 5e-5), (150, 3e-5))  # up to so many million weights in the layers
_LARGE = 2e-5
_EPOCHS = {"ner": 4, "segment": 4, "reading": 2}
_OTHERS, _SMALL, _FEW, _TIMES = 3, 20, 2000, 10


@dataclass(frozen=True, slots=True)
class Usual:
    """A peak learning rate, and how often to go through the examples."""

    lr: float
    epochs: int


def usual(size: PreTrainedConfig, *, task: str, examples: int) -> Usual:
    """Return what is usual for an encoder of this size.

    >>> from transformers import BertConfig
    >>> usual(BertConfig(), task="reading", examples=10_000)
    Usual(lr=3e-05, epochs=2)
    >>> small = BertConfig(num_hidden_layers=4, hidden_size=312, intermediate_size=1200)
    >>> usual(small, task="ner", examples=10_000), usual(small, task="pair", examples=500).epochs
    (Usual(lr=0.0002, epochs=8), 10)
    """
    inside = size.num_hidden_layers * size.hidden_size * (4 * size.hidden_size + 2 * size.intermediate_size)
    millions = inside / 1e6
    rate = next((rate for most, rate in _RATES if millions <= most), _LARGE)
    epochs = _EPOCHS.get(task, _OTHERS) * (2 if millions <= _SMALL else 1)
    return Usual(rate, max(epochs, _TIMES) if examples < _FEW else epochs)
