"""What a set shows, what it still wants, and of what it has too much (``data/coverage.toml``; P16 to P19). Pure."""

from fluxcap.coverage.counting import Cell, Constant, Coverage, Have, Row, cover
from fluxcap.coverage.table import Wish, Wishes, wishes
from fluxcap.coverage.words import constancies, not_told, shopping_list, size, told, too_many, unplaced

__all__ = [
    "Cell",
    "Constant",
    "Coverage",
    "Have",
    "Row",
    "Wish",
    "Wishes",
    "constancies",
    "cover",
    "not_told",
    "shopping_list",
    "size",
    "told",
    "too_many",
    "unplaced",
    "wishes",
]
