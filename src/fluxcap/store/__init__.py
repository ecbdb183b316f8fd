"""What fluxcap remembers about a folder: one SQLite file, ``.fluxcap/fluxcap.db``.

Pictures, observations with their evidence, runs, and every version of every text that fluxcap writes. There is one writer at
a time (an OS lock that dies with its process). Every commit reaches the disk (``synchronous=FULL``): a killed process would
lose nothing under NORMAL either, but a power cut could lose the record of a text that was just replaced in its file. Callers
with many small steps put them in one ``with store.transaction()``.
"""

from __future__ import annotations

from fluxcap.store.database import FILE, FOLDER
from fluxcap.store.looks import HUMAN, Looks
from fluxcap.store.texts import Change, Run, Texts

__all__ = ["FILE", "FOLDER", "HUMAN", "Change", "Run", "Store"]


class Store(Looks, Texts):
    """The open database of one folder; use it in a ``with``.

    With ``read_only`` nothing is created, locked or changed, and an older database is refused (a writing command mends it).
    Raises ``FluxcapError``: another fluxcap works here, the file is damaged, foreign, or newer than this fluxcap.
    """
