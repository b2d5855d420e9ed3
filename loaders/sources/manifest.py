"""``manifest.csv``: what a person knows about documents.

UTF-8 (with or without a byte order mark), a header, one row a document::

    path,agency_name,report_year,published_date,scope,source_uri
    2023/xx.html,某县人民政府,2023,2024-01-28,own,

``path`` is relative to the manifest; the other columns may be missing or empty. An unknown column, a value
that cannot be understood or a path listed twice is refused with its line, since a hint that is silently
dropped would be worse than none. A row whose file is missing, or lies outside the manifest's folder, is a
document that is accounted for as rejected.
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from loaders.errors import UsageError
from loaders.model import Hints, Scope
from loaders.sources.document import SourceDocument, path_uri

MANIFEST_NAME = "manifest.csv"
COLUMNS = ("path", "agency_name", "report_year", "published_date", "scope", "source_uri")


@dataclass(frozen=True, slots=True)
class _Line:
    manifest: Path
    number: int
    values: dict[str, str]

    def refuse(self, column: str, wanted: str) -> UsageError:
        met = self.values.get(column, "")
        return UsageError(f"{self.manifest} line {self.number}: {column} is {met!r}; {wanted}")


def list_manifest(manifest: Path) -> list[SourceDocument]:
    """The documents of a manifest in its order.

    Raises:
        UsageError: when the manifest cannot be understood.
    """
    documents: list[SourceDocument] = []
    first_lines: dict[Path, int] = {}
    for line in _read_lines(manifest):
        if not line.values["path"]:
            raise line.refuse("path", "every row needs a path relative to the manifest")
        path = manifest.parent / line.values["path"]
        first = first_lines.setdefault(normal_path(path), line.number)
        if first != line.number:
            raise line.refuse("path", f"it stands in line {first} already; keep one row")
        documents.append(_document(line, path))
    return documents


def normal_path(path: Path) -> Path:
    """A path without ``.`` and ``..``, for comparing; links are not resolved."""
    return Path(os.path.abspath(path))


def _read_lines(manifest: Path) -> list[_Line]:
    try:
        with manifest.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restkey="", strict=True)
            columns = [name.strip() for name in reader.fieldnames or ()]
            _check_columns(manifest, columns)
            lines = []
            for row in reader:
                if "" in row:
                    raise UsageError(f"{manifest} line {reader.line_num}: more cells than columns")
                values = {column: (value or "").strip() for column, value in zip(columns, row.values(), strict=True)}
                if any(values.values()):
                    lines.append(_Line(manifest, reader.line_num, values))
    except OSError as error:
        raise UsageError(f"{manifest}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{manifest}: not UTF-8 at byte {error.start}; save it as CSV UTF-8") from error
    except csv.Error as error:
        raise UsageError(f"{manifest}: not a CSV file ({error})") from error
    return lines


def _check_columns(manifest: Path, columns: list[str]) -> None:
    unknown = [name for name in columns if name not in COLUMNS]
    if "path" not in columns or unknown or len(set(columns)) != len(columns):
        met = ", ".join(columns) or "nothing"
        raise UsageError(f"{manifest}: its columns are {met}; wanted path and, if known, {', '.join(COLUMNS[1:])}")


def _document(line: _Line, path: Path) -> SourceDocument:
    hints = Hints(
        agency_name=line.values.get("agency_name") or None,
        report_year=_parse_year(line),
        published_date=_parse_date(line),
        scope=_parse_scope(line),
        source_uri=line.values.get("source_uri") or None,
    )
    source_uri = hints.source_uri or path_uri(path)
    known = hints if hints != Hints() else None
    if not os.path.lexists(path):
        message = f"{line.manifest} line {line.number}: {line.values['path']} is not there"
        return SourceDocument(path, source_uri, known, "manifest_file_missing", message)
    if not _lies_below(line.manifest.parent, path):
        message = f"{line.manifest} line {line.number}: {line.values['path']} leads out of the manifest's folder"
        return SourceDocument(path, source_uri, known, "unreadable_file", message)
    return SourceDocument(path, source_uri, known)


def _lies_below(folder: Path, path: Path) -> bool:
    try:
        return path.resolve(strict=True).is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # a dangling link or a loop of links
        return False


def _parse_year(line: _Line) -> int | None:
    text = line.values.get("report_year", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) == 4):
        raise line.refuse("report_year", "wanted four digits, e.g. 2023")
    return int(text)


def _parse_date(line: _Line) -> date | None:
    text = line.values.get("published_date", "")
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise line.refuse("published_date", "wanted a date like 2024-01-28") from None


def _parse_scope(line: _Line) -> Scope | None:
    text = line.values.get("scope", "")
    if not text:
        return None
    try:
        return Scope(text)
    except ValueError:
        raise line.refuse("scope", f"wanted one of {', '.join(Scope)}") from None
