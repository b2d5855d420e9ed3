"""The templates: how content becomes pages that need no network and no other file.

Everything that comes from a document is escaped by the template engine, and signs that a page may not hold are
replaced before. Style and script stand in every page; a content security policy admits that one script and nothing
from elsewhere. Both languages stand in every page; which one is shown is a choice of the reader that works without the
script.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from loaders.dictionary import Texts
from loaders.inspect_html import UNPRINTABLE
from loaders.settings import plain_number
from loaders.site.registers import RegisterTable
from loaders.site.words import Words, code_words, column_words, statement_words

TEMPLATES = Path(__file__).with_name("templates")
Row = dict[str, Any]

_TYPED = re.compile("`([^`]+)`")
_CHIPS = ("severity", "status")
# Columns that hold several texts, and what stands between them.
_LISTS = {"left_evidence": "；", "right_evidence": "；", "snippets": " ｜ "}


def render(template: str, **content: Any) -> str:
    """One page."""
    return _environment().get_template(template).render(**content)


def both(words: Words | Texts | None) -> Markup:
    """Words in both languages, each marked as what it is; once where one text serves both."""
    return Markup("") if words is None else Markup(_both(words.zh, words.en))


def prose(words: Words) -> Markup:
    """Words in both languages, with `what is to be typed` set off."""
    return Markup(_TYPED.sub(r"<code>\1</code>", _both(words.zh, words.en)))


@lru_cache(maxsize=4096)
def _both(zh: str, en: str) -> str:
    if zh == en:
        return _text(zh)
    return f'<span class="zh" lang="zh-CN">{_text(zh)}</span><span class="en" lang="en">{_text(en)}</span>'


def clean(value: Any) -> Any:
    """A text without the signs that a page may not hold; anything else as it is."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return UNPRINTABLE.sub("\ufffd", value)
    return "—" if value is None else value


def table_cell(column: str, row: Row) -> Markup:
    """A value of a register in the words of the site."""
    return Markup(_cell(column, row))


def table_rows(table: RegisterTable, rows: Sequence[Row]) -> Markup:
    """The rows of a register. They are many, so that no template is asked for each."""
    kinds = {column: _alignment(table.types.get(column, "")) for column in table.columns}
    key, show = table.register.key, _both("查看", "show")
    lines = []
    for row in rows:
        cells = [f"<td{kinds[column]}>{_chip(column, row)}</td>" for column in table.columns]
        if table.details:
            # What a detail is called stands once in the style of the page: see detail_style.
            details = "".join(
                f'<p class="d{number}">{_cell(column, row)}</p>'
                for number, column in enumerate(table.details)
                if row.get(column, "") is not None
            )
            cells.append(f"<td><details><summary>{show}</summary>{details}</details></td>")
        opening = f'<tr id="{_text(row[key])}">' if key else "<tr>"
        lines.append(f"{opening}{''.join(cells)}</tr>\n")
    return Markup("".join(lines))


def detail_style(table: RegisterTable) -> Markup:
    """The names of the details in both languages, as style."""
    rules = []
    for number, column in enumerate(table.details):
        words = column_words(column)
        for language, label in (("zh", words.zh), ("en", words.en)):
            # Escaped as a style sheet escapes, since a column may be called anything.
            text = "".join(f"\\{ord(sign):x} " for sign in label)
            rules.append(f'#{language}:checked ~ main .d{number}::before {{ content: "{text}" }}')
    return Markup("\n".join(rules))


def is_number(data_type: str) -> bool:
    """Whether a column of a database type is sorted as a number."""
    return data_type.startswith(("DECIMAL", "DOUBLE", "FLOAT")) or data_type.endswith("INT") or data_type == "INTEGER"


def _alignment(data_type: str) -> str:
    """Numbers stand in line at the right; a time is not broken over lines."""
    if is_number(data_type):
        return ' class="n"'
    return ' class="w"' if data_type.startswith(("DATE", "TIMESTAMP")) else ""


def _chip(column: str, row: Row) -> str:
    cell = _cell(column, row)
    return f'<span class="chip s-{_text(row[column])}">{cell}</span>' if column in _CHIPS and row[column] else cell


def _cell(column: str, row: Row) -> str:
    if column == "statement":
        return _statement(row["statement_zh"], row["statement_en"])
    if column in ("label", "legal_basis"):
        return _both(row[f"{column}_zh"] or "—", row[f"{column}_en"] or "—")
    if column == "sides":
        left, right = (_plain(row[name]) for name in ("left_value", "right_value"))
        fails = _both(" 不成立", " does not hold")
        return f'<span class="sides"><b>{left}</b> {_text(row["relation"])} <b>{right}</b>{fails}</span>'
    value = row[column]
    if isinstance(value, bool):
        return _both("是", "yes") if value else _both("否", "no")
    if isinstance(value, str):
        if column in _LISTS:
            return "".join(f"<q>{_text(text)}</q>" for text in value.split(_LISTS[column]))
        if column in _CHIPS or column.endswith(("_code", "_codes", "_kind", "_doubt")):
            return _code(column, value)
        return _text(value)
    return _text(_plain(value))


@lru_cache(maxsize=4096)
def _statement(statement_zh: str | None, statement_en: str | None) -> str:
    words = statement_words(statement_zh, statement_en)
    return _both(words.zh, words.en)


@lru_cache(maxsize=4096)
def _code(column: str, code: str) -> str:
    words = code_words(column, code)
    return _both(words.zh, words.en)


def _text(value: Any) -> str:
    return html.escape(UNPRINTABLE.sub("\ufffd", str(value)))


def _plain(value: Any) -> Any:
    if value is None:
        return "—"
    if isinstance(value, Decimal):
        return plain_number(value)
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return value.isoformat()
    return value


def moment(value: datetime) -> str:
    """A time as people read it; all times are UTC."""
    return f"{value:%Y-%m-%d %H:%M} UTC"


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=clean,
    )
    script = (TEMPLATES / "site.js").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    environment.globals.update(
        both=both,
        prose=prose,
        words=Words,
        column_words=column_words,
        code_words=code_words,
        table_cell=table_cell,
        table_rows=table_rows,
        detail_style=detail_style,
        is_number=is_number,
        moment=moment,
        script=Markup(script),
        script_hash=f"sha256-{digest}",
        style=Markup((TEMPLATES / "site.css").read_text("utf-8")),
    )
    return environment
