"""What makes a release citable and readable by programs that know nothing of Gongkai.

In: the folder of a release with its CSV files, and the dictionary. Out, in that folder::

    datapackage.json   Data Package 2.0: every CSV file with its schema, keys, row count, size and checksum
    dataset.jsonld     the same release as a schema.org Dataset, for search engines and catalogues
    CITATION.cff       how to cite it
    dictionary.csv     every column in both languages
    LICENSE            the licence of the compilation

Schemas come from the contracts by way of :mod:`loaders.dictionary`. A null is nothing between two commas.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from loaders.dictionary import ColumnEntry, TableEntry, dictionary_csv
from loaders.errors import GongkaiError
from loaders.table_files import describe_file
from loaders.vocabulary import PROJECT_ROOT

PACKAGE_FILES = ("datapackage.json", "dataset.jsonld", "CITATION.cff", "dictionary.csv", "LICENSE")
TITLE_ZH = "公开：政府信息公开工作年度报告数据"
TITLE_EN = "Gongkai: China's government-information-disclosure annual reports as data"
_ABOUT_ZH = (
    "各级行政机关政府信息公开工作年度报告中的数字，逐格读成数据：每个数字都能回到原文，每份文件都有交代，"
    "每次发布都先经过检查。空白不等于零。"
)
_ABOUT_EN = (
    "The figures of the annual reports of China's administrative bodies on government information disclosure, read "
    "cell by cell: every figure leads back to the printed text, every document is accounted for, and nothing is "
    "published unchecked. A blank is not a zero."
)
_KEYWORDS = ("政府信息公开", "年度报告", "依申请公开", "freedom of information", "annual reports", "China")
_LICENSE_NAME = "Apache-2.0"
_LICENSE_URL = "https://www.apache.org/licenses/LICENSE-2.0"
_MAKER = "Gongkai 公开"
_PROFILE = "https://datapackage.org/profiles/2.0"
_TYPES = {
    "VARCHAR": "string",
    "INTEGER": "integer",
    "BIGINT": "integer",
    "HUGEINT": "integer",
    "DOUBLE": "number",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "datetime",
}
_MEDIA_TYPES = {
    "csv": "text/csv",
    "gz": "application/gzip",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "duckdb": "application/vnd.duckdb",
}


@dataclass(frozen=True, slots=True)
class Imprint:
    """A release as others cite it; the years are those of its figures, None where it has none."""

    release_id: str
    created_at: str
    version: str
    first_year: int | None
    last_year: int | None


# The CSV files of each table, one or one a year, below the folder of the release, with their rows.
Parts = Mapping[str, Sequence[tuple[str, int]]]


def write_package(folder: Path, tables: list[TableEntry], parts: Parts, imprint: Imprint) -> None:
    """Write the files of :data:`PACKAGE_FILES` beside the CSV files of a release."""
    (folder / "datapackage.json").write_text(_as_json(describe_package(folder, tables, parts, imprint)), "utf-8")
    (folder / "dataset.jsonld").write_text(_as_json(_describe_dataset(folder, tables, imprint)), "utf-8")
    citation = yaml.safe_dump(_describe_citation(imprint), allow_unicode=True, sort_keys=False, width=100)
    (folder / "CITATION.cff").write_text(citation, "utf-8")
    # Spreadsheets take Chinese for garbage without a byte order mark.
    (folder / "dictionary.csv").write_text(dictionary_csv(tables), "utf-8-sig")
    shutil.copyfile(PROJECT_ROOT / "LICENSE", folder / "LICENSE")


def describe_package(folder: Path, tables: list[TableEntry], parts: Parts, imprint: Imprint) -> dict[str, Any]:
    """The release as a Data Package; a file a year is a resource of its own."""
    whole = {name for name, files in parts.items() if not any(_year(name, path) for path, _ in files)}
    return {
        "$schema": f"{_PROFILE}/datapackage.json",
        "name": "gongkai",
        "id": f"gongkai-{imprint.release_id}",
        "title": f"{TITLE_ZH} · {TITLE_EN}",
        "description": f"{_ABOUT_ZH}\n\n{_ABOUT_EN}",
        "version": imprint.release_id,
        "created": imprint.created_at,
        "keywords": list(_KEYWORDS),
        "licenses": [{"name": _LICENSE_NAME, "path": _LICENSE_URL, "title": "Apache License 2.0"}],
        "contributors": [{"title": _MAKER, "roles": ["publisher"]}],
        "sources": [{"title": "政府信息公开工作年度报告, the reports that the bodies themselves published"}],
        "resources": [
            _describe_resource(describe_file(folder, folder / path), rows, table, whole)
            for table in tables
            for path, rows in parts[table.name]
        ],
    }


def _describe_resource(
    file: dict[str, str | int], rows: int, table: TableEntry, whole: Collection[str]
) -> dict[str, Any]:
    path = str(file["path"])
    year = _year(table.name, path)
    resource: dict[str, Any] = {
        "$schema": f"{_PROFILE}/dataresource.json",
        "name": f"{table.name}-{year}" if year else table.name,
        "type": "table",
        "title": " · ".join(filter(None, (table.title.zh, table.title.en, year))),
        "description": f"{table.about.zh}\n\n{table.about.en}",
        "path": path,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": file["bytes"],
        "hash": f"sha256:{file['sha256']}",
        "rows": rows,
        "schema": _describe_schema(table, whole),
    }
    if path.endswith(".gz"):
        resource["compression"] = "gz"
    return resource


def _year(table: str, path: str) -> str:
    """The year of a file that lies in a folder of its table; empty for the file of a whole table."""
    file = PurePosixPath(path)
    return file.name.partition(".")[0] if file.parent.name == table else ""


def _describe_schema(table: TableEntry, whole: Collection[str]) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "$schema": f"{_PROFILE}/tableschema.json",
        "fields": [_describe_field(column) for column in table.columns],
        "missingValues": [""],
    }
    if table.key:
        schema["primaryKey"] = list(table.key)
    if unique := [list(grain) for grain in table.grains if grain != table.key]:
        schema["uniqueKeys"] = unique
    keys = [
        {
            "fields": [column.name],
            # A table refers to itself by an empty name.
            "reference": {
                "resource": "" if column.reference.table == table.name else column.reference.table,
                "fields": [column.reference.column],
            },
        }
        for column in table.columns
        # A table of several files is no resource that could be referred to.
        if column.reference is not None and column.reference.table in whole
    ]
    if keys:
        schema["foreignKeys"] = keys
    return schema


def _describe_field(column: ColumnEntry) -> dict[str, Any]:
    kind = "number" if column.type.startswith("DECIMAL(") else _TYPES.get(column.type)
    if kind is None:
        raise GongkaiError(f"{column.name} has the type {column.type}, which the data package does not know yet")
    field: dict[str, Any] = {
        "name": column.name,
        "type": kind,
        "title": f"{column.label.zh} · {column.label.en}",
        "description": "\n\n".join(text for text in (column.about.zh, column.about.en) if text),
    }
    if column.type == "TIMESTAMP":
        field["format"] = "any"  # with fractions of a second where there are any
    if column.unit:
        field["unit"] = column.unit
    constraints: dict[str, Any] = {}
    if column.is_required:
        constraints["required"] = True
    if column.allowed:
        constraints["enum"] = list(column.allowed)
    if constraints:
        field["constraints"] = constraints
    return field


def _describe_dataset(folder: Path, tables: list[TableEntry], imprint: Imprint) -> dict[str, Any]:
    parts = [path for name in ("csv", "parquet", "xlsx") for path in sorted((folder / name).rglob("*.*"))]
    parts += sorted(folder.glob("*.duckdb"))
    dataset: dict[str, Any] = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "name": TITLE_EN,
        "alternateName": TITLE_ZH,
        "description": f"{_ABOUT_EN} {_ABOUT_ZH}",
        "identifier": f"gongkai-{imprint.release_id}",
        "version": imprint.release_id,
        "datePublished": imprint.created_at[:10],
        "dateModified": imprint.created_at,
        "inLanguage": ["zh-CN", "en"],
        "license": _LICENSE_URL,
        "isAccessibleForFree": True,
        "creator": {"@type": "Organization", "name": _MAKER},
        "keywords": list(_KEYWORDS),
        "spatialCoverage": {"@type": "Place", "name": "中华人民共和国"},
        "variableMeasured": [
            {"@type": "PropertyValue", "name": column.name, "description": column.label.en, "unitText": column.unit}
            for table in tables
            for column in table.columns
            if column.unit
        ],
        "distribution": [
            {
                "@type": "DataDownload",
                "contentUrl": file["path"],
                "encodingFormat": _MEDIA_TYPES[path.suffix.removeprefix(".")],
                "contentSize": f"{file['bytes']} B",
                "sha256": file["sha256"],
            }
            for path in parts
            for file in (describe_file(folder, path),)
        ],
    }
    if imprint.first_year is not None:
        dataset["temporalCoverage"] = f"{imprint.first_year}/{imprint.last_year}"
    return dataset


def _describe_citation(imprint: Imprint) -> dict[str, Any]:
    return {
        "cff-version": "1.2.0",
        "message": (
            "Cite a release with its version: figures change between releases. "
            "To cite a body, cite the report that it published, named in dim_report."
        ),
        "type": "dataset",
        "title": f"{TITLE_EN} ({TITLE_ZH})",
        "authors": [{"name": _MAKER}],
        "version": imprint.release_id,
        "date-released": imprint.created_at[:10],
        "license": _LICENSE_NAME,
        "abstract": f"{_ABOUT_EN} {_ABOUT_ZH}",
        "keywords": list(_KEYWORDS),
    }


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
