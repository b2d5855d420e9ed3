"""The site of a warehouse: pages for people, readable from a disk, without a network, in Chinese and in English.

In: the work file as it was checked, the Data Docs and, where they were made, the page of dbt. Out: a folder::

    index.html                  what the data hold, the state of the checks, the way to everything else
    checks_<layer>.html         every rule of a layer; a failed one with its rows and their evidence
    register_<name>.html        a mart that people leaf through, with a page a year when its rows are many
    tables.html                 the data dictionary: tables and columns, in both languages
    accuracy.html               docs/accuracy.md
    data_docs/, models.html     copies of the pages of Great Expectations and dbt (in a release)

The same inputs give the same bytes: no clock is read. A page asks for nothing, not even from its own folder. What the
file does not have (no marts before the first build, no register whose mart is not built) has no page and no link.
"""

from __future__ import annotations

import dataclasses
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from loaders.checks import SEVERITIES
from loaders.data_docs import replace_folder
from loaders.dictionary import read_dictionary
from loaders.package import PACKAGE_FILES
from loaders.site.pages import both, render
from loaders.site.registers import RegisterTable, Section, count_rows, find_registers, read_rows
from loaders.site.results import LayerResult, read_results
from loaders.site.standing import made_of, marked, row_keys, take_over, year_tokens
from loaders.site.summary import read_summary
from loaders.site.words import Words
from loaders.version import PROJECT_ROOT
from loaders.warehouse import Warehouse, open_duckdb

if TYPE_CHECKING:
    import duckdb

ACCURACY = PROJECT_ROOT / "docs" / "accuracy.md"

_DATA_DOCS = "data_docs"
_MODELS_PAGE = "models.html"
_SHOWN_COUNTS = 30
# dbt writes the time into the manifest that its page carries.
_GENERATED_AT = re.compile(rb'"generated_at": ?"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)')
_LAYER_WORDS = {
    "raw": Words("原始读取结果", "Rows as read"),
    "marts": Words("供查询的数据表", "Tables for use"),
}
_LAYER_ABOUT = {
    "raw": Words(
        "建模之前，对逐份文件读出的原始行所作的检查：文件是否都有交代，机关、年度、数值、原文是否齐备合理。",
        "What is asked of the rows read from each document before anything is modelled: every document accounted for, "
        "bodies, years, figures and their print complete and plausible.",
    ),
    "marts": Words(
        "发布之前，对供查询的数据表所作的检查：途中有无丢失，数字是否合理，疑问是否在限度之内。",
        "What is asked of the tables before they are published: nothing lost on the way, figures plausible, doubts "
        "within bounds.",
    ),
}


@dataclass(frozen=True, slots=True)
class Edition:
    """A release as its pages name it."""

    release_id: str
    created_at: str
    version: str


@dataclass(frozen=True, slots=True)
class _Link:
    href: str
    words: Words


@dataclass(frozen=True, slots=True)
class _Card:
    href: str
    words: Words
    about: Words
    number: int | None = None


@dataclass(frozen=True, slots=True)
class _Beside:
    """Pages that others made, as links from ours: the folder of the Data Docs, the page of dbt."""

    data_docs: str | None
    models: str | None
    models_made: str | None
    files: tuple[_Card, ...] = ()


@dataclass(frozen=True, slots=True)
class _Group:
    words: Words
    cards: tuple[_Card, ...]


@dataclass(frozen=True, slots=True)
class _Site:
    """What every page of a site has in common."""

    origin: Words
    links: tuple[_Link, ...]

    @property
    def footer(self) -> Markup:
        """The end of a page: which site it belongs to."""
        return Markup("<footer>\n<p>{}</p>\n</footer>").format(both(self.origin))


def write_work_site(warehouse: Warehouse) -> Path:
    """Write the site of the work file as it is now, in the place of the old one.

    Raises:
        UsageError: when there is no work file.
        GongkaiError: when it cannot be opened.
    """
    con = warehouse.connect(read_only=True)
    try:
        with replace_folder(warehouse.site) as staged:
            _write(staged, con, None, _look_beside(warehouse.root, "../"), warehouse.site)
    finally:
        con.close()
    return warehouse.site


