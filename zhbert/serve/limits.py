"""What a server takes, and how long it waits; beyond that a request is refused, and told so."""

from pydantic import Field

from zhbert.config import Config


class Limits(Config):
    """The limits of a server, and how it batches."""

    body: int = Field(default=2_000_000, ge=1, description="bytes of a request's body; more: 413")
    texts: int = Field(default=256, ge=1, description="texts, pairs or questions of a request; more: 413")
    characters: int = Field(
        default=20_000, ge=1, description="characters of a text, or of a question with its context; more: 413"
    )
    queue: int = Field(
        default=1024, ge=1, description="texts that wait for a model; a request that finds no room: 429"
    )
    timeout: float = Field(default=30.0, gt=0, description="seconds for an answer; longer: 504")
    slow: float = Field(
        default=10.0,
        gt=0,
        description="seconds for a client to send its request (longer: 408), or to take the answer",
    )
    drain: float = Field(
        default=60.0, gt=0, description="seconds to answer what was taken when the server is told to stop"
    )
    batch: int = Field(
        default=4096, ge=1, description="characters that go through a model at once; 1: each text alone"
    )
    wait: float = Field(
        default=4.0, ge=0, description="milliseconds for which a text waits for others to be read with"
    )
