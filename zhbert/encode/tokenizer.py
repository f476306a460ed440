"""A tokenizer, loaded or built: texts to ids and character offsets.

- It is a `tokenizers.Tokenizer` with its facts: neither torch nor transformers is imported, except
  where a name can only be read by transformers, and then inside that function.
- Special tokens are not added here: tasks and packing put [CLS] and [SEP] themselves. Truncation and
  padding that a file may carry are switched off; nothing is cut behind the caller's back.
- Offsets are Python characters of the ORIGINAL text, and they are the only way back to it: the BERT
  normaliser drops spaces, controls, zero-width and private-use characters, and an emoji run or a Latin
  run of more than 100 characters is ONE [UNK]. A lone surrogate, which the backend refuses, is read as
  U+FFFD: one character for one, so offsets stay right.
- Texts are encoded by table where that is sure to give what the backend gives (`flat`), some ten to seventy
  times as fast as transformers, on one core. `backend` is there to be asked, not to be changed.
- As in transformers, the letters "[SEP]" in a text become the special token.
- A folder saved here is read by `AutoTokenizer` as a `BertTokenizer` with the same ids (`bert`).

Shapes: T tokens, V vocabulary.
"""

import hashlib
import json
import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import tokenizers
from numpy.typing import NDArray
from tokenizers import models, normalizers

from zhbert.encode.bert import NAMES, bert_backend, bert_config, normaliser_of, read_vocab, special_name
from zhbert.encode.flat import BackendEncoder, Flat, TableEncoder
from zhbert.errors import ModelError

OTHER_FAMILIES = ("sentencepiece.bpe.model", "spiece.model", "tokenizer.model", "vocab.json")
_AS_WRITTEN = ("PreTrainedTokenizerFast", "TokenizersBackend")  # these take tokenizer.json as it stands
_HUB_NAME = re.compile(r"[\w-][\w.-]*(/[\w.-]+)?")
_WIDE_GAP = re.compile(r"(?<![!-~]) | (?![!-~])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Special:
    """The ids of the tokens that are no text."""

    pad: int
    unk: int
    cls: int
    sep: int
    mask: int


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """The tokens of a text and the range of its characters that each stands for."""

    ids: NDArray[np.int32]
    offsets: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.ids)


