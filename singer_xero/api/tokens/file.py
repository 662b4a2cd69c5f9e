"""Tokens in a file, which is always replaced as a whole.

A refresh token works once, so its successor must be on disk before it is used. Meltano gives a plugin a temporary
configuration file, and the SDK can't write settings back, so the tokens have a file of their own, which tap and target
share. A process that refreshes holds the lock beside it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from singer_xero.api.errors import TokenStoreError, UnusableSetting
from singer_xero.api.storage import private_files
from singer_xero.api.storage.paths import default_folder, filled_in
from singer_xero.api.tokens.model import Kept

_VERSION = 1
# A refresh takes much less time, including its retries.
_LOCK_WAIT = 900.0
# Bytes for the successors of the tokens in the file; an access token of Xero's has 1 to 2 KB.
_ROOM = 16_384

_IN_TIME = " Then run again within 30 minutes: until then, Xero accepts the refresh token that was just used."
_MEND = "Set token_path to a writable file in a persistent folder."


@dataclass
class _File:
    version: int
    clients: dict[str, Kept] = field(default_factory=dict)

    def __bytes__(self) -> bytes:
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


def default_path() -> str:
    """The file in the Meltano project, or else in the user's state folder."""
    return str(default_folder("token_path") / "xero-tokens.json")


def expanded(path: str) -> Path:
    """The path with `~` and $VARIABLES expanded; raises TokenStoreError if one is not set."""
    try:
        return Path(filled_in(path, "token_path")).absolute()
    except UnusableSetting as error:
        raise TokenStoreError(error.words, advice=error.advice) from None


class TokenStore:
    """The file of tokens: one entry per client id, readable by its owner alone."""

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self.path = expanded(os.fspath(path) if path else default_path())

    def read(self, client_id: str) -> Kept | None:
        """The app's tokens; None if there are none. Needs no lock, since the file is always replaced as a whole."""
        return self._load().clients.get(client_id)

    @contextmanager
    def locked(self, client_id: str = "") -> Iterator[None]:  # noqa: ARG002
        """Lock the whole file, for any app. Read again inside: another process may have refreshed."""
        with ExitStack() as held:
            try:
                held.enter_context(private_files.locked(self.path, _LOCK_WAIT))
            except private_files.LockHeld as lock:
                raise TokenStoreError(
                    f"another process has held {lock.path} for {_LOCK_WAIT / 60:.0f} minutes",
                    advice="End that process, or remove the file if none holds it.",
                ) from None
            except OSError as error:
                raise self._unwritable(error) from None
            yield

    @contextmanager
    def successor(self, client_id: str) -> Iterator[Callable[[Kept | None], None]]:
        """Under the lock: prove that an entry can be stored before its predecessor is used, and yield `keep(kept)`.

        It replaces the file by itself, which fails for a single file mounted into a container, and reserves disk space.
        The entry is on disk when `keep` returns; `keep(None)` deletes it.
        """
        held = self._load()
        try:
            with self._new_file(0) as replace:
                replace(bytes(held))
            with self._new_file(len(bytes(held)) + _ROOM) as replace:

                def keep(kept: Kept | None) -> None:
                    if kept is None:
                        held.clients.pop(client_id, None)
                    else:
                        held.clients[client_id] = kept
                    try:
                        replace(bytes(held))
                    except OSError as error:
                        raise self._unwritable(error, _IN_TIME) from None

                yield keep
        except OSError as error:
            raise self._unwritable(error) from None

    def _load(self) -> _File:
        try:
            content = private_files.read(self.path)
            # A mounted file may be empty.
            found = msgspec.json.decode(content, type=_File) if content.strip() else _File(_VERSION)
        except FileNotFoundError:
            return _File(_VERSION)
        except OSError as error:
            raise TokenStoreError(
                f"the tokens in {self.path} can't be read: {error.strerror or error}", advice=_MEND
            ) from None
        except (msgspec.DecodeError, UnicodeDecodeError):
            found = _File(0)
        if found.version != _VERSION:
            raise TokenStoreError(
                f"{self.path} is damaged, or not a token file of this version",
                advice="Move it away and run `xero-login`, or put a new refresh_token into the configuration.",
            )
        return found

    @contextmanager
    def _new_file(self, room: int) -> Iterator[Callable[[bytes], None]]:
        """A new file beside the real one with `room` bytes reserved; yields a function that replaces the real one."""
        # The name is fixed: the lock protects it, and the file of a killed process is overwritten.
        new = self.path.with_name(f".{self.path.name}.new")
        try:
            with os.fdopen(private_files.create(new), "wb") as space:
                space.write(b" " * room)
                space.flush()
                os.fsync(space.fileno())

                def replace(content: bytes) -> None:
                    space.seek(0)
                    space.write(content)
                    space.truncate()
                    space.flush()
                    os.fsync(space.fileno())
                    space.close()
                    new.replace(self.path)
                    self._sync_folder()

                yield replace
        finally:
            with suppress(OSError):
                new.unlink(missing_ok=True)

    def _sync_folder(self) -> None:
        if os.name == "nt":  # pragma: no cover  (Windows can't open a folder)
            return
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _unwritable(self, error: OSError, hurry: str = "") -> TokenStoreError:
        return TokenStoreError(
            f"the tokens can't be stored in {self.path}: {error.strerror or error}", advice=_MEND + hurry
        )