def write_release_site(target: Path, warehouse: Warehouse, edition: Edition) -> None:
    """Write the site of a release into a new folder, with the Data Docs and the page of dbt beside its pages.

    The pages are made from the work file, which also has the results of the checks, or are those of its own site; the
    caller has made sure that the release holds the same tables.
    """
    target.mkdir()
    if warehouse.data_docs.is_dir():
        shutil.copytree(warehouse.data_docs, target / _DATA_DOCS, ignore=shutil.ignore_patterns(".*"))
    if (warehouse.root / _MODELS_PAGE).is_file():
        shutil.copyfile(warehouse.root / _MODELS_PAGE, target / _MODELS_PAGE)
    con = open_duckdb(warehouse.work_file, read_only=True)
    try:
        beside = dataclasses.replace(_look_beside(target, ""), files=_file_cards(target.parent))
        _write(target, con, edition, beside, warehouse.site)
    finally:
        con.close()


def _look_beside(folder: Path, prefix: str) -> _Beside:
    data_docs, models = folder / _DATA_DOCS / "index.html", folder / _MODELS_PAGE
    made = _GENERATED_AT.search(models.read_bytes()) if models.is_file() else None
    return _Beside(
        data_docs=f"{prefix}{_DATA_DOCS}" if data_docs.is_file() else None,
        models=f"{prefix}{_MODELS_PAGE}" if models.is_file() else None,
        models_made=f"{made[1].decode()} {made[2].decode()} UTC" if made else None,
    )


def _write(
    folder: Path, con: duckdb.DuckDBPyConnection, edition: Edition | None, beside: _Beside, earlier: Path
) -> None:
    layers, tables = read_results(con), find_registers(con)
    cards = read_dictionary(con)
    accuracy = ACCURACY.read_text("utf-8") if ACCURACY.is_file() else None
    site = _Site(_origin(edition), tuple(_links(layers, tables, bool(cards), accuracy is not None)))

    def write(page: str, template: str, title: Words, **content: Any) -> None:
        (folder / page).write_text(render(template, site=site, page=page, title=title, **content), "utf-8")

    wanted = {row.finding_key for layer in layers for rule in layer.failed for row in rule.rows if row.finding_key}
    findings: dict[str, str] = {}
    for table in tables:
        for page, section, token in _register_pages(con, site, table):
            content = token and take_over(earlier / page, token, site.footer.encode())
            if not content:
                content = _register_page(con, site, table, page, section).encode()
                content = marked(content, token) if token else content
            (folder / page).write_bytes(content)
            if wanted and table.register.key:
                findings |= {key: page for key in row_keys(content) if key in wanted}
    for layer in layers:
        title = Words(f"检查结果：{_LAYER_WORDS[layer.layer].zh}", f"Checks: {_LAYER_WORDS[layer.layer].en.lower()}")
        write(
            layer.page,
            "checks.html",
            title,
            layer=layer,
            layer_about=_LAYER_ABOUT,
            findings=findings,
            data_docs=beside.data_docs,
        )
    if cards:
        write("tables.html", "tables.html", Words("数据表说明", "Tables and columns"), cards=cards)
    if accuracy is not None:
        write("accuracy.html", "text.html", Words("读取准确度", "Accuracy"), about=_ACCURACY, body=_markdown(accuracy))
    write(
        "index.html",
        "index.html",
        Words("首页", "Overview"),
        summary=read_summary(con),
        layers=layers,
        layer_words=_LAYER_WORDS,
        severities=SEVERITIES,
        groups=[
            _Group(Words("登记与清单", "Registers"), tuple(_register_card(table) for table in tables)),
            _Group(
                Words("依据与说明", "How it was checked, and what the data mean"),
                tuple(_document_cards(layers, bool(cards), accuracy is not None, beside)),
            ),
            *([_Group(Words("下载与引用", "Files, and how to cite them"), beside.files)] if beside.files else []),
        ],
    )


