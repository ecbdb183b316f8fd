"""Pictures and texts packed into tar files, as WebDataset reads them; the same content always gives the same bytes."""

from __future__ import annotations

import tarfile
from collections.abc import Iterable
from io import BytesIO

from fluxcap.exporting.folder import Writer

PER_SHARD = 1000
"""Pictures in one shard."""


def pack(members: Iterable[tuple[str, bytes]], into: Writer) -> None:
    """Write a tar file of these members, in this order: no dates, no owners."""
    with tarfile.open(fileobj=into, mode="w|", format=tarfile.USTAR_FORMAT) as tar:  # type: ignore[call-overload]
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), 0o644
            tar.addfile(info, BytesIO(data))
