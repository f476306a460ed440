"""A slow, obvious masker in plain Python, one sample at a time, which the vectorised one must equal."""

from itertools import accumulate

from zhbert.encode.pack import SPECIAL, FlatBatch
from zhbert.encode.replacement import MaskIds
from zhbert.encode.strategies import Masking, geometric

LOW = 2**64 - 1
PAD, UNK, CLS, SEP, MASK = range(5)
WORD, PHRASE, ENTITY, SENTENCE = 1, 2, 4, 8
LEVELS = {"phrase": PHRASE, "entity": PHRASE | ENTITY}
Unit = list[int]


def mix(x: int) -> int:
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & LOW
    x = (x ^ x >> 27) * 0x94D049BB133111EB & LOW
    return x ^ x >> 31


def draw(purpose: str, seed: int, epoch: int, sample: int, place: int) -> int:
    x = int.from_bytes(purpose.encode().ljust(8), "little")
    for key in (seed, epoch, sample):
        x = mix(mix(x) ^ key)
    return mix((x + place * 0x9E3779B97F4A7C15) & LOW)


def is_special(one: FlatBatch, t: int) -> bool:
    return bool(one.flags_T[t] & SPECIAL) or one.ids_T[t] in (PAD, CLS, SEP, MASK)


def fit(one: FlatBatch, piece: Unit) -> bool:
    return not any(is_special(one, t) or one.ids_T[t] == UNK for t in piece)


def words(one: FlatBatch, begin: int, end: int) -> list[Unit]:
    """Return the words of one sample; one of more than 16 tokens is cut into pieces of 4."""
    found: list[Unit] = []
    for t in range(begin, end):
        joins = t > begin and one.flags_T[t] & WORD and not is_special(one, t) and not is_special(one, t - 1)
        if joins:
            found[-1].append(t)
        else:
            found.append([t])
    return [
        w[i : i + 4] if len(w) > 16 else w for w in found for i in range(0, len(w) if len(w) > 16 else 1, 4)
    ]


def together(one: FlatBatch, pieces: list[Unit], bits: int) -> list[Unit]:
    """Return units of a level: a word goes on with the last one where its first token says so."""
    groups: list[list[Unit]] = []
    for i, piece in enumerate(pieces):
        if i and one.flags_T[piece[0]] & bits:
            groups[-1].append(piece)
        else:
            groups.append([piece])
    units: list[Unit] = []
    for group in groups:
        whole = [t for piece in group for t in piece]
        units += [whole] if len(whole) <= 16 and fit(one, whole) else group
    return units


def runs(
    one: FlatBatch, pieces: list[Unit], shares: tuple[float, ...], key: tuple[int, int, int]
) -> list[Unit]:
    """Return runs of pieces, each as long as is drawn for it or as there are pieces to join."""
    edges = [round(edge / sum(shares) * 2**14) for edge in accumulate(shares)]
    begins, at, nth = set(), 0, 0
    while at < len(pieces):
        begins.add(at)
        number = draw("run", *key, nth) >> 50
        at += 1 + sum(edge <= number for edge in edges)
        nth += 1
    units: list[Unit] = []
    for i, piece in enumerate(pieces):
        stop = i in begins or one.flags_T[piece[0]] & SENTENCE
        if stop or not fit(one, piece) or not fit(one, pieces[i - 1]):
            units.append(list(piece))
        else:
            units[-1] += piece
    return units


def units_of(one: FlatBatch, at: int, masking: Masking, seed: int) -> list[Unit]:
    """Return the units of one sample, in order, with those that cannot be chosen."""
    begin, end = one.starts_S1[at : at + 2].tolist()
    key = (seed, one.epoch, int(one.samples_S[at]))
    pieces = words(one, begin, end)
    if masking.strategy in ("char", "char-span"):
        pieces = [[t] for t in range(begin, end)]
    if masking.strategy in ("ngram", "mac"):
        return runs(one, pieces, masking.ngrams, key)
    if masking.strategy in ("span", "char-span"):
        return runs(one, pieces, geometric(masking.span_p, masking.span_longest), key)
    if masking.strategy in LEVELS:
        return together(one, pieces, LEVELS[masking.strategy])
    return pieces


def budget_of(one: FlatBatch, units: list[Unit], masking: Masking) -> float:
    real = [unit for unit in units if not any(is_special(one, t) for t in unit)]
    can = [unit for unit in real if fit(one, unit)]
    if masking.budget == "units":
        return min(masking.rate * len(real), len(can) / 2)
    return min(masking.rate * sum(map(len, real)), sum(map(len, can)) / 2)


def chosen_of(one: FlatBatch, at: int, masking: Masking, seed: int) -> list[Unit]:
    """Return the units of one sample that are masked."""
    begin = int(one.starts_S1[at])
    units = units_of(one, at, masking, seed)
    budget = budget_of(one, units, masking)
    real = sum(not is_special(one, t) for unit in units for t in unit)
    key = (seed, one.epoch, int(one.samples_S[at]))
    crossing = (draw("cross", *key, 0) >> 11) / 2**53
    weight = {unit[0]: len(unit) if masking.budget == "tokens" else 1 for unit in units}
    order = [
        (weight[unit[0]] > max(budget, 4), draw("unit", *key, unit[0] - begin) >> 37, unit)
        for unit in units
        if fit(one, unit)
    ]
    before, taken = 0, []
    for _, _, unit in sorted(order):
        if before + crossing * weight[unit[0]] < budget or (before == 0 and real >= 30):
            taken.append(unit)
        before += weight[unit[0]]
    return sorted(taken)


def masked(
    one: FlatBatch, masking: Masking, *, seed: int, vocabulary: MaskIds
) -> tuple[list[int], list[int]]:
    """Return where tokens are chosen and what is put there; similar words are not done here."""
    positions, new = [], []
    hidden, changed, _ = masking.replace
    others = vocabulary.random_R
    for at, sample in enumerate(one.samples_S.tolist()):
        begin, key = int(one.starts_S1[at]), (seed, one.epoch, sample)
        for unit in chosen_of(one, at, masking, seed):
            for t in unit:
                drawn = unit[0] if masking.replace_per == "unit" else t
                kind = (draw("replace", *key, drawn - begin) >> 11) / 2**53
                other = others[(draw("other", *key, t - begin) >> 32) * len(others) >> 32]
                positions.append(t)
                keeps = int(other) if kind < hidden + changed else int(one.ids_T[t])
                new.append(MASK if kind < hidden else keeps)
    return positions, new
