"""Numbers with a unit, as a person reads them."""

_SIZES = ((2**30, "GB"), (2**20, "MB"), (2**10, "kB"))
_TIMES = ((3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"))


def size(count: int) -> str:
    """Return bytes in the largest unit of which there is one; nothing at all is not known.

    >>> size(409_600_000), size(512), size(0)
    ('391 MB', '512 B', '–')
    """
    unit, name = next(((unit, name) for unit, name in _SIZES if count >= unit), (1, "B"))
    return f"{_figure(count / unit)} {name}" if count else "–"


def duration(seconds: float) -> str:
    """Return seconds in the largest unit of which there is one.

    >>> duration(7500), duration(3.25), duration(0.0004)
    ('2.08 h', '3.25 s', '0.4 ms')
    """
    unit, name = next(((unit, name) for unit, name in _TIMES if seconds >= unit), _TIMES[-1])
    return f"{_figure(seconds / unit)} {name}"


def many(count: float) -> str:
    """Return a count, of large ones the leading digits.

    >>> many(102_267_648), many(43_210), many(3.14159)
    ('102 M', '43,210', '3.14')
    """
    return f"{_figure(count / 1e6)} M" if count >= 1e6 else _figure(count)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
