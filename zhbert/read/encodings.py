"""Which encoding some bytes are in, found without ever choosing wrongly in silence.

- UTF-8 is what decodes as UTF-8; a text that does mostly is UTF-8 with damaged bytes, and nothing else.
- GB18030 decodes nearly everything, so that decoding proves nothing. It is chosen only where the Han
  characters that come out are the ones Chinese is made of: of running text, the few hundred characters
  below are a half; of what another encoding leaves behind, hardly any. Short texts must show more of them.
- UTF-16 without its mark is told by the same rule.
- Big5 is never chosen: where it is likely, the error names it.
- NULs, and too many other control characters, are no text.
"""

import codecs
import re
from dataclasses import dataclass

UTF8 = "utf-8"
# the most frequent characters, and how those of them look in traditional script that look different
_COMMON = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成"
    "方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情"
    "明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位"
    "次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建"
    "务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王完设式色路记南"
    "品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运"
    "這個們來為國說時會對於著過發後裡種經學當沒動還進樣開從實軍無與長機情關點業將兩間問並應戰頭體見產製話給門東聲員解論處義幾認條"
    "係氣題爾別變總電數報結務場計資許統區隊決馬書聽達強難權設記類據邊張該規萬覺術領確傳師觀讓識帶導爭運"
)

_PLAIN = re.compile("[\t\n\r -~\u3000-\u301f\uff01-\uff5e“”‘’—…·]")
_CONTROLS = bytes(
    c for c in range(32) if c not in b"\t\n\v\f\r\x1a\x1b"
)  # 1A ends DOS files, 1B colours logs
_LEADING = bytes(range(0xC2, 0xF5))
_MARKS = {
    codecs.BOM_UTF8: UTF8,
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    b"\x84\x31\x95\x33": "gb18030",
}

_FEW = 1000  # bytes of ASCII to every byte that is nothing
_ENOUGH = 20_000  # characters to judge by
_WIDE = ("utf-16-le", "utf-16-be")
_WIDER = {"gbk": "gb18030", "gb2312": "gb18030", "utf-8-sig": UTF8, "ascii": UTF8, "big5": "big5hkscs"}
_LINED = re.compile(
    "utf-8|gb18030|big5hkscs|euc_.+|shift_jis.*|johab|cp(8[5-7].|125.|437|720|737|775|932|949|950)"
    "|iso8859-.+|koi8.+|mac-.+|tis-620|hp-roman8|kz1048|ptcp154"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """An encoding, or "" where none is certain; then a likely one, or ""; or why it is no text."""

    encoding: str = ""
    likely: str = ""
    binary: str = ""


def detect(sample: bytes, *, whole: bool = False) -> Finding:
    """Return what the first bytes of a file tell; `whole` where they are all there is.

    >>> detect("中国人说，这个世界上的事情都要看它是怎么来的。".encode("gbk"), whole=True).encoding
    'gb18030'
    >>> detect("中國人說，這個世界上的事情都要看它是怎麼來的。".encode("big5"), whole=True).likely
    'big5'
    """
    for mark, encoding in _MARKS.items():
        if sample.startswith(mark):
            return Finding(encoding)
    if b"\0" in sample:
        wide = max(_WIDE, key=lambda name: _plainness(sample, name, whole))
        return Finding(wide) if _plainness(sample, wide, whole) > 0.5 else Finding(binary="it has NUL bytes")
    if len(sample) - len(sample.translate(None, _CONTROLS)) > len(sample) // 50:
        return Finding(binary="it is full of control characters")
    known = sample.decode(UTF8, "ignore").encode()
    lost, letters = len(sample) - len(known), len(known) - len(known.translate(None, _LEADING))
    if lost * 3 <= letters:
        return Finding(UTF8)
    (gb, needed), (big5, _) = (_share(sample, codec, whole) for codec in ("gb18030", "big5hkscs"))
    if gb > max(needed, 2 * big5):
        return Finding("gb18030")
    likely = {"gb18030": gb, "big5": big5, "": 0.2}
    likely |= {name: 0.9 * _plainness(sample, name, whole) for name in _WIDE}
    best = max(likely, key=lambda name: likely[name])
    return Finding(likely=best) if best or lost * _FEW > len(sample) else Finding(UTF8)


def _share(sample: bytes, codec: str, whole: bool) -> tuple[float, float]:
    """Return how many of the letters beyond ASCII are common Han ones, and how many would be enough."""
    letters = [c for c in _decoded(sample, codec, whole) if c > "\x7f" and not _PLAIN.match(c)]
    if not letters:
        return 0.0, 1.0
    return sum(c in _COMMON for c in letters) / len(letters), 0.3 + len(letters) ** -0.5


def _plainness(sample: bytes, codec: str, whole: bool) -> float:
    """Return the share of characters that are common Han ones, ASCII or punctuation."""
    text = _decoded(sample, codec, whole)
    return sum(c in _COMMON or bool(_PLAIN.match(c)) for c in text) / max(len(text), 1)


def _decoded(sample: bytes, codec: str, whole: bool) -> str:
    """Return the first characters of a sample, or nothing if it cannot be decoded."""
    try:
        return codecs.getincrementaldecoder(codec)().decode(sample, whole)[:_ENOUGH]
    except UnicodeDecodeError:
        return ""


def codec_of(name: str) -> str:
    """Return the widest codec of an encoding, for GB2312 and Big5 stand on files that hold more.

    >>> codec_of("GBK"), codec_of("utf-8-sig"), codec_of("UTF16")
    ('gb18030', 'utf-8', 'utf-16')
    """
    name = codecs.lookup(name).name
    return _WIDER.get(name, name)


def is_lined(codec: str) -> bool:
    """Return whether the byte 0A ends a line in this encoding and stands for nothing else.

    >>> is_lined("gb18030"), is_lined("utf-16")
    (True, False)
    """
    return bool(_LINED.fullmatch(codec))
