"""The embedded measurement: what geometry and pixels tell about a photograph of people, offline, on one core.

``EmbeddedMeasurement().observe(rgb, width, height)`` gives claims; ``details`` the numbers behind them. Importing this
package loads nothing heavy.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from fluxcap.types import Claim

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fluxcap.measure.details import Details
    from fluxcap.measure.nets import Nets

__all__ = ["EmbeddedMeasurement", "missing_models"]


def missing_models() -> list[str]:
    """Names of the model files that are absent or unfit; empty when measuring can start."""
    from fluxcap.measure.nets import missing_models as missing

    return missing()


class EmbeddedMeasurement:
    """One instance serves any number of threads; each thread keeps its own interpreters."""

    name = "embedded"
    version = "2"
    """Raised whenever the same picture may get other claims."""

    def __init__(self) -> None:
        self._local = threading.local()
        self._lock = threading.Lock()
        self._folder: Path | None = None

    def observe(self, rgb: NDArray[np.uint8], width: int, height: int) -> list[Claim]:
        """Claims about a picture: HWC uint8 RGB, upright, reduced or not; ``width`` and ``height`` of its full size in pixels."""
        from fluxcap.measure.claims_frame import frame_claims
        from fluxcap.measure.claims_head import head_claims

        details = self.details(rgb, width, height)
        return [*frame_claims(details), *head_claims(details)]

    def details(self, rgb: NDArray[np.uint8], width: int, height: int) -> Details:
        """The raw numbers; claims are a pure function of them."""
        from fluxcap.measure.details import gather

        return gather(self._nets(), rgb, width, height)

    def _nets(self) -> Nets:
        from fluxcap.measure.nets import Nets, models_folder

        nets: Nets | None = getattr(self._local, "nets", None)
        if nets is None:
            import cv2

            with self._lock:
                if self._folder is None:
                    cv2.setNumThreads(1)  # the pool above shares out the cores; OpenCV's own threads would fight it
                    self._folder = models_folder()
            nets = self._local.nets = Nets(self._folder)
        return nets
