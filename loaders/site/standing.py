"""Pages that stand: one of an earlier site is taken over where it would be made of the same again.

A long register has many pages, and a refresh changes the rows of few. A page says at its end what it was made of (the
code, what is shown, the rows) and the checksum of itself; it is taken over where both still hold, and only its footer,
which names the site it belongs to, is written anew. So what somebody changed in a page by hand never gets into another.
"""

from __future__ import annotations

import contextlib
import hashlib
import html
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from loaders.site.pages import TEMPLATES
from loaders.version import build_fingerprint, content_hash

if TYPE_CHECKING:
    import duckdb

    from loaders.site.registers import RegisterTable

_FOOTER = re.compile(rb"<footer>.*?</footer>", re.DOTALL)
_MARK = b"\n<!-- made of "
_KEY = re.compile(rb'<tr id="([^"]+)">')


@cache
def code_token() -> str:
    """What stands for the code, the seeds and the templates that pages are made by."""
    return content_hash(TEMPLATES.iterdir(), TEMPLATES, build_fingerprint())


def year_tokens(con: duckdb.DuckDBPyConnection, table: RegisterTable) -> dict[int | None, str]:
    """A token of the rows of each year of a register; of all under none where it has no years."""
    year = "report_year" if "report_year" in table.types else "cast(null as integer)"
    row = ", ".join(f'"{column}"' for column in table.types)
    found = con.execute(
        f"select {year} as year, count(*), sum(hash({row})) from {table.register.relation} group by year"
    ).fetchall()
    return {year: f"{count} {total}" for year, count, total in found}


def made_of(*content: object) -> str:
    """What a page is made of, as one token; ``content`` is told apart by its representation."""
    return hashlib.sha256(repr((code_token(), content)).encode()).hexdigest()


def marked(page: bytes, token: str) -> bytes:
    """A page with what it was made of at its end."""
    return page + _mark(page, token)


def take_over(path: Path, token: str, footer: bytes) -> bytes | None:
    """The page of an earlier site with another footer; None when it is not there, of something else or not whole."""
    with contextlib.suppress(FileNotFoundError):
        content = path.read_bytes()
        page = content[: content.rfind(_MARK)]
        if content == page + _mark(page, token):
            return marked(_FOOTER.sub(lambda _: footer, page), token)
    return None


def row_keys(page: bytes) -> list[str]:
    """The keys of the rows of a page."""
    return [html.unescape(key.decode()) for key in _KEY.findall(page)]


def _mark(page: bytes, token: str) -> bytes:
    return _MARK + f"{token}, {hashlib.sha256(page).hexdigest()} -->\n".encode()
