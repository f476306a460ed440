"""The BERT form of a tokenizer: a vocabulary, WordPiece, and the settings of its normaliser.

- vocab.txt is split on "\\n" alone: token 343 of bert-base-chinese is U+2028, which `splitlines` would
  take for the end of a line.
- transformers 5 rebuilds the normaliser of a `BertTokenizer` from tokenizer_config.json and never looks at
  the one in tokenizer.json. So the settings are read from there too, and written to both.
- A vocabulary where a token stands twice is refused: the ids after it would not be those of the model.
"""

from pathlib import Path
from typing import Any

import tokenizers
from tokenizers import AddedToken, decoders, models, normalizers, pre_tokenizers, processors

from zhbert.errors import ModelError

NAMES = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
SETTINGS = {
    "do_lower_case": "lowercase",
    "strip_accents": "strip_accents",
    "tokenize_chinese_chars": "handle_chinese_chars",
}


def read_vocab(path: Path) -> list[str]:
    """Return the tokens of a vocab.txt, one a line; only a line feed ends a line."""
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ModelError(f"not UTF-8 at byte {error.start}", where=path) from error
    return text.replace("\r\n", "\n").removesuffix("\n").split("\n")


def bert_backend(tokens: list[str], config: dict[str, Any], *, where: object) -> tokenizers.Tokenizer:
    """Return the backend of a BERT tokenizer with these tokens in the order of their ids."""
    ids = {token: id_ for id_, token in enumerate(tokens)}
    for id_, token in enumerate(tokens):
        if ids[token] != id_:
            raise ModelError(
                f'token "{token}" stands at line {id_ + 1} and at line {ids[token] + 1}', where=where
            )
        if "\n" in token:
            raise ModelError(f"token {id_} holds a line feed", where=where)
    names = [special_name(config, role) for role in NAMES]
    if missing := [name for name in names if name not in ids]:
        raise ModelError(f"the vocabulary has no {', '.join(missing)}", where=where)
    backend = tokenizers.Tokenizer(models.WordPiece(ids, unk_token=special_name(config, "unk")))
    backend.normalizer = normaliser_of(config, normalizers.BertNormalizer())
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.decoder = decoders.WordPiece(prefix="##")
    backend.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in names])
    cls, sep = special_name(config, "cls"), special_name(config, "sep")
    backend.post_processor = processors.TemplateProcessing(
        single=f"{cls}:0 $A:0 {sep}:0",
        pair=f"{cls}:0 $A:0 {sep}:0 $B:1 {sep}:1",
        special_tokens=[(cls, ids[cls]), (sep, ids[sep])],
    )
    return backend


def normaliser_of(config: dict[str, Any], base: normalizers.BertNormalizer) -> normalizers.BertNormalizer:
    """Return `base` with what tokenizer_config.json says instead, as transformers does."""
    settings = {name: getattr(base, name) for name in ("clean_text", *SETTINGS.values())}
    settings |= {name: config[key] for key, name in SETTINGS.items() if key in config}
    return normalizers.BertNormalizer(**settings)


def bert_config(backend: tokenizers.Tokenizer, config: dict[str, Any]) -> dict[str, Any]:
    """Return what tokenizer_config.json must say for transformers to build the same; nothing if not BERT."""
    normaliser = backend.normalizer
    if not isinstance(normaliser, normalizers.BertNormalizer):
        return {}
    settings = {key: getattr(normaliser, name) for key, name in SETTINGS.items()}
    names = {f"{role}_token": special_name(config, role) for role in NAMES}
    return {"tokenizer_class": "BertTokenizer", "model_max_length": 512} | config | settings | names


def special_name(config: dict[str, Any], role: str) -> str:
    """Return what the special token of a role is called.

    >>> special_name({"mask_token": {"content": "<mask>"}}, "mask"), special_name({}, "mask")
    ('<mask>', '[MASK]')
    """
    name = config.get(f"{role}_token") or NAMES[role]
    return str(name["content"] if isinstance(name, dict) else name)
