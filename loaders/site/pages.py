"""The templates: how content becomes pages that need no network and no other file.

Everything that comes from a document is escaped by the template engine, and signs that a page may not hold are
replaced before. Style and script stand in every page; a content security policy admits that one script and nothing
from elsewhere. Both languages stand in every page; which one is shown is a choice of the reader that works without the
script.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from loaders.inspect_html import UNPRINTABLE
from loaders.settings import plain_number
from loaders.site.words import Words, code_words, column_words, statement_words

TEMPLATES = Path(__file__).with_name("templates")


def render(template: str, **content: Any) -> str:
    """One page."""
    return _environment().get_template(template).render(**content)


def both(words: Words | None) -> Markup:
    """Words in both languages, each marked as what it is; once where one text serves both."""
    if words is None:
        return Markup("")
    zh, en = (escape(clean(text)) for text in (words.zh, words.en))
    if words.is_same:
        return zh
    return Markup('<span class="zh" lang="zh-CN">{}</span><span class="en" lang="en">{}</span>').format(zh, en)


def clean(value: Any) -> Any:
    """A text without the signs that a page may not hold; anything else as it is."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return UNPRINTABLE.sub("\ufffd", value)
    return "—" if value is None else value


def table_cell(column: str, row: dict[str, Any]) -> Markup:
    """A value of a register in the words of the site."""
    if column == "statement":
        return both(statement_words(row["statement_zh"], row["statement_en"]))
    if column == "legal_basis":
        return both(Words(row["legal_basis_zh"] or "—", row["legal_basis_en"] or "—"))
    if column == "sides":
        left, right = (_plain(row[name]) for name in ("left_value", "right_value"))
        sides = Markup('<b class="sides">{}</b> {} <b class="sides">{}</b>').format(left, row["relation"], right)
        return sides + both(Words("不成立", " does not hold"))
    value = row[column]
    if isinstance(value, str):
        if column in ("left_evidence", "right_evidence"):
            return _lines(value.split("；"))
        if column == "snippets":
            return _lines(value.split(" ｜ "))
        if column == "severity" or column.endswith(("_code", "_codes", "status", "_kind", "_doubt")):
            return both(code_words(column, value))
    return escape(clean(_plain(value)))


def is_number(data_type: str) -> bool:
    """Whether a column of a database type is sorted as a number."""
    return data_type.startswith(("DECIMAL", "DOUBLE", "FLOAT")) or data_type.endswith("INT") or data_type == "INTEGER"


def _lines(texts: list[str]) -> Markup:
    return Markup("").join(Markup("<q>{}</q>").format(clean(text)) for text in texts)


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
        words=Words,
        column_words=column_words,
        code_words=code_words,
        table_cell=table_cell,
        is_number=is_number,
        moment=moment,
        script=Markup(script),
        script_hash=f"sha256-{digest}",
        style=Markup((TEMPLATES / "site.css").read_text("utf-8")),
    )
    return environment
