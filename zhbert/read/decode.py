"""The lines of a piece as text, each with its number, or with what is wrong with it.

Lines are cut before they are decoded, at the byte 0A, so that a line that cannot be decoded costs
nothing but itself and every complaint has its byte. Only UTF-16 and its like, in which 0A can be half a
character, are turned into UTF-8 first; damage to those ends the file.

A text that begins with pure ASCII has not shown its encoding: the first line that is more decides.
"""

import codecs
import io
from collections.abc import Iterator

from zhbert.read.config import AUTO, ReadConfig
from zhbert.read.encodings import UTF8, codec_of, detect, is_lined
from zhbert.read.packing import BUFFER, Flow
from zhbert.read.piece import MB, Broken, Fault, Piece

Line = str | Fault
REPLACE = "--undecodable replace puts � there"
_SHOWN = {"big5hkscs": "Big5", "big5": "Big5"}
_MARK = "\ufeff"


class Lines:
    """The lines of a piece, without their ends, counted from 1."""

    def __init__(self, piece: Piece, *, encoding: str = "") -> None:
        self._piece, self._stream = piece, piece.stream
        self._errors = "replace" if piece.config.undecodable == "replace" else "strict"
        self._number = self._offset = 0
        self._remedy = REPLACE if piece.config.encoding == AUTO else f"is that its encoding? {REPLACE}"
        self._open = False  # whether the encoding is still to be seen
        self._codec = self._choose(encoding or piece.config.encoding)
        if not is_lined(self._codec):
            wide = _as_utf8(piece.stream, self._codec, self._errors)
            self._stream, self._codec = io.BufferedReader(Flow(wide), BUFFER), UTF8

    def __iter__(self) -> Iterator[tuple[int, Line]]:
        most = self._piece.config.max_record_mb * MB
        try:
            while raw := self._stream.readline(most):
                self._number += 1
                whole = len(raw) < most or raw.endswith(b"\n")
                line = self._decode(raw) if whole else self._pass_over(raw, most)
                self._offset += len(raw)
                yield self._number, line
        except Broken as broken:
            raise Broken(broken.fault, broken.place or self._number + 1) from broken

    def _decode(self, raw: bytes) -> Line:
        try:
            line = raw.decode(self._codec, self._errors)
        except UnicodeDecodeError as error:
            if self._open:
                self._open = False
                self._codec = self._accept(raw + self._stream.peek(BUFFER))
                return self._decode(raw)
            return self._fault(self._codec, error.start, raw, self._remedy)
        if self._open and not line.isascii():
            self._open = False
        line = line.removesuffix("\n").removesuffix("\r")
        return line.removeprefix(_MARK) if self._number == 1 else line

    def _pass_over(self, raw: bytes, most: int) -> Fault:
        """Read on to the end of a line that is too long, which is its own fault."""
        while not raw.endswith(b"\n") and (raw := self._stream.readline(most)):
            self._offset += len(raw)
        return too_long(self._piece.config)

    def _choose(self, encoding: str) -> str:
        if encoding != AUTO:
            return codec_of(encoding)
        head = self._stream.peek(BUFFER)
        self._open = head.isascii()
        return self._accept(head)

    def _accept(self, sample: bytes) -> str:
        """Return the codec that a sample shows, and report it; refuse a file that shows none."""
        found = detect(sample, whole=len(sample) < BUFFER)
        if found.binary:
            raise Broken(Fault("not a text file", f": {found.binary}", "if it is one, name its --encoding"))
        if not found.encoding:
            bad = _first_bad_byte(sample)
            place = (self._number or 1) + sample.count(b"\n", 0, bad)
            raise Broken(self._fault(UTF8, bad, sample, _name_it(found.likely)), place)
        if found.encoding != UTF8:
            self._piece.ledger.encodings[self._piece.name] = shown(found.encoding)
        return found.encoding

    def _fault(self, codec: str, byte: int, raw: bytes, remedy: str) -> Fault:
        what = f" at byte {self._offset + byte}"
        return Fault(f"not {shown(codec)}", what, remedy, raw[:1000].decode(codec, "backslashreplace"))


def read_whole(piece: Piece, *, encoding: str = "") -> tuple[int, Line]:
    """Return the text of a whole piece with 1, or the first fault in it with its line."""
    lines: list[str] = []
    left = piece.config.max_record_mb * MB
    for number, line in Lines(piece, encoding=encoding):
        if isinstance(line, Fault):
            return number, line
        lines.append(line)
        left -= len(line)
        if left < 0:
            return 1, too_long(piece.config)
    return 1, "\n".join(lines)


def shown(codec: str) -> str:
    """Return the name of an encoding as people write it.

    >>> shown("gb18030"), shown("big5hkscs")
    ('GB18030', 'Big5')
    """
    return _SHOWN.get(codec, codec.upper())


def too_long(config: ReadConfig) -> Fault:
    """Return the fault of a record that is longer than one may be."""
    return Fault(f"longer than {config.max_record_mb} MB", remedy="if that is right, --max-record-mb")


def _name_it(likely: str) -> str:
    return f"it may be {shown(likely)}: --encoding {likely}" if likely else "name its --encoding"


def _first_bad_byte(sample: bytes) -> int:
    try:
        sample.decode(UTF8)
    except UnicodeDecodeError as error:
        return error.start
    return 0


def _as_utf8(stream: io.BufferedReader, codec: str, errors: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(codec)(errors)
    offset = 0
    while True:
        data = stream.read1(BUFFER)
        pending = len(decoder.getstate()[0])
        try:
            text = decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            yield error.object[: error.start].decode(codec, "ignore").encode()
            what = f" at byte {offset - pending + error.start}"
            raise Broken(Fault(f"not {shown(codec)}", what, REPLACE)) from error
        offset += len(data)
        yield text.encode()
        if not data:
            return
