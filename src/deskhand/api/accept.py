"""Which of two media types a caller prefers, by the Accept header.

Source: https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1
"""

from __future__ import annotations

_EXACT, _SUBTYPES, _ANYTHING = 2, 1, 0


def prefers(accept: str, wanted: str, *others: str) -> bool:
    """Whether `wanted` is asked for more than each of the others; if equally, whether it is named more exactly."""
    ranges = [_range(part) for part in accept.split(",")]
    best = _weight(ranges, wanted)
    return best[0] > 0 and all(best > _weight(ranges, other) for other in others)


def _weight(ranges: list[tuple[str, float]], media_type: str) -> tuple[float, int]:
    """The quality that the most exact range gives a media type, and how exact that range is."""
    by_exactness = {
        _EXACT: media_type,
        _SUBTYPES: media_type.partition("/")[0] + "/*",
        _ANYTHING: "*/*",
    }
    for exactness, name in by_exactness.items():
        for given, quality in ranges:
            if given == name:
                return quality, exactness
    return 0.0, _ANYTHING


def _range(part: str) -> tuple[str, float]:
    """A media range and its quality; what can't be read counts as not acceptable."""
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            return name, _quality(value.strip())
    return name, 1.0


def _quality(text: str) -> float:
    digits = text.replace(".", "", 1)
    return min(float(text), 1.0) if digits.isascii() and digits.isdigit() and len(text) <= 5 else 0.0
