"""What is found out about groups of texts: the record behind clusters.json and the page."""

from dataclasses import dataclass, field

from zhbert.plain import RARE
from zhbert.score.partition import Fit
from zhbert.vectors.keywords import Keyword

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Central:
    """A text near the centre of its group."""

    id: str
    text: str
    cosine: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """One group: how many texts, how close they lie, what sets them apart, and what labels they have."""

    number: int
    texts: int
    cosine: float
    keywords: tuple[Keyword, ...]
    central: tuple[Central, ...]
    labels: dict[str, int] = field(default_factory=dict, metadata=RARE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """A map of the groups: the share of what tells centres apart that it keeps, and the texts it shows."""

    kept: float
    shown: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A text on the map, in hundredths of its width and height."""

    x: float
    y: float
    cluster: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """All groups of some texts; `tried` are the silhouettes by number of groups where none was asked for."""

    format: int = FORMAT
    title: str
    source: str
    model: str
    texts: int
    cosine: float
    silhouette: float
    tried: dict[str, float] = field(default_factory=dict, metadata=RARE)
    clusters: tuple[Cluster, ...]
    plane: Plane
    fit: Fit | None = field(default=None, metadata=RARE)