_ACCURACY = Words(
    "读取准确度的两项度量：一是整份真实或仿真报告，与人工录入的答案逐格比对；二是由程序印制并按已知方式破坏的报告，"
    "看读取在何处失效、是否无声地失效。“right”为读对，“missing”为未读出，“flagged”为读错但有提示，"
    "“silently wrong”为读错且无提示，必须为零。正文为英文。",
    "How well reports are read: whole documents compared with keyed truth, and generated documents spoiled in "
    "known ways.",
)


def _origin(edition: Edition | None) -> Words:
    if edition is None:
        return Words("工作库的当前状态，尚未发布。", "The work file as it is now; not a release.")
    day = f"{edition.created_at[:10]} {edition.created_at[11:16]} UTC"
    return Words(
        f"发布版本 {edition.release_id}，{day}，gongkai {edition.version}。",
        f"Release {edition.release_id}, {day}, gongkai {edition.version}.",
    )


def _links(
    layers: Iterable[LayerResult], tables: Iterable[RegisterTable], has_tables: bool, has_accuracy: bool
) -> Iterator[_Link]:
    yield _Link("index.html", Words("首页", "Overview"))
    for layer in layers:
        words = _LAYER_WORDS[layer.layer]
        yield _Link(layer.page, Words(f"检查：{words.zh}", f"Checks: {words.en.lower()}"))
    for table in tables:
        yield _Link(table.register.page, table.register.title)
    if has_tables:
        yield _Link("tables.html", Words("数据表说明", "Tables"))
    if has_accuracy:
        yield _Link("accuracy.html", Words("准确度", "Accuracy"))


def _register_card(table: RegisterTable) -> _Card:
    return _Card(table.register.page, table.register.title, table.register.about, table.row_count)


def _document_cards(
    layers: Iterable[LayerResult],
    has_tables: bool,
    has_accuracy: bool,
    beside: _Beside,
) -> Iterator[_Card]:
    for layer in layers:
        words = _LAYER_WORDS[layer.layer]
        yield _Card(
            layer.page,
            Words(f"检查结果：{words.zh}", f"Checks: {words.en.lower()}"),
            _LAYER_ABOUT[layer.layer],
            len(layer.rules),
        )
    if has_accuracy:
        about = Words(
            "每种表式、每种文件格式读对了多少。", "How much is read right, form by form and format by format."
        )
        yield _Card("accuracy.html", Words("读取准确度", "Accuracy"), about)
    if has_tables:
        about = Words("每张表、每一列是什么意思。", "What each table and each column means.")
        yield _Card("tables.html", Words("数据表说明", "Tables and columns"), about)
    if beside.data_docs is not None:
        about = Words(
            "检查工具自身的结果页，逐条列出规则与结果（英文）。",
            "The pages of the tool that runs the checks, rule by rule.",
        )
        yield _Card(f"{beside.data_docs}/index.html", Words("Great Expectations 结果页", "Data Docs"), about)
    yield _models_card(beside)


# What stands beside the folder of the pages in a release: what it is called, and what it is.
_FILES = {
    "datapackage.json": (
        Words("数据包", "Data package"),
        Words(
            "各 CSV 文件的结构、主键、行数与校验和（Frictionless Data Package）。",
            "Schema, keys, rows and checksum of every CSV file (Frictionless Data Package).",
        ),
    ),
    "dictionary.csv": (
        Words("数据字典", "Data dictionary"),
        Words("每张表每一列的中英文名称与含义。", "Name and meaning of every column, in both languages."),
    ),
    "CITATION.cff": (
        Words("引用方式", "How to cite"),
        Words("引用本版本所需的信息。", "What a citation of this release needs."),
    ),
    "dataset.jsonld": (
        Words("目录元数据", "Metadata for catalogues"),
        Words("供搜索引擎与数据目录读取（schema.org）。", "For search engines and data catalogues (schema.org)."),
    ),
    "LICENSE": (Words("许可", "Licence"), Words("本数据汇编的许可条款。", "The licence of this compilation.")),
}
_TABLE_FOLDERS = {
    "csv": Words("表格软件可直接打开，中文完好。", "Opens in spreadsheets with the Chinese intact."),
    "xlsx": Words("Excel 工作簿，每表一个。", "Workbooks for Excel, one a table."),
    "parquet": Words("供程序读取。", "For programs."),
}