class Tokenizer:
    """A tokenizer and the facts about it.

    >>> tokenizer = Tokenizer.from_vocab([*NAMES.values(), "我", "爱", "北", "京", "bert", "##s"])
    >>> encoded, = tokenizer.encode_batch(["我爱 BERTs！"])
    >>> encoded.ids.tolist(), encoded.offsets.tolist()
    ([5, 6, 9, 10, 1], [[0, 1], [1, 2], [3, 7], [7, 8], [8, 9]])
    >>> tokenizer.decode(encoded.ids)
    '我爱berts [UNK]'
    """

    def __init__(self, backend: tokenizers.Tokenizer, *, config: dict[str, Any], where: object = "") -> None:
        backend.no_truncation()
        backend.no_padding()
        self.backend = backend
        self._config = config
        self.special = Special(**{role: _special(backend, config, role, where) for role in NAMES})
        self.size = 1 + max(backend.get_vocab(with_added_tokens=True).values())
        if backend.get_vocab_size(with_added_tokens=True) <= len(NAMES):  # trap: a file was ignored
            raise ModelError("the vocabulary holds nothing but special tokens", where=where)

    @classmethod
    def load(cls, source: str | Path) -> "Tokenizer":
        """Return the tokenizer of a model folder or of a hub name."""
        folder = Path(source)
        if any((folder / name).is_file() for name in ("tokenizer.json", "vocab.txt")):
            return cls._read(folder, where=folder)
        if (
            isinstance(source, Path) and not folder.is_dir()
        ):  # a path is never the name of something on the hub
            raise ModelError("no such folder", where=folder)
        if folder.is_dir() and not any((folder / name).is_file() for name in OTHER_FAMILIES):
            raise ModelError("no tokenizer here: neither tokenizer.json nor vocab.txt", where=folder)
        return cls._through_transformers(str(source))

    @classmethod
    def _read(cls, folder: Path, *, where: object) -> "Tokenizer":
        config = _read_config(folder)
        if (folder / "tokenizer.json").is_file():
            return cls(_read_backend(folder / "tokenizer.json", config), config=config, where=where)
        tokens = read_vocab(folder / "vocab.txt")
        return cls(bert_backend(tokens, config, where=folder / "vocab.txt"), config=config, where=where)

    @classmethod
    def _through_transformers(cls, name: str) -> "Tokenizer":
        if not Path(name).is_dir() and not _HUB_NAME.fullmatch(name):
            raise ModelError("no such folder", where=name)
        from transformers import AutoTokenizer  # only here: 2 s and torch

        try:
            foreign = AutoTokenizer.from_pretrained(name, trust_remote_code=False)
        except (OSError, ValueError) as error:
            why = str(error).split("\n")[0]
            raise ModelError(f"no tokenizer can be had under this name: {why}", where=name) from error
        with tempfile.TemporaryDirectory() as folder:
            foreign.save_pretrained(folder)
            if not Path(folder, "tokenizer.json").is_file():
                raise ModelError("this tokenizer has no tokenizer.json form, so no offsets", where=name)
            return cls._read(Path(folder), where=name)

    @classmethod
    def from_vocab(
        cls, tokens: Iterable[str], *, lowercase: bool = True, max_length: int = 512
    ) -> "Tokenizer":
        """Return the BERT tokenizer of a vocabulary, whose order gives the ids."""
        config = {"do_lower_case": lowercase, "model_max_length": max_length}
        return cls(bert_backend(list(tokens), config, where="vocabulary"), config=config, where="vocabulary")

    def save(self, folder: str | Path) -> None:
        """Write the files from which `Tokenizer.load` and transformers read the same tokenizer."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        config = self._config | bert_config(self.backend, self._config)
        _write(folder / "tokenizer.json", self.backend.to_str(pretty=True))
        _write(folder / "tokenizer_config.json", json.dumps(config, ensure_ascii=False, indent=2) + "\n")
        if isinstance(self.backend.model, models.WordPiece) and len(self.tokens) == self.size:
            _write(folder / "vocab.txt", "".join(token + "\n" for token in self.tokens))

    def encode_batch(self, texts: Sequence[str]) -> list[Encoded]:
        """Return ids and offsets of every text, without special tokens."""
        flat = self.encode_flat(texts)
        bounds = [0, *flat.docs.tolist()]
        begins_T = np.repeat(flat.begins, np.diff(bounds))
        offsets_T2 = np.column_stack([flat.starts - begins_T, flat.ends - begins_T]).astype(np.int32)
        return [Encoded(flat.ids[first:last], offsets_T2[first:last]) for first, last in pairwise(bounds)]

    def encode_flat(self, texts: Sequence[str]) -> Flat:
        """Return the same for many texts in one row; the fastest with some hundred thousand characters.

        >>> tokenizer = Tokenizer.from_vocab([*NAMES.values(), "我", "爱"])
        >>> flat = tokenizer.encode_flat(["我", "爱我"])
        >>> flat.ids.tolist(), flat.starts.tolist(), flat.docs.tolist()
        ([5, 6, 5], [0, 2, 3], [1, 3])
        """
        return self._encoder.encode(texts)

    def decode(self, ids: Iterable[int]) -> str:
        """Return the tokens as a text for eyes; only offsets lead back to the original."""
        text = self.backend.decode([int(i) for i in ids], skip_special_tokens=False)
        return _WIDE_GAP.sub("", text)

    def unk_rate(self, texts: Sequence[str]) -> float:
        """Return the share of [UNK] among the tokens of the texts; 0 where there are none."""
        ids = self.encode_flat(texts).ids
        return float(np.mean(ids == self.special.unk)) if len(ids) else 0.0

    def extended(self, entries: dict[str, int]) -> "Tokenizer":
        """Return this tokenizer with more tokens; an old one whose id is taken is no more.

        Added tokens become entries of the vocabulary, or the backend would number them anew after it.
        """
        facts, taken = json.loads(self.backend.to_str()), set(entries.values())
        old = self.backend.get_vocab(with_added_tokens=True)
        facts["model"]["vocab"] = {token: id_ for token, id_ in old.items() if id_ not in taken} | entries
        return Tokenizer(tokenizers.Tokenizer.from_str(json.dumps(facts)), config=self._config)

    @property
    def max_length(self) -> int | None:
        """The number of tokens that the model takes, if the files say so."""
        length = self._config.get("model_max_length")
        return int(length) if length is not None and length < 1e9 else None  # transformers writes 1e30

    @cached_property
    def _encoder(self) -> TableEncoder | BackendEncoder:
        return (TableEncoder if TableEncoder.fit(self.backend) else BackendEncoder)(self.backend)

    @cached_property
    def tokens(self) -> tuple[str, ...]:
        """Every token in the order of the ids."""
        vocab = self.backend.get_vocab(with_added_tokens=True)
        return tuple(sorted(vocab, key=vocab.__getitem__))

    @cached_property
    def fingerprint(self) -> str:
        """The sha256 of everything that decides which ids a text gets."""
        facts = json.loads(self.backend.to_str())
        facts = {key: facts[key] for key in ("normalizer", "pre_tokenizer", "model")}
        facts["model"].pop("vocab")
        facts["vocab"] = self.backend.get_vocab(with_added_tokens=True)
        facts["special"] = [getattr(self.special, role) for role in NAMES]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    @cached_property
    def ordinary_ids(self) -> NDArray[np.int64]:
        """The ids that a text can produce: no special or reserved token, and no "##" before Han.

        In bert-base-chinese these are 13,578 of 21,128: nearly all others are "##" and punctuation or
        a Han character, which is always a word of its own to the tokenizer and never goes on with one.
        """
        vocab = self.backend.get_vocab(with_added_tokens=True)
        added = {token.content for token in self.backend.get_added_tokens_decoder().values()}
        ids = sorted(id_ for token, id_ in vocab.items() if token not in added and self._occurs(token))
        return np.array(ids, dtype=np.int64)

    def _occurs(self, token: str) -> bool:
        if not isinstance(self.backend.model, models.WordPiece):
            return True
        word = "a" + token[2:] if token.startswith("##") and len(token) > 2 else token
        normal = self.backend.normalizer.normalize_str(word)
        return [piece for piece, _ in self.backend.pre_tokenizer.pre_tokenize_str(normal)] == [word]


def _read_backend(path: Path, config: dict[str, Any]) -> tokenizers.Tokenizer:
    try:
        backend = tokenizers.Tokenizer.from_str(path.read_text(encoding="utf-8"))
    except Exception as error:  # the backend raises the bare type for whatever is wrong in the file
        raise ModelError(f"not a tokenizer file: {error}", where=path) from error
    normaliser = backend.normalizer
    if (
        isinstance(normaliser, normalizers.BertNormalizer)
        and config.get("tokenizer_class") not in _AS_WRITTEN
    ):
        backend.normalizer = normaliser_of(config, normaliser)
    return backend


def _read_config(folder: Path) -> dict[str, Any]:
    """Return tokenizer_config.json, with the names that old folders keep in special_tokens_map.json."""
    names = {
        k: v for k, v in _read_object(folder / "special_tokens_map.json").items() if k.endswith("_token")
    }
    config = names | _read_object(folder / "tokenizer_config.json")
    config.pop("auto_map", None)  # names code, which is never run and so never passed on
    return config


def _read_object(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"not valid JSON: {error}", where=path) from error
    if not isinstance(value, dict):
        raise ModelError("must be an object", where=path)
    return value


def _special(backend: tokenizers.Tokenizer, config: dict[str, Any], role: str, where: object) -> int:
    name = special_name(config, role)
    id_ = backend.token_to_id(name)
    if id_ is None:
        raise ModelError(f"the vocabulary has no {role} token {name}", where=where)
    return id_


def _write(path: Path, text: str) -> None:
    path.write_bytes(text.encode("utf-8"))
