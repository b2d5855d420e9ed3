"""Web pages in the ways that content systems write them: what is read, what is left out, what is refused."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.html_readers import Truth, plain_cell, word_cell, write_tables
from loaders.errors import DocumentRejected
from loaders.model import Document, Link, MetadataName, Table
from loaders.readers.build import Slot
from loaders.readers.html import read_html, read_table_markup
from loaders.readers.html_table import cut_out_tables, may_hide
from loaders.reading import read_document
from loaders.text.decode import decode_text
from loaders.vocabulary import PROJECT_ROOT

TITLE = "某某县林业局2023年政府信息公开工作年度报告"
FIELDS = "索引号：ABC-2024-001 发布机构：某某县林业局 发布日期：2024-01-18"
PROSE = [
    "一、总体情况",
    "2023年，我局按照年初的计划开展信息公开工作，各科室分工明确，全年没有出现差错。",
    "二、主动公开政府信息情况",
]
NAV = "".join(f'<li><a href="/lm/{n}.html">栏目{n}</a></li>' for n in range(12))
OTHERS = "".join(
    f'<li><a href="/nb/{y}.html">某某县林业局{y}年政府信息公开工作年度报告</a><span>{y + 1}-01-20</span></li>'
    for y in range(2018, 2023)
)
META = (
    '<meta name="SiteName" content="某某县人民政府"><meta NAME="articletitle" content="' + TITLE + '">'
    '<meta name="PubDate" content="2024-01-18 09:30"><meta name="ContentSource" content="某某县林业局">'
    '<meta name="ColumnName" content="年度报告">'
)


def _article(tables: list[str]) -> str:
    return "\n".join(f"<p>{line}</p>" for line in PROSE) + "\n<p>三、</p>\n".join(tables) + "<p>六、其他事项。无。</p>"


def _trs(body: str) -> str:
    return f"""<html><head><title>{TITLE}_某某县人民政府</title>{META}</head><body>
<div class="header"><ul class="nav">{NAV}</ul></div>
<div class="dqwz">当前位置：<a href="/">首页</a> &gt; <a href="/zw">政务公开</a> &gt; 正文</div>
<h1>{TITLE}</h1><div class="info">{FIELDS}</div><div class="bdsharebuttonbox"><a href="#">微信</a></div>
<div class="TRS_Editor">{body}</div>
<div class="xgxx"><h3>相关信息</h3><ul>{OTHERS}</ul></div>
<div id="footer">主办：某某县人民政府办公室 备案号：某ICP备12345678号</div></body></html>"""


def _old_tables(body: str) -> str:
    return f"""<HTML><BODY><TABLE width=1000><TR><TD><TABLE><TR>{NAV.replace("li>", "td>").replace("<li", "<td")}
</TR></TABLE></TD></TR><TR><TD><TABLE><TR><TD width=200><UL>{NAV}</UL></TD><TD><TABLE><TR><TD align=center>
<FONT size=4><B>{TITLE}</B></FONT></TD></TR><TR><TD>{FIELDS}</TD></TR><TR><TD>{body}</TD></TR></TABLE></TD></TR>
</TABLE></TD></TR><TR><TD>版权所有：某某县人民政府</TD></TR></TABLE></BODY></HTML>"""


def _jpaas(body: str) -> str:
    return f"""<!DOCTYPE html><html><body><nav>{NAV}</nav><main><table class="xxgk"><tr><td>索 引 号：</td>
<td>ABC-1</td><td>发布机构：</td><td>某某县林业局</td></tr><tr><td>发布日期：</td><td>2024-01-18</td><td>有效性：</td><td>有效</td></tr>
</table><p class="title">{TITLE}</p><div id="zoom"><!--<p>旧稿</p>-->{body}</div>
<p>上一篇：<a href="1">某某县林业局2022年政府信息公开工作年度报告</a></p><p>下一篇：没有了</p></main>
<footer><p>联系电话：000-1234567</p></footer></body></html>"""


def _word(body: str) -> str:
    return f"""<html xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office"><head>
