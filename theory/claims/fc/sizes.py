"""Sizes (n, rows) of products of Gaussian factors that statements cover, or at which a decoy shows."""

from __future__ import annotations

Rows = tuple[int, ...]  # heights of the factors, the first one first


def two_points(n: int, rows: Rows) -> bool:
    return n >= 2


def three_points(n: int, rows: Rows) -> bool:
    return n >= 3


def one_factor(n: int, rows: Rows) -> bool:
    """Whether one factor makes two points or more."""
    return n >= 2 and len(rows) == 1


def layered(n: int, rows: Rows) -> bool:
    """Whether there are layers to forget one of."""
    return len(rows) >= 2
