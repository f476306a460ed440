"""Which licence the text of a corpus is under: lines from cards, and lines that the user gives.

A card belongs to a corpus when the user names it or, where none is named, when its raw text is, byte for
byte, one of the inputs of the build. Nothing is guessed from names.
"""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from zhbert.corpus.datacard import Licence
from zhbert.errors import ConfigError, nearest
from zhbert.files import hash_path
from zhbert.read.card import content_root, list_cards, load_card

SYNTHETIC = "composed by a program, not collected"


def find_cards(inputs: Mapping[str, str]) -> list[str]:
    """Return the names of the cards whose raw text went into a build, given the hashes of its inputs."""
    wanted = set(inputs.values())
    return [name for name in list_cards() if _raw_hash(name) in wanted]


def _raw_hash(name: str) -> str:
    raw = load_card(name).raw
    folder = content_root("corpora") / name / raw.folder if raw else None
    return hash_path(folder) if folder and folder.exists() else ""


def card_licences(names: Iterable[str]) -> list[Licence]:
    """Return the licence lines of cards.

    >>> card_licences(["mini"])[0].line
    'Apache-2.0'
    """
    cards = map(load_card, names)
    return [
        Licence(of=card.name, line=card.licence, about=SYNTHETIC if card.synthetic else card.title)
        for card in cards
    ]


def lines_by_source(
    given: Mapping[str, str], sources: Iterable[str], cards: Iterable[Licence], *, inputs: int
) -> dict[str, str]:
    """Return the licence line of every source that has one: the user's, else that of the only card.

    >>> lines_by_source({"法规*": "public"}, ["法规一", "新闻"], [], inputs=2)
    {'法规一': 'public'}
    """
    sources = list(sources)
    lines: dict[str, str] = {}
    for pattern, line in sorted(
        given.items(), key=lambda item: item[0] not in sources
    ):  # names before patterns
        fits = [source for source in sources if source == pattern or fnmatchcase(source, pattern)]
        if not fits:
            raise ConfigError(f'licence: no source "{pattern}"', remedy=nearest(pattern, sources[:20]))
        lines |= {source: line for source in fits if source not in lines}
    cards = list(cards)
    if len(cards) == 1 == inputs:
        lines = dict.fromkeys(sources, cards[0].line) | lines
    return lines
