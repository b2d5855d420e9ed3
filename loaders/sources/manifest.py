"""``manifest.csv``: what a person knows about documents.

UTF-8 (with or without a byte order mark), a header, one row a document::

    path,url,agency_name,report_year,published_date,scope,source_uri
    2023/xx.html,,某县人民政府,2023,2024-01-28,own,
    ,http://www.example.gov.cn/gkbg/2022.html,某县人民政府,2022,,own,

``path`` is relative to the manifest, ``url`` an http(s) address, which may stand in ``path`` as well; a row has one of
both. The other columns may be missing or empty. An unknown column, a value
that cannot be understood or a document listed twice is refused with its line, since a hint that is silently
dropped would be worse than none. A row whose file is missing, or lies outside the manifest's folder, is a
document that is accounted for as rejected.
"""

from __future__ import annotations

import csv
import io
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from loaders.errors import UsageError
from loaders.model import Hints, Scope
from loaders.sources.addresses import check_address, file_name, is_address
from loaders.sources.document import SourceDocument, path_uri

MANIFEST_NAME = "manifest.csv"
COLUMNS = ("path", "url", "agency_name", "report_year", "published_date", "scope", "source_uri")


@dataclass(frozen=True, slots=True)
class Row:
    """What a line of a manifest says: of which path, as printed and as a path, and the hints, null when none.

    ``address`` is set where the document is on the web; the path is then only a name.
    """

    number: int
    text: str
    path: Path
    hints: Hints | None
    address: str | None = None


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
    try:
        data = manifest.read_bytes()
    except OSError as error:
        raise UsageError(f"{manifest}: {error.strerror}") from error
    return [_document(manifest, row) for row in read_rows(manifest, data)]


def read_rows(manifest: Path, data: bytes) -> list[Row]:
    """The rows of a manifest; ``manifest`` says where it stands and need not be a file.

    Raises:
        UsageError: when the manifest cannot be understood.
    """
    rows: list[Row] = []
    first_lines: dict[Path | str, int] = {}
    for line in _read_lines(manifest, data):
        column, text = _named(line)
        address = _parse_address(line, column, text)
        path = manifest.parent / text if address is None else Path(file_name(address))
        first = first_lines.setdefault(normal_path(path) if address is None else address, line.number)
        if first != line.number:
            raise line.refuse(column, f"it stands in line {first} already; keep one row")
        rows.append(Row(line.number, text, path, _hints(line), address))
    return rows


def _named(line: _Line) -> tuple[str, str]:
    """Which column names the document, and how."""
    path, address = line.values.get("path", ""), line.values.get("url", "")
    if path and address:
        raise line.refuse("url", "the row has a path, too; keep one of both (source_uri says where a file came from)")
    if not path and not address:
        raise line.refuse("path", "every row needs a path relative to the manifest, or a url")
    return ("url", address) if address else ("path", path)


def _parse_address(line: _Line, column: str, text: str) -> str | None:
    if column == "path" and not is_address(text):
        return None
    if not is_address(text):
        raise line.refuse(column, "wanted an http(s) address")
    try:
        return check_address(text)
    except ValueError as error:
        raise line.refuse(column, str(error)) from None


def normal_path(path: Path) -> Path:
    """A path without ``.`` and ``..``, for comparing; links are not resolved."""
    return Path(os.path.abspath(path))


def _read_lines(manifest: Path, data: bytes) -> list[_Line]:
    try:
        with io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", newline="") as file:
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
    except UnicodeDecodeError as error:
        raise UsageError(f"{manifest}: not UTF-8 at byte {error.start}; save it as CSV UTF-8") from error
    except csv.Error as error:
        raise UsageError(f"{manifest}: not a CSV file ({error})") from error
    return lines


def _check_columns(manifest: Path, columns: list[str]) -> None:
    unknown = [name for name in columns if name not in COLUMNS]
    if not {"path", "url"}.intersection(columns) or unknown or len(set(columns)) != len(columns):
        met = ", ".join(columns) or "nothing"
        raise UsageError(
            f"{manifest}: its columns are {met}; wanted path or url and, if known, {', '.join(COLUMNS[2:])}"
        )


def _hints(line: _Line) -> Hints | None:
    hints = Hints(
        agency_name=line.values.get("agency_name") or None,
        report_year=_parse_year(line),
        published_date=_parse_date(line),
        scope=_parse_scope(line),
        source_uri=line.values.get("source_uri") or None,
    )
    return hints if hints != Hints() else None


def _document(manifest: Path, row: Row) -> SourceDocument:
    if row.address is not None:
        source_uri = (row.hints.source_uri if row.hints else None) or row.text
        return SourceDocument(row.path, source_uri, row.hints, address=row.address)
    source_uri = (row.hints.source_uri if row.hints else None) or path_uri(row.path)
    where = f"{manifest} line {row.number}: {row.text}"
    if not os.path.lexists(row.path):
        return SourceDocument(row.path, source_uri, row.hints, "manifest_file_missing", f"{where} is not there")
    if not _lies_below(manifest.parent, row.path):
        message = f"{where} leads out of the manifest's folder"
        return SourceDocument(row.path, source_uri, row.hints, "unreadable_file", message)
    return SourceDocument(row.path, source_uri, row.hints)


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
