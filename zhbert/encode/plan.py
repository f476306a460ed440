"""What is masked when: the settings of masking, and what they come to at a point of training.

Two things may change while a model is trained: the rate, which then moves in a straight line from `rate`
to `final_rate`, and with `ernie` the strategy, which goes from characters over phrases to entities.
"""

from itertools import accumulate
from typing import Literal, Self

from pydantic import Field, model_validator

from zhbert.config import Config, Input
from zhbert.encode.strategies import STRATEGIES, Masking
from zhbert.errors import nearest

STAGED = {"ernie": ("char", "phrase", "entity")}
_ABOUT = {name: strategy.about for name, strategy in STRATEGIES.items()} | {
    name: ", then ".join(stages) for name, stages in STAGED.items()
}
_THIRDS = (1 / 3, 1 / 3, 1 / 3)


class MaskingConfig(Config):
    """What is masked in pretraining."""

    strategy: str = Field(
        default="wwm",
        description="what is masked together: " + "; ".join(f"{n} ({about})" for n, about in _ABOUT.items()),
    )
    rate: float = Field(default=0.15, gt=0, le=0.5, description="share of the tokens that is masked")
    final_rate: float = Field(
        default=0.0, ge=0, le=0.5, description="the rate at the end, reached in a straight line; 0: no change"
    )
    budget: Literal["tokens", "units"] = Field(
        default="tokens", description="what the rate is a share of: tokens, or units whatever their length"
    )
    replace: tuple[float, float, float] = Field(
        default=(0.8, 0.1, 0.1),
        description="shares of what is masked that become [MASK], become another token, and stay",
    )
    replace_per: Literal["token", "unit"] = Field(
        default="token", description="whether these shares are drawn for every token, or once for a unit"
    )
    ngrams: list[float] = Field(
        default=[0.4, 0.3, 0.2, 0.1],
        min_length=1,
        max_length=16,
        description="shares of runs of 1, 2, 3, … words in ngram and mac; 6 3 2 is p ~ 1/n up to 3",
    )
    span_p: float = Field(
        default=0.2, gt=0, lt=1, description="the p of the geometric distribution of the lengths of spans"
    )
    span_longest: int = Field(default=10, ge=1, le=64, description="longest span")
    stages: tuple[float, float, float] = Field(
        default=_THIRDS, description="shares of the training for the three stages of ernie"
    )
    similar: Input | None = Field(
        default=None, description="for mac: similar.tsv of `zhbert similar`, or a thesaurus in Cilin's form"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.strategy not in _ABOUT:
            raise ValueError(f'no strategy "{self.strategy}" ({nearest(self.strategy, _ABOUT)})')
        for name in ("replace", "stages"):
            shares = getattr(self, name)
            if min(shares) < 0 or abs(sum(shares) - 1) > 1e-6:
                raise ValueError(f"{name} must be three shares that add up to 1, not {shares}")
        if min(self.ngrams) < 0 or not sum(self.ngrams):
            raise ValueError(f"ngrams must be shares, and one of them above 0, not {self.ngrams}")
        if self._wants_words != (self.similar is not None):
            raise ValueError("similar words are for mac, which needs them: zhbert similar --shards …")
        return self

    @property
    def _wants_words(self) -> bool:
        strategy = STRATEGIES.get(self.strategy)
        return strategy is not None and strategy.instead == "similar"

    def masking(self, done: float) -> Masking:
        """Return what is masked when so much of the training is done, from 0 to 1.

        >>> config = MaskingConfig(strategy="ernie", rate=0.3, final_rate=0.1)
        >>> [(now.strategy, round(now.rate, 2)) for now in map(config.masking, (0.0, 0.25, 0.5, 1.0))]
        [('char', 0.3), ('char', 0.25), ('phrase', 0.2), ('entity', 0.1)]
        """
        final = self.final_rate or self.rate
        return Masking(
            strategy=self._strategy(done),
            rate=self.rate + (final - self.rate) * done,
            budget=self.budget,
            replace=self.replace,
            replace_per=self.replace_per,
            ngrams=tuple(self.ngrams),
            span_p=self.span_p,
            span_longest=self.span_longest,
        )

    def _strategy(self, done: float) -> str:
        names = STAGED.get(self.strategy)
        if names is None:
            return self.strategy
        ends = list(accumulate(self.stages))[:-1]
        return names[sum(end <= done + 1e-9 for end in ends)]
