"""Web pages in the ways that content systems write them: what is read, what is left out, what is refused."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from benchmarks.html_readers import Truth, plain_cell, word_cell, write_tables
from loaders.errors import DocumentRejected
from loaders.model import Document, Link, MetadataName, Table
from loaders.readers.html import read_html, read_table_markup
from loaders.reading import read_document

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


@pytest.mark.parametrize(
    "cell",
    [
        "<p>1</p><p>2</p>",
        "1<br>2",
        "&nbsp;",
        "<span>1</span><b>2</b>",
        "<!-- 9 -->7",
        "&amp;lt;",
        "<font>甲\n乙</font>",
    ],
)
def test_a_plain_table_reads_like_one_read_node_by_node(cell: str) -> None:
    rows = f'<tr height="0"><td></td><td></td></tr><tr><td title="a>b">{cell}</td><td rowspan=2>{cell}</td></tr>'
    body = f"{rows}<tr><th>甲{cell}</th></tr></table>"
    # An empty note mark says nothing, but keeps the table from the short way.
    plain, by_node = (read_html(start + body, "utf-8") for start in ("<table>", "<table><caption></caption>"))
    assert plain.text == by_node.text
    assert plain.blocks == by_node.blocks
