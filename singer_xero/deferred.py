"""Defers the import of libraries that the SDK imports for what most runs don't use.

They take a quarter of the time that the SDK's import takes: joblib, which drains several sinks at once,
universal_pathlib with fsspec, which stores batch files, and asyncio, with which backoff waits in coroutines.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

UNUSED = ("joblib", "upath")
"""Modules whose functions the SDK imports by name and calls later, if at all. A test makes it call them."""


class _Deferred:
    """Stands for a class or function of a module, which is imported when it is called."""

    def __init__(self, module: str, name: str) -> None:
        self._module, self._name = module, name

    def __call__(self, *args: Any, **options: Any) -> Any:
        return getattr(import_module(self._module), self._name)(*args, **options)


class _Module(ModuleType):
    """Stands for a module while others import names of it."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # the import system looks for its own attributes
            raise AttributeError(name)
        return _Deferred(self.__name__, name)


@contextmanager
def deferred(*modules: str) -> Iterator[None]:
    """Let `from module import name` give something that imports the module when it is called.

    Modules that were imported before stay as they are. After the context, an import gives the module itself.
    """
    absent = [name for name in modules if name not in sys.modules]
    sys.modules.update({name: _Module(name) for name in absent})
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


def import_sdk() -> None:
    """Import the SDK without the modules in `UNUSED`, and backoff without asyncio; later imports find them."""
    with deferred("asyncio"):
        import_module("backoff")
    with deferred(*UNUSED):
        import_module("singer_sdk")
