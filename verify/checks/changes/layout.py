"""Where strings and lines of a small drawing stand to one another, and to its box."""

from __future__ import annotations

import math
from collections.abc import Sequence

from verify.checks.changes.graphics import Piece, Point
from verify.place import Box

_LINE = 0.5
_NARROWEST = 0.15
"""No character is narrower, in parts of its height; so far at least the next string begins behind."""
_MOST_OF = 0.8
_EDGE = 6.0
"""Points from the edge of a field within which borders are drawn."""
_RIM = 3.0
"""Points within which a line is nothing but a border, also on a field that is off."""
_INNERMOST, _OUTERMOST = 0.75, 1.1
"""Where a round border runs, in parts of the half width."""


def middle(piece: Piece) -> tuple[float, float]:
    """A point in the first character of a string."""
    angle = math.radians(piece.angle)
    rise, forth = piece.size / 4, piece.size / 6
    return (
        piece.x + forth * math.cos(angle) - rise * math.sin(angle),
        piece.y + forth * math.sin(angle) + rise * math.cos(angle),
    )


def follows(before: Piece, after: Piece) -> bool:
    """Whether a string stands where one reads on: behind the one before, or on a line below."""
    turn = abs(before.angle - after.angle) % 360
    angle = math.radians(before.angle)
    along = (after.x - before.x) * math.cos(angle) + (after.y - before.y) * math.sin(angle)
    above = (after.y - before.y) * math.cos(angle) - (after.x - before.x) * math.sin(angle)
    size = max(before.size, after.size)
    if min(turn, 360 - turn) > 1:
        return False
    if above < -_LINE * size:
        return True
    return above <= _LINE * size and along >= _NARROWEST * before.size * len("".join(before.text.split()))


def is_across(box: Box, part: tuple[float, float, float, float]) -> bool:
    """Whether a part reaches over most of a box, along or across, in a straight line: a frame, a divider, a bar."""
    wide, high = abs(part[2] - part[0]), abs(part[3] - part[1])
    far, long = box[2] - box[0], box[3] - box[1]
    return wide >= _MOST_OF * far or high >= _MOST_OF * long


def is_frame(box: Box, x0: float, y0: float, x1: float, y1: float) -> bool:
    """Whether a line goes across a box or lies at its edge: borders, their corners, dividers."""
    margin = min(_EDGE, (box[2] - box[0]) / 4, (box[3] - box[1]) / 4)
    at_edge = (min(x - box[0], box[2] - x, y - box[1], box[3] - y) <= margin for x, y in ((x0, y0), (x1, y1)))
    straight = abs(x0 - x1) < 1 or abs(y0 - y1) < 1
    return all(at_edge) or (straight and is_across(box, (x0, y0, x1, y1)))


def is_rim(box: Box, points: Sequence[Point]) -> bool:
    """Whether a line or curve keeps to one edge of a box, or to the circle in it: a border and nothing else."""
    wide, high = box[2] - box[0], box[3] - box[1]
    margin = min(_RIM, wide / 6, high / 6)
    edges = ((p[0] - box[0], box[2] - p[0], p[1] - box[1], box[3] - p[1]) for p in points)
    return any(all(far <= margin for far in side) for side in zip(*edges, strict=True)) or any(
        _is_round(box, points, *half) for half in ((wide / 2, high / 2), (min(wide, high) / 2,) * 2)
    )


def _is_round(box: Box, points: Sequence[Point], wide: float, high: float) -> bool:
    if len(points) == 2 or not wide or not high:  # a line cuts across
        return False
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return all(_INNERMOST <= math.hypot((p[0] - x) / wide, (p[1] - y) / high) <= _OUTERMOST for p in points)
