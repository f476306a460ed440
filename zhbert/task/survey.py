"""All questions that one encoder is asked about held-out text, and its answers as items to count."""

import numpy as np

from zhbert.encode.draws import Ints
from zhbert.progress import Bar, Progress
from zhbert.score.guesses import COLUMNS, Items
from zhbert.score.probing import Sheet
from zhbert.task.guessing import Guesser, Questions, characters_of
from zhbert.task.heldout import BITS, HeldOut, masked, times_seen, units, word_keys

TRAINING_TOKENS = 50_000_000  # in which words are counted
RARER = 4  # phrases and entities are asked for so many times less often than words


def survey(
    name: str, guesser: Guesser, text: HeldOut, *, alone: int, tokens: int, progress: Progress
) -> Sheet:
    """Return what one encoder guesses; `tokens` go through it at once."""
    hidden = {"masked": masked(text)} | {
        kind: _ranges(text, *units(text, kind, most=alone if kind == "word" else alone // RARER))
        for kind in BITS
    }
    places = hidden["word"][0].places_M
    hidden["token"] = _ranges(text, places, np.ones_like(places))
    total = sum(len(questions.samples_Q) for questions, _ in hidden.values())
    with progress.bar(name, total=total, unit="questions") as bar:
        items = {kind: _items(guesser, text, *asked, tokens, bar) for kind, asked in hidden.items()}
    asked, begins_I = hidden["masked"]
    words = asked.places_M[begins_I], np.diff(begins_I, append=len(asked.places_M))
    keys_I = word_keys(text.row.ids_T, *words)
    seen_I, read = times_seen(text.folder.parent, keys_I, most=TRAINING_TOKENS)
    sources = tuple(dict.fromkeys(text.sources_D))
    at = {source: i for i, source in enumerate(sources)}
    own_D = np.array([at[source] for source in text.sources_D])
    return Sheet(
        name=name,
        tokenizer=guesser.tokenizer.fingerprint,
        documents=text.documents,
        items=items,
        sources=sources,
        sources_I=own_D[items["masked"].documents_I],
        lengths_I=items["masked"].table_IC[:, COLUMNS.index("characters")].astype(np.int64),
        seen_I=seen_I,
        facts=guesser.facts
        | {"held-out tokens": f"{text.tokens:,}", "training tokens looked at": f"{read:,}"},
    )


def _ranges(text: HeldOut, begins_I: Ints, lengths_I: Ints) -> tuple[Questions, Ints]:
    """Return questions that hide one range each, and where among the hidden each begins."""
    questions = Questions.of_ranges(text.samples_at(begins_I), begins_I, lengths_I)
    return questions, np.cumsum(lengths_I) - lengths_I


def _items(
    guesser: Guesser, text: HeldOut, questions: Questions, begins_I: Ints, tokens: int, bar: Bar
) -> Items:
    answers = guesser.judge(text.row, questions, tokens=tokens, bar=bar)
    return Items.of(
        text.documents_S[text.samples_at(questions.places_M[begins_I])],
        begins_I,
        losses_M=answers.losses_M,
        ranks_M=answers.ranks_M,
        characters_M=characters_of(guesser.tokenizer)[text.row.ids_T[questions.places_M]],
    )