<!--[if gte mso 9]><xml><w:View>Normal</w:View></xml><![endif]--><style><!-- p.MsoNormal {{margin:0}} --></style>
</head><body lang=ZH-CN><div class=WordSection1><?xml:namespace prefix = o ns = "urn:x" />
<p class=MsoNormal align=center><span lang=EN-US>{TITLE[:7]}</span><span>{TITLE[7:]}</span><span
lang=EN-US><o:p></o:p></span></p><!--[if gte vml 1]><v:shape>图</v:shape><![endif]-->
{body}<p class=MsoNormal><o:p>&nbsp;</o:p></p></div></body></html>"""


def _unclosed(body: str) -> str:
    body = body.replace("</td>", "").replace("</tr>", "").replace("</p>", "")
    return f"<div><h1>{TITLE}</h1><p>{FIELDS}{body}"


def _section(body: str) -> str:
    return f"""<html><body><header><a href=/>首页</a></header><article><h1>{TITLE}</h1>
<p>来源：<a href=/b>某某县林业局</a></p><section>{body}</section></article>
<aside><ul>{OTHERS}</ul></aside></body></html>"""


def _fragment(body: str) -> str:
    return f"<p style='text-align:center'><strong>{TITLE}</strong></p>{body}"


def _unclosed_link(body: str) -> str:
    return f'<body><h2>{TITLE}</h2><a href="http://example.org/runaway">{body}</body>'


def _script_string(body: str) -> str:
    quoted = body.replace("'", "\\'").replace("\n", "\\n").replace("</", "<\\/")
    half = len(quoted) // 2 + quoted[len(quoted) // 2 :].index("<td")
    return f"""<html><head><title>{TITLE}</title></head><body><h1>{TITLE}</h1><div id="app"></div><script>
