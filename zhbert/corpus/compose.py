"""Compose a labelled corpus from frames and lexicons, the same bytes every time.

What is labelled for training draws from the seen half of the held-out lexicons; what is labelled
for testing draws from the other half, and from the test sections alone; raw text draws from both.
The card is `card.toml` of the source folder, in which <records F>, <bytes F> and <sha256 F> give
way to the facts of the composed file F.
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from zhbert.corpus.frames import Deck, Dice, Pen, Rendered, Scope, join
from zhbert.corpus.source import Block, Job, Line, Section, Split, read_source
from zhbert.records import EntityExample, LabelExample, PairExample, ReadingExample, Span, to_json

Outputs = dict[str, list[str]]
_FACT = re.compile(r"<(records|bytes|sha256) ([^<>]+)>")


def compose(source: Path, target: Path) -> dict[str, int]:
    """Write the corpus that a source folder describes, card included; return the records by file."""
    outputs: Outputs = {}
    made = read_source(source)
    for job in made.jobs():
        outputs |= KINDS[job.spec.kind](job)
    facts: dict[tuple[str, str], str] = {}
    for name, records in outputs.items():
        data = (("\n" if name.endswith(".jsonl") else "\n\n").join(records) + "\n").encode()
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes(data)
        facts["records", name], facts["bytes", name] = str(len(records)), str(len(data))
        facts["sha256", name] = hashlib.sha256(data).hexdigest()
    card = (source / "card.toml").read_text("utf-8") if (source / "card.toml").exists() else ""
    if card:
        filled = _FACT.sub(lambda m: facts.get((m[1], m[2]), m[0]), card)
        (target / "card.toml").write_text(filled, "utf-8", newline="\n")
    return {name: len(records) for name, records in outputs.items()}


def _documents(job: Job) -> Outputs:
    """Make documents of frames: an opening, sentences of one section and of "*", a closing."""
    dice = Dice(f"{job.seed}/{job.spec.file}")
    pen = Pen(job.lexicons, half="all", dice=dice)
    common = [line for section in job.sections if section.name == "*" for line in section.lines()]
    order = Deck([section for section in job.sections if section.name != "*"], dice)
    texts: dict[str, None] = {}
    while sum(map(len, texts)) < job.spec.characters:
        section = order.draw()
        texts[_document(pen, dice, section, common, job.alias(section.name))] = None
    return {f"raw/{job.spec.file}.txt": list(texts)}


def _document(pen: Pen, dice: Dice, section: Section, common: list[Line], alias: dict[str, list[str]]) -> str:
    """Return one document, no sentence of which has the frame of another."""
    scope = Scope()
    body = dice.shuffled(section.lines() + dice.shuffled(common)[:4])
    lines = [pen.write(dice.pick(section.lines(">")).frame, scope, alias=alias).text, ""]
    goal = 160 + dice.below(300)
    while body and sum(map(len, lines)) < goal:
        if len(lines[-1]) > 60 + dice.below(120):
            lines.append("")
        lines[-1] += pen.write(body.pop().frame, scope, alias=alias).text
    lines += [pen.write(line.frame, scope, alias=alias).text for line in section.lines("<<")]
    return "\n".join(lines)


def _dialogues(job: Job) -> Outputs:
    """Make documents of a passage and the questions and answers that belong to it."""
    dice = Dice(f"{job.seed}/{job.spec.file}")
    split = Split(
        name="raw", size=0, pen=Pen(job.lexicons, half="all", dice=dice), dice=dice, sections=job.sections
    )
    texts: list[str] = []
    for passage, questions in _passages(split, set()):
        lines = [passage.text]
        for question, answer in questions:
            lines += [f"问：{question}？", f"答：{answer.surface if answer else job.spec.unknown}。"]
        texts.append("\n".join(lines))
        if sum(map(len, texts)) >= job.spec.characters:
            break
    return {f"raw/{job.spec.file}.txt": texts}


def _passages(split: Split, used: set[str]) -> Iterator[tuple[Rendered, list[tuple[str, Span | None]]]]:
    """Yield passages with three questions each; one of the three is unanswered in three of five."""
    spare = [line for section in split.sections for line in section.lines("~")]
    deck = Deck([b for s in split.sections for b in s.blocks if b[0].mark != "~"], split.dice)
    number = 0
    while True:
        block, scope = deck.draw(), Scope()
        first, *rest = [line for line in block if not line.mark]
        rest += split.dice.shuffled(spare)[: 1 + split.dice.below(2)]
        order = [first, *split.dice.shuffled(rest)]
        passage = join([split.pen.write(line.frame, scope) for line in order])
        if passage.text in used or not 100 <= len(passage.text) <= 250:
            continue
        used.add(passage.text)
        answers = {mark.label: Span(mark.start, mark.end, "", mark.surface) for mark in passage.marks}
        asked = _questions(block, split.dice, without=int(number % 5 in (0, 2, 4)))
        yield passage, [(split.pen.write(q.frame, scope).text, answers.get(q.answer)) for q in asked]
        number += 1


def _questions(block: Block, dice: Dice, *, without: int) -> list[Line]:
    """Return three questions of a block in any order, `without` of them without an answer."""
    asked = [line for line in dice.shuffled(block) if line.mark == "?"]
    unanswered = [line for line in asked if not line.answer][:without]
    answered = [line for line in asked if line.answer][: 3 - len(unanswered)]
    return dice.shuffled(unanswered + answered)


def _reading(job: Job) -> Outputs:
    outputs: Outputs = {}
    used: set[str] = set()
    for split in job.splits():
        lines: list[str] = []
        for passage, questions in _passages(split, used):
            for question, answer in questions[: split.size - len(lines)]:
                number, answers = _id(job, split, len(lines)), (answer,) if answer else ()
                example = ReadingExample(id=number, context=passage.text, question=question, answers=answers)
                lines.append(to_json(example))
            if len(lines) == split.size:
                break
        outputs[_file(job, split)] = lines
    return outputs


def _classify(job: Job) -> Outputs:
    outputs: Outputs = {}
    used: set[str] = set()
    for split in job.splits():
        shared = [line for s in split.sections if s.name == "*" for line in s.lines()]
        decks = {
            name: Deck(shared + [x for s in split.sections if s.name == name for x in s.lines()], split.dice)
            for name in job.groups
        }
        lines: list[str] = []
        while len(lines) < split.size:
            topic = job.groups[len(lines) % len(job.groups)]
            scope, frames = Scope(), [decks[topic].draw().frame for _ in range(1 + split.dice.below(2))]
            text = "".join(split.pen.write(frame, scope, alias=job.alias(topic)).text for frame in frames)
            if text not in used and 15 <= len(text) <= 80:
                used.add(text)
                number = _id(job, split, len(lines))
                lines.append(to_json(LabelExample(id=number, text=text, labels=(topic,))))
        outputs[_file(job, split)] = lines
    return outputs


def _ner(job: Job) -> Outputs:
    outputs: Outputs = {}
    used: set[str] = set()
    for split in job.splits():
        deck = Deck([line for section in split.sections for line in section.lines()], split.dice)
        lines: list[str] = []
        while len(lines) < split.size:
            made = split.pen.write(deck.draw().frame, Scope())
            if made.text not in used:
                used.add(made.text)
                number = _id(job, split, len(lines))
                lines.append(to_json(EntityExample(id=number, text=made.text, entities=made.entities)))
        outputs[_file(job, split)] = lines
    return outputs


def _pair(job: Job) -> Outputs:
    outputs: Outputs = {}
    used: set[str] = set()
    for split in job.splits():
        deck = Deck([block for section in split.sections for block in section.blocks], split.dice)
        lines: list[str] = []
        while len(lines) < split.size:
            same = len(lines) % 2 == 0
            texts = _two(deck.draw(), split, same)
            if len(texts) == 2 and not used.intersection(texts):
                used.update(texts)
                label = job.spec.labels[0 if same else 1]
                number = _id(job, split, len(lines))
                lines.append(to_json(PairExample(id=number, first=texts[0], second=texts[1], label=label)))
        outputs[_file(job, split)] = lines
    return outputs


def _two(block: Block, split: Split, same: bool) -> list[str]:
    """Return two wordings; not the same: one draw changed, or a wording of another meaning."""
    dice, scope = split.dice, Scope()
    alike = dice.shuffled([line for line in block if line.mark != "-"])
    unlike = [line for line in block if line.mark == "-"]
    first, second = alike[:2]
    texts, key = [split.pen.write(first.frame, scope).text], ""
    if not same and unlike and dice.below(3) == 0:
        second = dice.pick(unlike)
    elif not same:
        second = first if dice.below(4) == 0 else second
        key = dice.pick(sorted(scope.bound))
        scope = scope.without(key)
    texts.append(split.pen.write(second.frame, scope).text)
    changed = same or second.mark == "-" or key in scope.bound
    return texts if texts[0] != texts[1] and changed else []


KINDS = {
    "documents": _documents,
    "dialogues": _dialogues,
    "classify": _classify,
    "ner": _ner,
    "pair": _pair,
    "reading": _reading,
}


def _id(job: Job, split: Split, number: int) -> str:
    return f"{job.spec.file}-{split.name}-{number + 1:04d}"


def _file(job: Job, split: Split) -> str:
    return f"{job.spec.file}/{split.name}.jsonl"
