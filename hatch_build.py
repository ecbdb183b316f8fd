"""Build hook: puts the measuring models into the wheel. Without a network the build goes on without them."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ModelsHook(BuildHookInterface[Any]):
    """Fetches the files of ``data/models.toml`` before a wheel or an editable install is made."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it collects the files."""
        if self.target_name != "wheel":
            return
        package = Path(self.root) / "src" / "fluxcap"
        try:
            models = load(package / "models.py")
            models.fetch_measure(package / "data" / "models")
        except Exception as error:  # never a reason to fail the build
            reason = " ".join(str(error).split()) or type(error).__name__
            self.app.display_warning(
                f"fluxcap is built without its measuring models: {reason}. Fetch them later: fluxcap models pull measure"
            )


def load(path: Path) -> ModuleType:
    """``models.py`` by its path: fluxcap and what it needs are not installed while it is built."""
    name = "fluxcap_build_models"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module