def _file_cards(release: Path) -> tuple[_Card, ...]:
    """The files of a release that its pages lead to."""
    folders = [
        _Card(f"../{name}/", Words(name.upper(), name.upper()), about)
        for name, about in _TABLE_FOLDERS.items()
        if (release / name).is_dir()
    ]
    return (*folders, *(_Card(f"../{name}", *_FILES[name]) for name in PACKAGE_FILES if (release / name).is_file()))


def _models_card(beside: _Beside) -> _Card:
    title = Words("dbt 模型文档", "dbt docs")
    if beside.models is None:
        return _Card("", title, Words("尚未生成；运行 `make docs` 后即有。", "Not made yet; `make docs` makes it."))
    made = Words("生成时间不明", "made at an unknown time")
    if beside.models_made:
        made = Words(f"{beside.models_made} 生成", f"made {beside.models_made}")
    about = Words(
        f"各模型的 SQL、列与沿革（英文），{made.zh}。", f"SQL, columns and descent of every model, {made.en}."
    )
    return _Card(beside.models, title, about)


def _register_pages(
    con: duckdb.DuckDBPyConnection, site: _Site, table: RegisterTable
) -> Iterator[tuple[str, Section | None, str | None]]:
    """The pages of a register, each with what it is made of; none for the first, which counts all rows."""
    yield table.register.page, None, None
    if table.is_together:
        return
    tokens = year_tokens(con, table)
    for section in table.sections:
        same_year = tuple(one for one in table.sections if one.year == section.year)
        shown = dataclasses.replace(table, row_count=0, sections=same_year)
        yield table.page_of(section), section, made_of(site.links, shown, section, tokens[section.year])


def _register_page(
    con: duckdb.DuckDBPyConnection, site: _Site, table: RegisterTable, page: str, section: Section | None
) -> str:
    return render(
        "register.html",
        site=site,
        page=page,
        title=_register_title(table, section),
        table=table,
        section=section,
        section_words=_section_words,
        rows=[] if section is None and not table.is_together else read_rows(con, table, section),
        counted=[(column, count_rows(con, table, column)) for column in table.register.counted]
        if section is None
        else [],
        shown_counts=_SHOWN_COUNTS,
    )


def _register_title(table: RegisterTable, section: Section | None) -> Words:
    title = table.register.title
    if section is None:
        return title
    words = _section_text(section)
    return Words(f"{title.zh}：{words.zh}", f"{title.en}: {words.en}")


def _section_text(section: Section) -> Words:
    if not section.has_year:
        return Words(f"第 {section.part} 页", f"page {section.part}")
    zh, en = ("年度不明", "year unknown") if section.year is None else (f"{section.year} 年", str(section.year))
    if section.parts > 1:
        return Words(f"{zh}（{section.part}/{section.parts}）", f"{en} ({section.part}/{section.parts})")
    return Words(zh, en)


def _section_words(section: Section) -> str:
    return both(_section_text(section))


def _markdown(text: str) -> Any:
    """A text of the project as HTML, without its own heading, which the page has, and without links."""
    from markdown_it import MarkdownIt

    body = re.sub(r"\A# .*\n", "", text)
    body = re.sub(r"!?\[([^\]]+)\]\([^)]*\)", r"\1", body)
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(body)
    for token in tokens:
        if token.type == "th_open":
            token.attrSet("scope", "col")
    return Markup(parser.renderer.render(tokens, parser.options, {}))
