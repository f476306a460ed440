"""How much of a test set a model saw: what `zhbert apply` counts, and a report shows before any figure.

A text may be read in several windows, which loses nothing; it may be cut, which does. What the tokenizer does
not know stands as [UNK] for the model; what it drops stands nowhere. A gold answer is out of reach where the
model could not give it whatever its weights were: those mistakes are not about what was learnt.
"""

from dataclasses import dataclass, field

COVERAGE = "coverage.json"  # in which `zhbert apply` leaves its counts
MOST = 10  # unknown surfaces, dropped characters and answers out of reach that are kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What a model saw of the examples of a set.

    `several` examples took more than one window, `cut` ones lost the `unread` characters. So many tokens are
    [UNK]; `unknown_surfaces` are the commonest texts behind them, `dropped` the commonest characters that are
    no white space and in no token. `answers` are what gold asks for: spans, or examples whose label or answer
    is known. `out_of_reach` counts why some cannot be given; `shown` are the first of them, "id: answer".
    """

    examples: int = 0
    characters: int = 0
    windows: int = 0
    several: int = 0
    cut: int = 0
    unread: int = 0
    tokens: int = 0
    unknown: int = 0
    unknown_surfaces: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    answers: int = 0
    out_of_reach: dict[str, int] = field(default_factory=dict)
    shown: tuple[str, ...] = ()
