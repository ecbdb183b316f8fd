"""Empty packages in the place of those that are not installed, so that a trainer's own modules can be imported all the same.

They do nothing: whatever is asked of them is another stand-in. ``used`` tells which were asked for. Standard library only, as it
runs in the trainer's environment.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Iterable

used: set[str] = set()
"""The packages that a stand-in took the place of, as they were imported."""


class _Any(type):
    """A class that has every attribute, may be called, subscribed, compared, added up and subclassed."""

    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything

    def __getitem__(cls, item):
        return cls

    def __or__(cls, other):
        return cls

    __ror__ = __or__

    def __iter__(cls):
        return iter(())


class Anything(metaclass=_Any):
    """What every name in a stand-in is; as a decorator it gives back what it decorates."""

    def __new__(cls, *arguments, **options):
        decorated = arguments[0] if len(arguments) == 1 and not options else None
        if cls is Anything and isinstance(decorated, (types.FunctionType, type)):
            return decorated
        return object.__new__(cls)

    def __init__(self, *arguments, **options):
        pass

    def __call__(self, *arguments, **options):
        return Anything(*arguments, **options)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything

    def __iter__(self):
        return iter(())

    def __getitem__(self, item):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False

    def __bool__(self):
        return False

    def __gt__(self, other):
        return True

    __ge__ = __lt__ = __le__ = __gt__


class _Empty(types.ModuleType):
    def __getattr__(self, name):
        if name == "__version__":
            return "999.0"
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Last in line: a package that can be had is never replaced."""

    def __init__(self, packages: Iterable[str]) -> None:
        self.packages = frozenset(packages)

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in self.packages:
            return None
        used.add(name.partition(".")[0])
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return _Empty(spec.name)

    def exec_module(self, module):
        module.__path__ = []


def install(packages: Iterable[str]) -> None:
    """Stand in for those of ``packages`` that are not installed, from now on."""
    missing = [name for name in packages if name not in sys.modules and importlib.util.find_spec(name) is None]
    sys.meta_path.append(_Finder(missing))
