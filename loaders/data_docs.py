"""Data Docs that are readable without a network.

Great Expectations writes pages that fetch style sheets, fonts and scripts from public hosts. Here everything
that would be fetched is taken out and one small style sheet of ours is put in. The content is in the pages but for
their index, which a script filled; it is replaced. The sites of both layers stand under one index of ours.
"""

from __future__ import annotations

import contextlib
import html
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from loaders.builds import LAYERS

_FETCHES = (
    re.compile(r"<script\b.*?</script\s*>", re.DOTALL | re.IGNORECASE),
    re.compile(r"<link\b[^>]*>", re.IGNORECASE),
    re.compile(r"<img\b[^>]*\bsrc\s*=\s*[\"']?(?:https?:)?//[^>]*>", re.IGNORECASE),
    re.compile(r"<iframe\b.*?</iframe\s*>", re.DOTALL | re.IGNORECASE),
    re.compile(r"<footer\b.*?</footer\s*>", re.DOTALL | re.IGNORECASE),
    re.compile(r"@import\s+[^;]*;", re.IGNORECASE),
)
_OUTSIDE_LINK = re.compile(r"(<a\b[^>]*?)\s+href\s*=\s*([\"'])(?:https?:)?//.*?\2", re.DOTALL | re.IGNORECASE)
_OUTSIDE_URL = re.compile(r"url\(\s*[\"']?(?:https?:)?//[^)]*\)", re.IGNORECASE)

_STYLE = """
:root{color-scheme:light}
body{font:15px/1.5 system-ui,"Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif;margin:0 auto;
  max-width:76rem;padding:1rem 1.5rem;color:#1c2430;background:#fff}
a{color:#0b57a4}table{border-collapse:collapse;width:100%;margin:.6rem 0}
th,td{border:1px solid #d5dae1;padding:.35rem .55rem;text-align:left;vertical-align:top;overflow-wrap:break-word}
th{background:#f2f5f9}h1,h2,h3,h4,h5{line-height:1.25;margin:1.2rem 0 .4rem}
ul{padding-left:1.2rem}nav ul,ol.breadcrumb{list-style:none;padding:0}
.breadcrumb li{display:inline;margin-right:.8rem}.badge{background:#eef1f5;padding:0 .35rem;border-radius:.25rem}
.text-success{color:#1a7f37}.text-danger{color:#b42318}.text-warning{color:#9a6700}
.fa-check-circle::before,.fa-check::before{content:"\\2713"}.fa-times::before{content:"\\2717"}
.fa-exclamation-triangle::before{content:"\\26A0"}.failed{color:#b42318;font-weight:600}.passed{color:#1a7f37}.word{white-space:nowrap}
.modal,.tooltip,#walkthroughModal,.walkthrough-links,.navigation-button,.filter-control,button,
input,label{display:none}
"""


@contextlib.contextmanager
def replace_site(data_docs: Path, layer: str) -> Iterator[Path]:
    """A folder to write a site into; at the end it is made offline and takes the place of the old one."""
    with replace_folder(data_docs / layer) as staged:
        yield staged
        make_offline(staged)


@contextlib.contextmanager
def replace_folder(folder: Path) -> Iterator[Path]:
    """A folder to write into; at the end it takes the place of the old one, which stays when the caller fails."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    staged, old = (folder.with_name(f"{prefix}{folder.name}") for prefix in (".new-", ".old-"))
    for leftover in (staged, old):
        shutil.rmtree(leftover, ignore_errors=True)
    staged.mkdir()
    yield staged
    if folder.exists():
        os.replace(folder, old)
    os.replace(staged, folder)
    shutil.rmtree(old, ignore_errors=True)


def make_offline(folder: Path) -> None:
    """Take out of every page what would be fetched from elsewhere, and style it."""
    # Fonts and logos of the package, 4 MB, of which no page is left that asks for them.
    shutil.rmtree(folder / "static", ignore_errors=True)
    _write_site_index(folder)
    for page in folder.rglob("*.html"):
        page.write_text(offline_html(page.read_text("utf-8")), "utf-8")


def offline_html(page: str) -> str:
    """A page that fetches nothing."""
    for pattern in _FETCHES:
        page = pattern.sub("", page)
    page = _OUTSIDE_URL.sub("none", _OUTSIDE_LINK.sub(r"\1", page))
    head, separator, rest = page.partition("</head>")
    return f"{head}<style>{_STYLE}</style>{separator}{rest}" if separator else page


def _write_site_index(folder: Path) -> None:
    lines = ["<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Gongkai: checks</title></head><body>"]
    for part, title in (("validations", "Results · 结果"), ("expectations", "Rules · 规则")):
        lines.append(f"<h1>{title}</h1><ul>")
        for page in sorted((folder / part).rglob("*.html"), key=lambda path: path.name):
            target = page.relative_to(folder).as_posix()
            name = (
                page.stem.removeprefix("work-") if part == "validations" else ".".join(page.parts[-2:])[: -len(".html")]
            )
            lines.append(f"<li><a href='{html.escape(target)}'>{html.escape(name)}</a></li>")
        lines.append("</ul>")
    lines.append("<p><a href='../index.html'>All checks · 全部检查</a></p></body></html>\n")
    (folder / "index.html").write_text("\n".join(lines), "utf-8")


def write_index(data_docs: Path, rows: Sequence[tuple[str, str, str, str, bool, str | None]]) -> None:
    """The page that opens first: one line an expectation of both layers.

    Args:
        data_docs: the folder of the Data Docs.
        rows: suite, expectation, severity, description, whether it holds, what was observed.
    """
    failed = [row for row in rows if not row[4]]
    blocking = sum(row[2] == "critical" for row in failed)
    lines = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Gongkai: checks</title>",
        f"<style>{_STYLE}</style></head><body><h1>Checks · 数据检查</h1>",
        f"<p>{len(rows)} expectations, {len(failed)} do not hold, {blocking} of them critical.</p><ul>",
    ]
    for layer in LAYERS:
        if (data_docs / layer / "index.html").is_file():
            lines.append(f"<li><a href='{layer}/index.html'>{layer}: all details</a></li>")
    lines.append("</ul><table><tr><th>suite</th><th>expected</th><th>severity</th><th>result</th><th>met</th></tr>")
    for suite, kind, severity, description, success, observed in sorted(rows, key=lambda row: (row[4], row[0])):
        verdict = ("passed", "holds") if success else ("failed", "does not hold")
        lines.append(
            f"<tr><td class='word'>{html.escape(suite)}</td><td>{html.escape(description)}<br>"
            f"<small>{html.escape(kind)}</small></td><td class='word'>{html.escape(severity)}</td>"
            f"<td class='word {verdict[0]}'>{verdict[1]}</td><td>{html.escape(observed or '')}</td></tr>"
        )
    lines.append("</table></body></html>\n")
    temporary = data_docs / ".index.html.new"
    temporary.write_text("\n".join(lines), "utf-8")
    os.replace(temporary, data_docs / "index.html")
