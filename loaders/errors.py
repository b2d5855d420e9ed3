"""Exceptions that a user may meet, one exit code a class. A message says what was met, where, and what next."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loaders.model import Identity


class GongkaiError(Exception):
    """Anything that stops a command with a message instead of a traceback."""

    exit_code = 1


class UsageError(GongkaiError):
    """The command line asks for something that cannot be."""

    exit_code = 2


class RejectedDocumentsError(GongkaiError):
    """Documents were rejected under ``--strict``."""

    exit_code = 3


class ChecksFailedError(GongkaiError):
    """A check failed; nothing was published."""

    exit_code = 4


class LockedError(GongkaiError):
    """Another run holds the warehouse."""

    exit_code = 5


class DocumentRejected(GongkaiError):
    """A document cannot become a report; ``reject_code`` is a row of the seed ``issue_codes``."""

    def __init__(self, reject_code: str, message: str, identity: Identity | None = None) -> None:
        """Refuse with a code and a message for people; ``identity`` where it is known whose report it is."""
        super().__init__(message)
        self.reject_code = reject_code
        self.identity = identity
