"""How documents are read: what is one, which keys hold it, in which encoding, how much is too much."""

import codecs
from typing import Annotated, Literal

from pydantic import Field, field_validator

from zhbert.config import HOW, Config

AUTO = "auto"


class ReadConfig(Config):
    """How files become documents."""

    form: Literal["files", "lines", "blocks"] = Field(
        default="blocks",
        description="what a document is in a text file: the file, a line, a blank-line-separated block",
    )
    encoding: str = Field(
        default=AUTO, description="encoding of the files; auto tells UTF-8, UTF-16 and GB18030 apart"
    )
    undecodable: Literal["refuse", "replace"] = Field(
        default="refuse", description="what to do with bytes that the encoding does not know; � replaces them"
    )
    text_key: str = Field(default="text", description="JSONL key, or CSV or Parquet column, of the text")
    id_key: str = Field(default="id", description="key or column of the document's own id, if there is one")
    source_key: str = Field(default="source", description="key or column of whose text it is")
    delimiter: str = Field(default=AUTO, description="between CSV columns; auto: , in .csv and a tab in .tsv")
    quoting: Literal["auto", "quoted", "plain"] = Field(
        default="auto",
        description='whether " quotes a CSV column; auto: in .csv it does, in .tsv it is plain',
    )
    split: str = Field(default="train", description="split of a hub data set")
    max_record_mb: Annotated[int, HOW] = Field(default=1024, ge=1, description="longest record, in MB")
    max_unpacked_gb: Annotated[int, HOW] = Field(
        default=1024, ge=1, description="most that one packed file may unpack to, in GB"
    )
    max_ratio: Annotated[int, HOW] = Field(
        default=200, ge=2, description="how many times its size a packed file may unpack to"
    )
    max_members: Annotated[int, HOW] = Field(
        default=1_000_000, ge=1, description="most members an archive may have"
    )

    @field_validator("encoding")
    @classmethod
    def _known(cls, name: str) -> str:
        if name != AUTO and not _is_text(name):
            raise ValueError('no such encoding (such as "gb18030", "big5", "utf-16", or "auto")')
        return name

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, delimiter: str) -> str:
        if delimiter != AUTO and (len(delimiter) != 1 or delimiter in '\r\n"'):
            raise ValueError('must be one character, not a quote or a line end, or "auto"')
        return delimiter


def _is_text(name: str) -> bool:
    """Return whether Python knows an encoding of text under this name.

    >>> _is_text("gbk"), _is_text("base64"), _is_text("中文")
    (True, False, False)
    """
    try:
        return isinstance(codecs.decode(b"", codecs.lookup(name).name), str)
    except LookupError:
        return False