// don't stop here
var content = '{quoted[:half]}' +
  '{quoted[half:]}'; document.getElementById("app").innerHTML = content;</script></body></html>"""


def _state(body: str) -> str:
    state = {"site": {"name": "站点"}, "article": {"title": TITLE, "content": body, "hits": 3}}
    text = json.dumps(state).replace("<", "\\u003c")
    return (
        f"<html><body><div id=__next></div><script>window.__INITIAL_STATE__={text};(function(){{}})()</script></body>"
    )


def _next_data(body: str) -> str:
    inner = json.dumps({"props": {"json": json.dumps({"title": TITLE, "html": body}, ensure_ascii=False)}})
    return f'<html><body><div></div><script id="__NEXT_DATA__" type="application/json">{inner}</script></body></html>'


def _json(body: str) -> str:
    return json.dumps({"code": 200, "data": {"title": TITLE, "content": body}})


STYLES = [
    _trs,
    _old_tables,
    _jpaas,
    _word,
    _unclosed,
    _section,
    _fragment,
    _unclosed_link,
    _script_string,
    _state,
    _next_data,
    _json,
]


def _text(document: Document) -> str:
    return "\n".join(paragraph.text for paragraph in document.paragraphs)


def _cells(table: Table) -> list[list[str]]:
    return [[cell.text for cell in row] for row in table.rows]


def _table(markup: str) -> Table:
    return read_html(f"<body><p>正文</p>{markup}</body>", "utf-8").tables[0]


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.__name__.strip("_"))
@pytest.mark.parametrize("form_code", ["nat2014", "fmt2019", "fmt2021"])
def test_the_article_and_its_tables_are_found_in_every_style(style, form_code: str) -> None:
    tables, truth = write_tables(form_code, 3, word_cell if style is _word else plain_cell)
    document = read_html(style(_article(tables)), "utf-8")
    text = _text(document)
    assert TITLE in text
    for line in PROSE:
        assert line in text
    for words in ("栏目3", "2022年政府", "备案号", "旧稿", "innerHTML"):
        assert words not in document.text
    plain, _ = write_tables(form_code, 3)
    wanted = [[(s.text, s.row, s.column, s.row_span, s.column_span) for s in read_table_markup(t)] for t in plain]
    got = [
        [(c.text, c.place.row - 1, c.place.column - 1, c.row_span, c.column_span) for row in t.rows for c in row]
        for t in document.tables
    ]
    assert [slots for slots in got if len(slots) > 12] == wanted
    assert truth


@pytest.mark.parametrize("style", STYLES[:-1], ids=lambda style: style.__name__.strip("_"))
def test_every_figure_of_the_2021_form_is_read_through_the_extractor(style) -> None:
    tables, truth = write_tables("fmt2021", 5, word_cell if style is _word else plain_cell)
    (report,) = read_document(style(_article(tables)).encode(), "page.html").reports
    assert _figures(report, truth) == {key: Decimal(value) for key, value in truth.items()}


def _figures(report, truth: Truth) -> dict:
    return {
        (row.metric_code, row.applicant_type): row.value
        for row in report.metric_rows
        if (row.metric_code, row.applicant_type) in truth and row.source_kind == "table"
    }


def test_metadata_line_and_tables_stay() -> None:
    tables, _ = write_tables("fmt2021", 1)
    assert FIELDS in _text(read_html(_trs(_article(tables)), "utf-8"))
    assert ["索 引 号：", "ABC-1", "发布机构：", "某某县林业局"] in _cells(
        read_html(_jpaas(_article(tables)), "u").tables[0]
    )
    assert "来源：某某县林业局" in _text(read_html(_section(_article(tables)), "u"))


def test_metadata_is_read_by_name_in_any_case() -> None:
    found = {m.name: m.value for m in read_html(_trs("<p>正文</p>"), "utf-8").metadata}
    assert found == {
        MetadataName.TITLE: TITLE + "_某某县人民政府",
        MetadataName.ARTICLE_TITLE: TITLE,
        MetadataName.SITE_NAME: "某某县人民政府",
        MetadataName.PUBLISHED_DATE: "2024-01-18 09:30",
        MetadataName.PUBLISHER: "某某县林业局",
        MetadataName.COLUMN: "年度报告",
    }


def test_attachments_are_linked_files_of_the_article() -> None:
    body = (
        '<p>正文如下。</p><p>附件：<a href="/f/1.XLSX?v=2">统计表</a></p><a href="/down?id=3">附件2</a>'
        '<a href="javascript:void(0)">附件3</a><div class="footer"><a href="/x.html">关于</a></div>'
        '<a href="/a.html">文</a>'
    )
    document = read_html(body, "utf-8")
    assert document.attachments == (Link("/f/1.XLSX?v=2", "统计表"), Link("/down?id=3", "附件2"))
    assert "附件：统计表" in _text(document)


@pytest.mark.parametrize(
    ("markup", "spans"),
    [
        ("<tr><td rowspan=0>甲<td>1<tr><td>2<tr><td>3", [("甲", 3, 1)]),
        ("<tbody><tr><td rowspan=0>甲<td>1<tr><td>2<tbody><tr><td>乙<td>3", [("甲", 2, 1)]),
        ("<tbody><tr><td rowspan=9>甲<td>1<tr><td>2<tbody><tr><td>乙<td>3", [("甲", 2, 1)]),
        ('<tr><td colspan="5px">甲<td>1<tr><td>a<td>b<td>c<td>d<td>e<td>2', [("甲", 1, 5)]),
        ('<tr><td colspan=0>甲<td colspan="-3">乙<td colspan=x>丙<tr><td>1<td>2<td>3', []),
        ("<tr><td colspan=99999>甲<tr><td>1<td>2", [("甲", 1, 64)]),
    ],
)
def test_spans_follow_the_standard(markup: str, spans: list[tuple[str, int, int]]) -> None:
    table = _table(f"<table>{markup}</table>")
    merged = [(c.text, c.row_span, c.column_span) for row in table.rows for c in row]
    assert [cell for cell in merged if cell[1:] != (1, 1)] == spans


def test_a_cell_below_a_merged_one_stands_in_the_next_column() -> None:
    table = _table("<table><tr><td rowspan=2>甲<td>1<td>2<tr><td>3<td>4</table>")
    assert [(c.text, c.place.column) for c in table.rows[1]] == [("3", 2), ("4", 3)]


def test_ragged_rows_and_spurious_cells_stay_as_printed() -> None:
    table = _table("<table><tr><td>甲<td>1<td><tr><td>乙<tr><td>丙<td>2<td>3<td></table>")
    assert _cells(table) == [["甲", "1", ""], ["乙"], ["丙", "2", "3", ""]]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("1<b>2</b><span>3</span>", "123"),
        ("1<!-- x -->2", "12"),
        ("1<br>2", "1\n2"),
        ("<p>1</p><p>2</p>", "1\n2"),
        ("<div>1</div>2", "1\n2"),
        ("1\n 2", "1 2"),
        ("主动\n  公开", "主动公开"),
        ("<p>&nbsp;</p>", "\xa0"),
        ("&lt;5&gt;&amp;", "<5>&"),
        ("5<span style='display: none'>6</span>", "5"),
        ("5<i hidden>6</i><script>7</script><style>8</style><template>9</template><noscript>1</noscript>", "5"),
        ("5<span style='VISIBILITY:hidden'>6</span>", "5"),
        ("5<span class=hint>6</span>", "5"),
        ("<s>6</s><del>7</del>5", "5"),
        ("12<sup>1</sup>", "12 1"),
        ("1\u200b2&#8203;3", "123"),
        ('<input value="5">', "5"),
        ("<select><option>4<option selected>5</select>", "5"),
        ("<table><tr><td>5<td>6</table>", "5\n6"),
        ("政府信息公开(zhengfu xinxi gongkai)", "政府信息公开"),
        ("网站(gongkai net works)", "网站(gongkai net works)"),
        ("单位(mg/l)", "单位(mg/l)"),
    ],
)
def test_what_a_cell_prints(cell: str, text: str) -> None:
    rows = "".join(f"<tr><td>行{n}<td>{n}" for n in range(4))
    head = "<style>@media print {.x{color:red}} .hint, .y {display:none}</style>"
    assert _cells(_table(f"{head}<table>{rows}<tr><td>{cell}</td><td>9</table>"))[4] == [text, "9"]


def test_paragraphs_end_at_blocks_and_breaks() -> None:
    document = read_html("<body><div>甲<b>乙</b>丙<br>丁<p>戊\n己 庚&nbsp;&#12288;辛</div>壬<ul><li>癸", "u")
    assert [p.text for p in document.paragraphs] == ["甲乙丙", "丁", "戊己 庚\xa0\u3000辛", "壬", "癸"]


def test_cells_outside_any_table_are_not_glued() -> None:
    document = read_html("<body><p>正文</p><tr><td>1<td>2<tr><td>3</body>", "u")
    assert [p.text for p in document.paragraphs] == ["正文", "1", "2", "3"]


def test_an_invisible_cell_keeps_its_place() -> None:
    assert _cells(_table("<table><tr><td>甲<td style='visibility:hidden'>7<td>2</table>")) == [["甲", "", "2"]]


def test_a_body_that_is_only_hidden_is_read() -> None:
    tables, _ = write_tables("fmt2021", 2)
    document = read_html(f"<body><p>加载中</p><div style='display:none'>{_article(tables)}</div></body>", "u")
    assert len(document.tables) == 3


def test_two_rival_bodies_in_scripts_are_refused() -> None:
    tables, _ = write_tables("fmt2021", 2)
    other, _ = write_tables("fmt2021", 9)
    state = {"a": {"content": _article(tables)}, "b": {"content": _article(other)}}
    with pytest.raises(DocumentRejected) as rejection:
        read_html(f"<body><script>var s = {json.dumps(state)}</script></body>", "u")
    assert rejection.value.reject_code == "several_reports"


def test_the_slots_of_a_table_in_markup() -> None:
    slots = read_table_markup("<table><tr><td colspan=2>甲</td></tr><tr><td>1</td><td>2</td></tr></table>")
    assert [(s.text, s.row, s.column, s.row_span, s.column_span) for s in slots] == [
        ("甲", 0, 0, 1, 2),
        ("1", 1, 0, 1, 1),
        ("2", 1, 1, 1, 1),
    ]
    assert [s.text for s in read_table_markup("<table><tr><td>只有一格</table>")] == ["只有一格"]
    assert read_table_markup("没有表格") == []


@pytest.mark.parametrize(
    ("page", "code"),
    [
        ("<div>" * 100_000, "hostile_structure"),
        ("<table><tr><td>" * 100_000, "hostile_structure"),
        ("<table><tr><td>" * 100, "hostile_structure"),
        ("".join(f"<p><font color={n}>x" for n in range(5000)), "hostile_structure"),
        ("<p " + " ".join(f"a{n}" for n in range(50_000)) + ">", "hostile_structure"),
        ("<table>" + ("<tr>" + "<td rowspan=65534 colspan=1000>1" * 9) * 300, "hostile_structure"),
        ("<table><tr>" + "<td>1" * 300_000, "hostile_structure"),
        ("<td>" * 2_000_000, "hostile_structure"),
        ("<p>" + "x" * 64_000_000, "too_large"),
        ("<p>x" + "<br>x" * 150_000, "too_large"),
        ("<html><frameset><frame src=a.htm></frameset></html>", "empty_document"),
    ],
)
def test_hostile_pages_are_refused(page: str, code: str) -> None:
    with pytest.raises(DocumentRejected) as rejection:
        read_html(page, "utf-8")
    assert rejection.value.reject_code == code


def test_a_page_of_links_alone_keeps_its_words() -> None:
    assert "栏目3" in read_html(f"<ul>{NAV}</ul>", "utf-8").text


def _copied(body: str, figures: range) -> str:
    cells = "".join(f"<tr><td>第{n}行</td><td>{n}</td></tr>" for n in figures)
    return f"<h2>{body}年度报告</h2><p>现将有关情况报告如下。</p><table>{cells}</table><p>报告完毕。</p>"


def test_a_second_copy_of_the_article_is_left_out() -> None:
    first = _copied("甲县水务局", range(20)).replace("</h2>", "</h2><p>发布时间：2023-01-12</p>")
    page = f"<div class=pc>{first}</div><div class=wap>{_copied('甲县水务局', range(20))}</div><p>另见附件。</p>"
    document = read_html(page, "utf-8")
    assert len(document.tables) == 1
    assert document.text.count("报告完毕") == 1
    assert "另见附件" in document.text


@pytest.mark.parametrize(
    "second",
    [_copied("乙县水务局", range(20)), _copied("甲县水务局", range(1, 21))],
    ids=["of another body", "with other figures"],
)
def test_a_second_report_is_no_copy(second: str) -> None:
    assert len(read_html(_copied("甲县水务局", range(20)) + second, "utf-8").tables) == 2


def _reading(page: str) -> tuple[object, ...]:
    try:
        document = read_html(page, "utf-8")
    except DocumentRejected as rejection:
        return rejection.reject_code, str(rejection)
    return document.text, document.blocks, document.metadata, document.attachments, document.script


def _slots(markup: str) -> list[Slot] | str:
    try:
        return read_table_markup(markup)
    except DocumentRejected as rejection:
        return str(rejection)


def _reads_alike(page: str) -> bool:
    """Compare a page with what the parser alone makes of it; whether a plain table was in it."""
    plain = bool(cut_out_tables(page, 13, may_hide(page))[1])
    short, short_slots = _reading(page), _slots(page)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("loaders.readers.html.cut_out_tables", lambda text, *_: (text, []))
        patch.setattr("loaders.readers.html.read_plain_table", lambda source: None)
        assert short == _reading(page)
        assert short_slots == _slots(page)
    return plain


def _rows(cell: str = "", count: int = 8) -> str:
    return "".join(f"<tr><td>行{n}{cell}</td><td>{n}</td></tr>\n" for n in range(count))


@pytest.mark.parametrize(
    "cell",
    [
        "<p>1</p><p>2</p>",
        "1<br>2<BR/>3",
        "&nbsp;",
        "<span>1</span><b>2</b>",
        "&amp;lt;&#12288;甲&ldquo;",
        "<font>甲\n乙</font>",
        "<p align=center><span lang=EN-US>1<o:p></o:p></span></p>",
        "<P><b>甲</b></P>",
        "<div>甲<p>乙<div>丙</div>丁</p>戊</div>己",
        "<p>甲</p>\n<p> &nbsp; </p> 乙",
        "公开(gongkai)(gongkai)",
        "甲\r\n乙\r丙",
        "a > b",
    ],
)
def test_a_plain_table_reads_as_the_parser_has_it(cell: str) -> None:
    for attributes in ("", " width=3/", " rowspan=2", " colSpan='2' x", '\n style="border:none"\trowspan = "0" '):
        flat = f'<tr height=0><td{attributes}></td><td></td></tr><tr height="0"><td>{cell}</td><td>1</td></tr>'
        marked = f"<td{attributes}>{cell}</td><th>{cell}</th>"
        table = f"<table class=x{attributes}><col width=9>{flat}<tr>{marked}</tr><tr></tr>{_rows(cell)}</table>"
        assert _reads_alike(table)
        assert _reads_alike(f"<p>正文{table}后<tfoot>")
        groups = f"<tfoot>{_rows()}</tfoot><tbody>{flat}<tr>{marked}</tr></tbody><thead><tr>{marked}</tr></thead>"
        assert _reads_alike(f"<table>{_rows()}{groups}{_rows(cell, 3)}</table>")


@pytest.mark.parametrize(
    "page",
    [
        "<a href=/x>{}</a>",
        "<a href=/x.doc>附件{}<p>正文",
        "<h1>甲{}乙</h1>",
        "<pre>甲\n{}\n乙</pre>",
        "<h2>{}</h2>",
        "<p>甲<b>乙{}丙",
        "<!doctype html><p>甲{}乙</p>丙",
        "<div style='display:none'>{}</div><p>正文",
        "<style>.x, .y {{display:none}}</style>{}<p class=x>甲</p><p>乙",
        "<style>.kl {{display:none}}</style>{}<p class=kl>甲</p><p>乙",
        "<table><tr><td>{}</td><td>甲</td></tr></table>",
        "<table><tr>{}</tr><td>甲",
        "<table>{}甲<tr><td>乙",
        "<table><caption>{}</caption><tr><td>甲<td>乙</table>",
        "<script>var t = '{}';</script><p>正文",
        "<!-- {} --><p>正文",
        "<!-- {} <p>正文",
        "<textarea>{}</textarea><p>正文",
        "<select><option>{}</select><p>正文",
        "<svg>{}</svg><p>正文",
        "<noscript>{}</noscript><p>正文",
        "<template>{}</template><p>正文",
        "<del>{}</del><p>正文",
        "<sup>{}</sup><p>正文",
        "<div title='{}'>正文</div>",
        '<div title="{}">正文</div>',
        "<title>{}</title><p>正文",
        "<div class=footer><p>版权所有</p>{}</div><p>正文",
        "<div class=related><p>更多</p>{}</div><p>正文",
        "<tr><td>甲</td></tr>{}<td>乙",
        "<frameset>{}</frameset>",
        "<table data-plain-table=0></table>{}",
        "<TABLE DATA-PLAIN-TABLE=0></TABLE>{}",
        "<math><mi>{}</mi></math>甲",
        "<form>{}</form><input value=1><p>正文",
        "<s>{}<p>正文</s>乙",
    ],
)
def test_where_a_plain_table_stands_is_for_the_parser_to_say(page: str) -> None:
    for table in (f"<table>{_rows()}</table>", f'<table class="kl">\n{_rows("<p>it&quot;s</p>")}</table\n>'):
        assert _reads_alike(page.format(table)) or "PLAIN" in page.upper()
        assert _reads_alike(page.format(table + "<p>又</p>" + table)) or "PLAIN" in page.upper()


@pytest.mark.parametrize(
    "inner",
    [
        "<tr><td>甲<td>乙</tr>",
        "<tr><td>甲</td>乙</tr>",
        "<tr><td><a href=x.doc>附件</a></td></tr>",
        "<tr><td>1<sup>2</sup></td></tr>",
        "<tr><td>1<!-- 9 -->7</td></tr>",
        "<tr><td>1<s>2</s></td></tr>",
        "<tr><td>&copy1&#1;</td></tr>",
        "<tr><td>a < b</td></tr>",
        "<tr><td>1</p>2</div>3</td></tr>",
        "<tr><td title='>'>1</td></tr>",
        "<tr><td x=a\"b y='c>d'>1</td></tr>",
        "<tr><td rowspan='&#50;'>1</td></tr>",
        "<tr><td =colspan=3>1</td></tr>",
        "<tr><td colspan=2 colspan=3>1</td></tr>",
        "<tr><Td>1</Td></tr>",
        "<tr><td>1</th></tr>",
        "<tr><td>1\0</td></tr>",
        "<tr><td><table><tr><td>1</table></td></tr>",
        "<tr><td hidden>1</td></tr>",
        "<tr style='display:none'><td>1</td></tr>",
        "<tr><td style='visibility&#58;hidden'>1</td></tr><style>.q{display:none}</style>",
        "<tr><td><p><div>1</p></div></td></tr>",
        "<tr><td><input value=5></td><td></td></tr>",
        "<tr><td></td></tr></tbody></thead>",
        "<tbody><tr><td>1</td></tr><tbody></tbody>",
        "<td>1</td>",
        "<tr><td><P><b>甲</P><p>乙</b></P></td></tr>",
        "<tr><tr><td>1</td></tr></tr>",
        "<caption>甲</caption>",
        "<tr><td><img src=x>1</td></tr>",
        "<tr><td><![CDATA[1]]></td></tr>",
        "<tr><td\x0b>1</td></tr>",
        "<tr><td>1</td/></tr>",
        "<form><tr><td>1</td></tr></form>",
    ],
)
def test_a_table_that_is_not_plain_is_left_to_the_parser(inner: str) -> None:
    for table in (f"<table>{_rows()}{inner}</table>", f"<table>{inner}{_rows()}</table>"):
        plain = [table.source for table in cut_out_tables(table, 13, True)[1]]
        assert not plain or "colspan=2 colspan" in inner
        _reads_alike(f"<p>正文</p>{table}<p>后</p>")


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.__name__.strip("_"))
@pytest.mark.parametrize("cell", [plain_cell, word_cell])
@pytest.mark.parametrize("form_code", ["nat2014", "fmt2021"])
def test_whole_pages_read_as_the_parser_has_them(style, cell, form_code: str) -> None:
    tables, _ = write_tables(form_code, 3, cell)
    page = style(_article(tables))
    plain = _reads_alike(page)
    assert plain or style in (_unclosed, _script_string, _state, _next_data, _json)


@pytest.mark.parametrize(
    "path", sorted((PROJECT_ROOT / "tests" / "golden").rglob("*.htm*")), ids=lambda path: path.name
)
def test_golden_pages_read_as_the_parser_has_them(path: Path) -> None:
    _reads_alike(decode_text(path.read_bytes()).text)


_WRAPS = [
    "{}",
    "<div>{}</div>",
    "<table><tr><td>{}</td></tr></table>",
    "<p>{}",
    "<b>{}",
    "<a href=1>{}</a>",
    "<h1>{}</h1>",
]
_WRAPS += [
    "<table border=1><tbody>{}</tbody></table>",
    "<tr>{}</tr>",
    "<td>{}</td>",
    "<div hidden>{}</div>",
    "<!--{}-->",
]
_TEXTS = [
    "",
    "1",
    "甲",
    " 乙\n丙 ",
    "&nbsp;",
    "&amp;",
    "&#8203;",
    "a>b",
    "(1)",
    "政府信息公开(zhengfu xinxi gongkai)",
    "\t",
]
_SHAPES = ["p", "span", "b", "div", "font", "o:p", "center", "P", "SPAN", "i", "a", "sup", "s", "li", "pre"]
_MARKS = [
    "",
    "",
    "",
    " rowspan=2",
    ' colspan="2"',
    " ROWSPAN='3' class=k",
    " height=0",
    " style='display:none'",
    " class=k",
]
_PIECES = [
    "<tr>",
    "</tr>",
    "<td>",
    "</td>",
    "<table>",
    "</table>",
    "</p>",
    "</div>",
    "<",
    ">",
    "'",
    '"',
    "<tbody>",
    "<th>",
]
_PIECES += [
    "<style>.k{display:none}</style>",
    "<!--",
    "-->",
    "</b>",
    "<select>",
    "<script>",
    "</script>",
    "<br>",
    "&",
    "x",
]


def _random_cell(rng: random.Random, depth: int = 0) -> str:
    parts = []
    for _ in range(rng.choice((0, 1, 1, 1, 2))):
        if depth > 3 or rng.random() < 0.6:
            parts.append(rng.choice(_TEXTS))
        else:
            shape = rng.choice(_SHAPES[: rng.choice((4, 10, 10, 10, 15))])
            parts.append(f"<{shape}{rng.choice(_MARKS)}>{_random_cell(rng, depth + 1)}</{shape}>")
    return rng.choice(("", "", "<br>", "\n")).join(parts)


def _random_page(rng: random.Random) -> str:
    page = rng.choice(("", "<!doctype html>", "<p>正文", "<style>.k{display:none}</style>"))
    for _ in range(rng.randrange(1, 3)):
        rows = []
        is_simple = rng.random() < 0.5
        for _ in range(rng.randrange(3, 12)):
            names = rng.choices(("td", "td", "td", "th"), k=rng.choice((0, 2, 3, 3, 5)))
            cells = []
            for name in names:
                mark, text = ("", rng.choice(_TEXTS)) if is_simple else (rng.choice(_MARKS), _random_cell(rng))
                cells.append(f"<{name}{mark}>{text}</{name}>")
            rows.append(f"<tr{rng.choice(_MARKS) if rng.random() < 0.2 else ''}>{''.join(cells)}</tr>")
            if rng.random() < 0.1:
                group = rng.choice(("tbody", "thead", "tfoot"))
                rows[-1] = f"<{group}>{rows[-1]}</{group}>"
        table = rng.choice(("<table>", "<TABLE class=k>", "<table border=1>")) + "\n".join(rows) + "</table>"
        page += rng.choice(_WRAPS).format(rng.choice(_WRAPS).format(table)) + rng.choice(("", "后", "<p>后</p>"))
    for _ in range(rng.choice((0, 0, 1, 2))):
        at = rng.randrange(len(page) + 1)
        page = page[:at] + rng.choice(_PIECES) + page[at + rng.choice((0, 0, 1, 5)) :]
    return page


@given(st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_any_page_reads_as_the_parser_has_it(rng: random.Random) -> None:
    _reads_alike(_random_page(rng))


def test_random_pages_hold_plain_tables() -> None:
    assert sum(_reads_alike(_random_page(random.Random(seed))) for seed in range(300)) > 60
