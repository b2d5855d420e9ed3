"""Web pages to documents: whole CMS pages, Word and WPS exports, fragments, and bodies shipped in scripts.

In: decoded text. Out: a :class:`~loaders.model.Document`: block elements and line breaks part paragraphs, a table
of data is a table with the slots of its merged cells, a table that only places text is read as what it holds.
Left out is what a reader does not see (scripts, comments, hidden and struck-out text), and site furniture: link
lists, breadcrumbs, share buttons, footers. What might be part of the article is kept. Text is verbatim but for white
space as a browser folds it. Spans follow the HTML standard; rows of different length stay ragged.

Refuses ``too_large`` and ``hostile_structure`` before the parser or a grid could fill the memory, and
``empty_document`` when nothing is printed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from selectolax.lexbor import LexborHTMLParser, LexborNode

from loaders.errors import DocumentRejected
from loaders.model import Document, Link, Metadata, MetadataName
from loaders.readers.build import MAX_COLUMN_SPAN, MAX_SLOTS, DocumentBuilder, Slot
from loaders.readers.html_body import ShippedBody, as_markup, choose_bodies, find_bodies, is_shipped_page
from loaders.readers.html_table import (
    GROUP_RANKS,
    MARK,
    WHITE,
    PlainTable,
    clean,
    cut_out_tables,
    expand,
    may_hide,
    read_plain_table,
    span,
    without_readings,
)
from loaders.readers.sniff import HTML

__all__ = ["read_html", "read_table_markup"]

MAX_CHARACTERS = 8_000_000
MAX_TAGS = 1_000_000
MAX_LINES = 100_000
_MAX_DEPTH = 4_000
_MAX_TABLE_DEPTH = 48
_MAX_FORMATTING_DEPTH = 600
_MAX_ATTRIBUTES = 2_000
# Below these no page can be slow, however it is nested.
_FEW_OPEN_TAGS = 2_000
_LONG_TEXT = 100_000

_BLOCK, _HEADING, _LINE, _BREAK, _TABLE, _GROUP, _ROW, _CELL, _CAPTION, _LINK, _SKIP, _PRE, _APART, _INPUT, _CHOICE = (
    range(1, 16)
)
_TAGS = {
    _BLOCK: "div ul ol dl section article aside nav header footer main form fieldset body center blockquote details",
    _LINE: "p li dt dd h2 h3 h4 h5 h6 address figure figcaption hr legend summary optgroup dir menu hgroup",
    _HEADING: "h1",
    _BREAK: "br",
    _TABLE: "table",
    _GROUP: "thead tbody tfoot",
    _ROW: "tr",
    _CELL: "td th",
    _CAPTION: "caption",
    _LINK: "a",
    _SKIP: "script style template noscript head xml rt rp svg math object iframe embed video audio canvas del s strike "
    "colgroup col noframes xmp title meta link",
    _PRE: "pre listing",
    _APART: "sup sub",
    _INPUT: "input",
    _CHOICE: "option",
}
_MAKER = LexborHTMLParser("")
_KINDS: dict[int, int] = {_MAKER.create_node(tag).tag_id: kind for kind, tags in _TAGS.items() for tag in tags.split()}
_TEXT_ID = next(LexborHTMLParser("<p>x").css("p")[0].iter(include_text=True)).tag_id
_TD_ID = _MAKER.create_node("td").tag_id
# The parser has no tag for a processing instruction, as ours that marks a cell outside any table.
_INSTRUCTION_ID = 0
_CELL_MARK = "<?cell>"
_INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad"
_INVISIBLE_ENTITY = re.compile(
    "&(?:#0*(?:820[3-7]|8288|65279|173)|#x0*(?:200[b-f]|2060|feff|ad)|zwn?j|shy|ZeroWidthSpace);", re.IGNORECASE
)
_CELL_TAG = re.compile(r"<t[dh]\b", re.IGNORECASE)

_BASE64 = re.compile(r"(?<=;base64,)[A-Za-z0-9+/=\s%]+")
_FORMATTING = re.compile(r"<(/?)(a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)\b", re.IGNORECASE)
_NESTING = re.compile(r"<(/?)([a-z][a-z0-9:]*)", re.IGNORECASE)
_FLAT = (
    "area base br col embed hr img input link meta param source track wbr p li dt dd td th tr tbody thead tfoot option "
    "html head body a b big code em font i nobr s small strike strong tt u"
)
_FLAT_TAGS = frozenset(_FLAT.split())
_QUOTED = re.compile(r""""[^"]*"|'[^']*'""")
_START_TAG = re.compile(r"""[a-zA-Z](?:"[^"]*"|'[^']*'|[^>"'])*""")

_UNSEEN = re.compile(r"(?:display\s*:\s*none|mso-hide\s*:\s*all)", re.IGNORECASE)
_INVISIBLE_STYLE = re.compile(r"visibility\s*:\s*hidden", re.IGNORECASE)
_MEDIA = re.compile(r"@[^{};]{0,300}\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}|/\*(?:[^*]|\*(?!/))*+(?:\*/)?")
_STYLE_RULE = re.compile(r"([^{}]{1,500})\{([^{}]*)\}")
_SIMPLE_SELECTOR = re.compile(r"[a-zA-Z]*[.#][\w-]+")
_MAX_HIDDEN_BY_CLASS = 200
_MAX_SELECTORS = 50

_FURNITURE_MARK = re.compile(
    r"(?:^|[\s_-])(?:nav|navi|navbar|menu|crumbs?|breadcrumbs?|share|bdshare\w*|sidebar|related|relate|pager|toolbar|"
    r"friend-?links?|qrcode|ewm|dqwz|weizhi|position|xgxx|xgwz|xglj|xgyd|recommend)(?:$|[\s_\d-])|crumb|bshare|"
    r"social-?share|friendlink",
    re.IGNORECASE,
)
_FOOTER_MARK = re.compile(
    r"(?:^|[\s_-])(?:foot(?:er)?|copyright|banquan)(?:$|[\s_\d-])|^footer|copyright", re.IGNORECASE
)
_FURNITURE_WORDS = re.compile(
    r"\d{4}[-年/.]\d{1,2}[-月/.]\d{1,2}日?(?:\s*\d{1,2}:\d{2}(?::\d{2})?)?|"
    r"您?(?:现在|当前|目前)?(?:所在)?的?位置是?|网站首页|首页|上一[篇条页]|下一[篇条页]|没有了|没有|无|分享至?到?|字体大?小?|字号|"
    r"打印(?:本页|此页|文章)?|关闭(?:本页|窗口|页面)?|加?入?收藏(?:本站|本页)?|设为首页|返回(?:顶部|首页|列表)?|扫一扫|更多|"
    r"相关(?:链接|阅读|文章|信息|文档|新闻|稿件)|友情链接|网站地图|联系我们|关于我们|"
    r"在?手机(?:打开|上?查看|版)(?:当前页)?|无障碍(?:浏览|阅读)?|长者模式|繁[体體](?:中文|版)?|[简簡][体體]|English|"
    r"微信|微博|登录|注册|搜索|正文|大|中|小|"
    r"[\s>|·•\-—_\[\]【】()（）/\\»›:：,，、。.*+#\u00a0\u3000]+"
)
_CRUMB = re.compile(r"\s*(?:您?(?:现在|当前|目前)?(?:所在)?的?位置(?:是|[:：]|\s)|(?:网站)?首页\s*[>»›/→])")
_SITE_LINE = re.compile(r"ICP备|公网安备|网站标识码|版权所有|Copyright", re.IGNORECASE)
_WORDS_OF_SITE = re.compile("打印|关闭|分享|字[体號号]|收藏|上一|下一|位置|首页|更多|相关|友情链接|扫一扫|返回")
_ONLY_SIGNS = re.compile(r"[\W\d_]*")
_MAX_FURNITURE = 160
_MAX_FOOTER = 600
_MAX_PART = 5_000
_RUNAWAY_LINES = 3

_FILE = re.compile(r"\.(?:docx?|xlsx?|pdf|wps|et|zip|rar|ofd|txt)(?=$|[?#&\s])", re.IGNORECASE)
_FETCHABLE = re.compile(r"(?!(?:javascript|mailto|tel|data|about):|#)\S", re.IGNORECASE)

_META_NAMES = {
    "articletitle": MetadataName.ARTICLE_TITLE,
    "og:title": MetadataName.ARTICLE_TITLE,
    "sitename": MetadataName.SITE_NAME,
    "og:site_name": MetadataName.SITE_NAME,
    "contentsource": MetadataName.PUBLISHER,
    "source": MetadataName.PUBLISHER,
    "og:source": MetadataName.PUBLISHER,
    "publisher": MetadataName.PUBLISHER,
    "dc.publisher": MetadataName.PUBLISHER,
    "author": MetadataName.PUBLISHER,
    "article:author": MetadataName.PUBLISHER,
    "pubdate": MetadataName.PUBLISHED_DATE,
    "publishdate": MetadataName.PUBLISHED_DATE,
    "publish-date": MetadataName.PUBLISHED_DATE,
    "publish_date": MetadataName.PUBLISHED_DATE,
    "publishtime": MetadataName.PUBLISHED_DATE,
    "dc.date": MetadataName.PUBLISHED_DATE,
    "article:published_time": MetadataName.PUBLISHED_DATE,
    "og:release_date": MetadataName.PUBLISHED_DATE,
    "columnname": MetadataName.COLUMN,
    "column": MetadataName.COLUMN,
    "article:section": MetadataName.COLUMN,
}
_META_ORDER = {name: n for n, name in enumerate(_META_NAMES)}

_FEW_CELLS = 12
_OWN_CELLS = 6
_PROSE = 300
_PROSE_LINES = 3
_ARTICLE_CELLS = 20
_ARTICLE_CHARACTERS = 400


@dataclass(slots=True)
class _Line:
    """A printed line that is linked or a heading; ``plain`` is what of it stands outside links."""

    text: str
    plain: str
    url: str | None = None
    is_heading: bool = False


@dataclass(slots=True)
class _Grid:
    """A table of data on its way out; ``linked`` counts its characters inside links."""

    slots: list[Slot]
    linked: int

    def has_figures(self) -> bool:
        return any(slot.text.strip().isdigit() for slot in self.slots)


# A line without links is a plain string: tables have hundreds.
_Piece = str | _Line | _Grid


@dataclass(slots=True)
class _Cell:
    row_span: int
    column_span: int
    pieces: list[_Piece]


@dataclass(slots=True)
class _Table:
    before: list[_Piece] = field(default_factory=list)
    groups: list[tuple[int, list[list[_Cell]]]] = field(default_factory=list)


@dataclass(slots=True)
class _Page:
    """What the walk over a tree found, in reading order."""

    pieces: list[_Piece] = field(default_factory=list)
    attachments: list[Link] = field(default_factory=list)

    @property
    def weight(self) -> int:
        """How much of an article it is, on the scale of :attr:`ShippedBody.weight`."""
        weight = 0
        for piece in self.pieces:
            if isinstance(piece, _Grid):
                weight += 20 * len(piece.slots)
            elif isinstance(piece, str):
                weight += len(piece)
        return weight

    @property
    def has_article(self) -> bool:
        cells = max((len(piece.slots) for piece in self.pieces if isinstance(piece, _Grid)), default=0)
        return cells >= _ARTICLE_CELLS or sum(len(p) for p in self.pieces if isinstance(p, str)) >= _ARTICLE_CHARACTERS


def read_html(text: str, encoding: str) -> Document:
    """Read a page, or a response that ships one as JSON.

    Raises:
        DocumentRejected: ``too_large``, ``hostile_structure``, ``several_reports`` when the scripts ship rival
            bodies, or ``empty_document``.
    """
    text = _checked(text)
    bodies: list[ShippedBody] = []
    if is_shipped_page(text):
        bodies = find_bodies(text)
    page, tree = (_Page(), LexborHTMLParser("")) if bodies else _read_markup(text)
    printed = page
    if not page.has_article:
        bodies = bodies or _shipped_bodies(text)
        page = _with_bodies(page, bodies)
    if not page.has_article and page is printed:
        unhidden = _Walker().walk(LexborHTMLParser(text))
        page = unhidden if unhidden.has_article else page
    if len(page.pieces) > MAX_LINES:
        raise DocumentRejected("too_large", f"the page has {len(page.pieces):,} lines; the limit is {MAX_LINES:,}")
    builder = DocumentBuilder()
    pieces = _without_copy(list(_without_furniture(page.pieces)) or page.pieces)
    for piece in pieces:
        if isinstance(piece, _Grid):
            builder.add_table(piece.slots, "html")
        else:
            builder.add_paragraph(piece if isinstance(piece, str) else piece.text)
    attachments = list({(link.url, link.label): link for link in page.attachments}.values())
    return builder.build(HTML, encoding=encoding, metadata=_metadata(tree, bodies), attachments=attachments)


def read_table_markup(markup: str) -> list[Slot]:
    """The slots of one ``<table>``, whatever it holds; none when there is no table in the markup.

    Raises:
        DocumentRejected: ``too_large`` or ``hostile_structure``.
    """
    markup = _checked(markup)
    table = read_plain_table(markup)
    if table is not None:
        return expand(table.groups)
    tree = LexborHTMLParser(markup)
    if may_hide(markup):
        _drop_hidden(tree)
    page = _Walker(is_data=True).walk(tree)
    return next((piece.slots for piece in page.pieces if isinstance(piece, _Grid)), [])


# ---- before the parser


def _checked(text: str) -> str:
    """The text without embedded pictures, when the parser can take it: its time grows with the square of nesting."""
    if len(text) > 1_000_000 and ";base64," in text:
        text = _BASE64.sub("", text)
    text = _without_invisible(text)
    if len(text) > MAX_CHARACTERS:
        raise DocumentRejected("too_large", f"the page has {len(text):,} characters; the limit is {MAX_CHARACTERS:,}")
    tags = text.count("<")
    if tags > MAX_TAGS:
        raise DocumentRejected("hostile_structure", f"the page has {tags:,} tags; the limit is {MAX_TAGS:,}")
    if tags > _FEW_OPEN_TAGS and tags - text.count("</") > _FEW_OPEN_TAGS:
        _check_depth(_FORMATTING.findall(text), _MAX_FORMATTING_DEPTH, frozenset())
        _check_depth(_NESTING.findall(text), _MAX_DEPTH, _FLAT_TAGS)
    if len(text) > _LONG_TEXT:
        _check_attributes(text)
    return text


def _check_depth(tags: Iterable[tuple[str, str]], limit: int, flat: frozenset[str]) -> None:
    depth: Counter[str] = Counter()
    total = 0
    for closing, name in tags:
        name = name.lower()
        if name in flat:
            continue
        if not closing:
            depth[name] += 1
            total += 1
        elif depth[name]:
            depth[name] -= 1
            total -= 1
        if total > limit:
            raise DocumentRejected("hostile_structure", f"the page nests {name} and others more than {limit:,} deep")


def _check_attributes(text: str) -> None:
    for piece in text.split("<"):
        if len(piece) > 2 * _MAX_ATTRIBUTES and (tag := _START_TAG.match(piece)):
            names = _QUOTED.sub("", tag[0]).split(None, _MAX_ATTRIBUTES + 1)
            if len(names) > _MAX_ATTRIBUTES:
                message = f"a tag has more than {_MAX_ATTRIBUTES:,} attributes"
                raise DocumentRejected("hostile_structure", message)


# ---- the tree


def _read_markup(text: str) -> tuple[_Page, LexborHTMLParser]:
    """What a page prints, and its tree, with plain tables read from the source where that comes to the same."""
    is_hiding = may_hide(text)
    shortened, plain = cut_out_tables(text, _FEW_CELLS + 1, is_hiding)
    if plain:
        tree = LexborHTMLParser(shortened)
        selectors = _drop_hidden(tree) if is_hiding else []
        names = [re.split("[.#]", selector.lower())[-1] for selector in selectors]
        if not any(name in source for source in (table.source.lower() for table in plain) for name in names):
            walker = _Walker(plain=plain)
            page = walker.walk(tree)
            if walker.plain_count == len(plain) and not _has_stray_cells(walker, tree, shortened):
                return page, tree
    tree = LexborHTMLParser(text)
    return _read_tree(tree, text, is_hiding), tree


def _read_tree(tree: LexborHTMLParser, text: str, is_hiding: bool) -> _Page:
    """Walk a tree; cells outside any table leave no trace in it, so that they are marked and the text read again."""
    if is_hiding:
        _drop_hidden(tree)
    walker = _Walker()
    page = walker.walk(tree)
    if _has_stray_cells(walker, tree, text):
        tree = LexborHTMLParser(_CELL_TAG.sub(lambda match: _CELL_MARK + match[0], text))
        if is_hiding:
            _drop_hidden(tree)
        page = _Walker().walk(tree)
    return page


def _has_stray_cells(walker: _Walker, tree: LexborHTMLParser, text: str) -> bool:
    missing = text.count("<td") + text.count("<TD") - walker.cell_count + walker.other_count
    return missing > 0 and missing > _cells_in_scripts(tree)


def _cells_in_scripts(tree: LexborHTMLParser) -> int:
    sources = [node.text() for node in tree.css("script")]
    return sum(source.count("<td") + source.count("<TD") for source in sources)


def _drop_hidden(tree: LexborHTMLParser) -> list[str]:
    """Take out of the tree what its styles hide; the selectors of classes that do."""
    hidden: list[LexborNode] = list(tree.css("[hidden]"))
    for node in tree.css('[style*="none" i], [style*="hid" i]'):
        style = node.attributes.get("style") or ""
        if _UNSEEN.search(style):
            hidden.append(node)
        elif _INVISIBLE_STYLE.search(style):
            # An invisible cell still takes its place.
            hidden += node.iter(include_text=True) if node.tag in ("td", "th") else (node,)
    selectors = _hiding_selectors(tree)
    for selector in selectors:
        # A class that hides whole parts is often undone by a script; short words in a cell stay hidden.
        hidden += (n for n in tree.css(selector) if len(n.text()) <= _MAX_HIDDEN_BY_CLASS and not n.css_first("table"))
    for node in {node.mem_id: node for node in hidden if node.tag not in ("html", "body")}.values():
        node.remove()
    return selectors


def _hiding_selectors(tree: LexborHTMLParser) -> list[str]:
    selectors = []
    for style in tree.css("style"):
        for names, body in _STYLE_RULE.findall(_MEDIA.sub("", style.text())):
            if _UNSEEN.search(body) or _INVISIBLE_STYLE.search(body):
                selectors += [n for n in map(str.strip, names.split(",")) if _SIMPLE_SELECTOR.fullmatch(n)]
    return list(dict.fromkeys(selectors))[:_MAX_SELECTORS]


class _Walker:
    """One walk over a tree in document order, without recursion."""

    def __init__(self, is_data: bool = False, plain: Sequence[PlainTable] = ()) -> None:
        """``is_data``: the outermost table is one of data whatever it looks like; ``plain``: what was cut out."""
        self.cell_count = 0
        # Those that are no ``td`` of the parsed text: heading cells, and all that were cut out.
        self.other_count = 0
        self.plain_count = 0
        self._plain = plain
        self._examined = 0
        self._is_data = is_data
        self._page = _Page()
        self._target: list[_Piece] = self._page.pieces
        self._tables: list[_Table] = []
        self._buffer: list[str] = []
        self._linked: list[int] = []
        self._link: str | None = None
        self._label: list[str] = []
        self._url: str | None = None
        self._is_heading = False
        self._is_pre = False

    def walk(self, tree: LexborHTMLParser) -> _Page:
        """What the body of a tree prints."""
        root = tree.body or tree.root
        kinds = _KINDS
        buffer = self._buffer
        open_nodes: list[tuple[LexborNode, int, list[_Piece]]] = []
        node = root
        while node is not None:
            tag_id = node.tag_id
            if tag_id == _TEXT_ID:
                self._write(node.text_content or "")
            else:
                kind = kinds.get(tag_id, 0)
                target = self._target
                child = None
                if kind == 0:
                    child = node.first_child
                    if tag_id == _INSTRUCTION_ID and (node.html or "").startswith("<?cell"):
                        self._flush()
                elif kind == _LINE:
                    self._flush()
                    child = node.first_child
                elif kind == _CELL and self._tables:
                    self._flush()
                    pieces = self._add_cell(node)
                    child = node.first_child
                    # Most cells hold one text and nothing else.
                    if child is not None and child.tag_id == _TEXT_ID and child.next is None:
                        text = clean(child.text_content or "")
                        if text:
                            pieces.append(text)
                        child = None
                    elif child is not None:
                        self._target = pieces
                elif kind == _TABLE and self._read_plain_table(node):
                    pass
                elif kind != _SKIP and self._enter(node, kind):
                    child = node.first_child
                    if child is None:
                        self._leave(node, kind, target)
                if child is not None:
                    open_nodes.append((node, kind, target))
                    if len(open_nodes) > 2 * _MAX_DEPTH:
                        raise DocumentRejected("hostile_structure", f"the page nests more than {_MAX_DEPTH:,} deep")
                    node = child
                    continue
                if not open_nodes:
                    break
            following = node.next
            while following is None and open_nodes:
                node, kind, target = open_nodes.pop()
                if kind == _LINE:
                    if buffer:
                        self._flush()
                elif kind:
                    self._leave(node, kind, target)
                following = node.next if open_nodes else None
            node = following
        self._flush()
        return self._page

    def _write(self, text: str) -> None:
        if not self._buffer and not text.strip(WHITE):
            return
        if self._link is not None:
            self._linked.append(len(self._buffer))
            self._label.append(text)
        if self._is_pre and "\n" in text:
            self._write_lines(text)
        else:
            self._buffer.append(text)

    def _enter(self, node: LexborNode, kind: int) -> bool:
        """Note the start of an element; whether to read what is in it."""
        if kind == _BREAK:
            self._flush()
            return False
        if kind == _LINK:
            url = node.attributes.get("href")
            if url and self._link is None:
                self._link = url
                self._label = []
            return True
        if kind == _APART:
            # A note number is no part of the number before it.
            self._buffer.append(" ")
            return True
        if kind == _INPUT:
            self._write_input(node)
            return False
        if kind == _CHOICE:
            return bool(self._tables) and "selected" in node.attributes
        self._flush()
        if kind == _ROW:
            if self._tables:
                table = self._tables[-1]
                if not table.groups:
                    table.groups.append((1, []))
                table.groups[-1][1].append([])
        elif kind == _GROUP:
            if self._tables:
                self._tables[-1].groups.append((GROUP_RANKS[node.tag or "tbody"], []))
        elif kind == _TABLE:
            self._tables.append(_Table())
            if len(self._tables) > _MAX_TABLE_DEPTH:
                raise DocumentRejected("hostile_structure", f"tables stand {_MAX_TABLE_DEPTH} deep in one another")
        elif kind == _CAPTION and self._tables:
            self._target = self._tables[-1].before
        elif kind == _HEADING:
            self._is_heading = True
        elif kind == _PRE:
            self._is_pre = True
        elif kind == _BLOCK and not self._tables:
            return not self._is_furniture(node)
        return True

    def _is_furniture(self, node: LexborNode) -> bool:
        """Whether to leave a part out; nested marks are looked at until that would take long."""
        marks = _furniture_marks(node)
        if not marks or self._examined > MAX_CHARACTERS:
            return False
        # A table that was cut out has more cells than furniture has.
        if self._plain and node.css_first(f"[{MARK}]") is not None:
            return False
        text = node.text()
        self._examined += len(text)
        return len(text) <= _MAX_PART and _is_furniture(node, text, marks)

    def _read_plain_table(self, node: LexborNode) -> bool:
        """Put the table that was cut out of the source where its mark stands; false where there is none."""
        if not self._plain or (mark := node.attributes.get(MARK)) is None:
            return False
        # Words in a link or a heading are told apart, and lines as they stand are kept: those the tree has to show.
        if self._link is None and not self._is_heading and not self._is_pre:
            table = self._plain[int(mark)]
            self._flush()
            if len(self._tables) + 1 > _MAX_TABLE_DEPTH:
                raise DocumentRejected("hostile_structure", f"tables stand {_MAX_TABLE_DEPTH} deep in one another")
            self._count_cells(table.cells, table.cells)
            self._target.append(_Grid(expand(table.groups), 0))
            self.plain_count += 1
        return True

    def _count_cells(self, cells: int, others: int) -> None:
        self.cell_count += cells
        self.other_count += others
        if self.cell_count > MAX_SLOTS:
            raise DocumentRejected("hostile_structure", f"the tables have more than {MAX_SLOTS:,} cells")

    def _add_cell(self, node: LexborNode) -> list[_Piece]:
        """Add a cell to the open row; where its text goes."""
        self._count_cells(1, node.tag_id != _TD_ID)
        attributes = node.attributes
        row_span = column_span = 1
        if "rowspan" in attributes:
            row_span = span(attributes["rowspan"])
        if "colspan" in attributes:
            column_span = min(span(attributes["colspan"]) or 1, MAX_COLUMN_SPAN)
        groups = self._tables[-1].groups
        if not groups:
            groups.append((1, []))
        rows = groups[-1][1]
        if not rows:
            rows.append([])
        pieces: list[_Piece] = []
        rows[-1].append(_Cell(row_span, column_span, pieces))
        return pieces

    def _leave(self, node: LexborNode, kind: int, target: list[_Piece]) -> None:
        if kind == _LINK:
            self._leave_link()
            return
        if kind == _APART:
            self._buffer.append(" ")
            return
        self._flush()
        self._target = target
        if kind == _HEADING:
            self._is_heading = False
        elif kind == _PRE:
            self._is_pre = False
        elif kind == _ROW:
            self._leave_row(node)
        elif kind == _TABLE:
            is_data = self._is_data and len(self._tables) == 1
            target += _finished(self._tables.pop(), is_data)

    def _leave_row(self, node: LexborNode) -> None:
        """A row of no height that prints nothing is how Word keeps the widths of columns."""
        if self._tables and self._tables[-1].groups:
            rows = self._tables[-1].groups[-1][1]
            if rows and not any(cell.pieces for cell in rows[-1]) and node.attributes.get("height") == "0":
                rows.pop()

    def _leave_link(self) -> None:
        if self._link is None:
            return
        url, self._link = self._link.strip(), None
        label = clean("".join(self._label))
        is_file = _FILE.search(url) or _FILE.search(label) or "附件" in label
        if is_file and _FETCHABLE.match(url):
            self._page.attachments.append(Link(url, label))
            # The words of an attachment are part of the article.
            self._linked.clear()
        elif self._linked:
            self._url = url

    def _write_input(self, node: LexborNode) -> None:
        attributes = node.attributes
        if self._tables and (attributes.get("type") or "text").lower() in ("text", "number"):
            self._buffer.append(attributes.get("value") or "")

    def _write_lines(self, text: str) -> None:
        first, *others = text.split("\n")
        self._buffer.append(first)
        for line in others:
            self._flush()
            self._buffer.append(line)

    def _flush(self) -> None:
        """End the line."""
        buffer = self._buffer
        if not buffer:
            return
        text = clean(buffer[0] if len(buffer) == 1 else "".join(buffer))
        if text:
            if self._linked or self._is_heading:
                linked = set(self._linked)
                plain = "".join(part for n, part in enumerate(buffer) if n not in linked)
                url = self._link or self._url if linked else None
                self._target.append(_Line(text, plain, url, self._is_heading))
            else:
                self._target.append(text)
        buffer.clear()
        self._linked.clear()


def _without_invisible(text: str) -> str:
    """Text without the characters of no width, which are printed by nothing and part words and numbers."""
    if "&" in text and ("&#" in text or "&zw" in text or "&shy" in text or "&Zero" in text):
        text = _INVISIBLE_ENTITY.sub("", text)
    for char in _INVISIBLE:
        if char in text:
            text = text.replace(char, "")
    return text


# ---- tables


def _finished(table: _Table, is_data: bool) -> list[_Piece]:
    """A closed table: one of data as a grid, one that only places text as what it holds."""
    groups = [rows for _, rows in sorted(table.groups, key=lambda group: group[0])]
    cells = [cell for rows in groups for row in rows for cell in row]
    if is_data or _is_data(groups, cells):
        slots = expand(
            [
                [
                    ([_cell_text(cell) for cell in row], [(cell.row_span, cell.column_span) for cell in row])
                    for row in rows
                ]
                for rows in groups
            ]
        )
        linked = sum(
            len(p.text) - len(p.plain) for cell in cells for p in cell.pieces if isinstance(p, _Line) and p.url
        )
        return [*table.before, _Grid(slots, linked)]
    pieces = table.before
    for rows in groups:
        for row in rows:
            pieces += _laid_out(row)
    return pieces


def _is_data(groups: list[list[list[_Cell]]], cells: list[_Cell]) -> bool:
    """Whether a table holds data: more than one column, not pages of prose, and more cells than tables within it."""
    if max((len(row) for rows in groups for row in rows), default=0) < 2:
        return False
    nested = sum(len(p.slots) for cell in cells for p in cell.pieces if isinstance(p, _Grid))
    if nested:
        own = sum(1 for cell in cells if cell.pieces and not any(isinstance(p, _Grid) for p in cell.pieces))
        return own >= _OWN_CELLS and own > nested
    if len(cells) <= _FEW_CELLS:
        return not any(len(cell.pieces) >= _PROSE_LINES and len(_cell_text(cell)) >= _PROSE for cell in cells)
    return True


def _laid_out(row: list[_Cell]) -> list[_Piece]:
    """The pieces of a row of a layout table; short lines side by side stay one line."""
    if len(row) > 1 and all(len(cell.pieces) <= 1 for cell in row):
        pieces = [piece for cell in row for piece in cell.pieces]
        if all(isinstance(piece, str) for piece in pieces) and sum(map(len, pieces)) <= _MAX_FURNITURE:  # type: ignore[arg-type]
            return [" ".join(pieces)] if pieces else []  # type: ignore[arg-type]
    return [piece for cell in row for piece in cell.pieces]


def _cell_text(cell: _Cell) -> str:
    pieces = cell.pieces
    if not pieces:
        return ""
    if len(pieces) == 1 and isinstance(pieces[0], str):
        text = pieces[0]
    else:
        text = "\n".join(_piece_text(piece) for piece in pieces)
    return without_readings(text) if "(" in text or "（" in text else text


def _piece_text(piece: _Piece) -> str:
    if isinstance(piece, str):
        return piece
    if isinstance(piece, _Line):
        return piece.text
    return "\n".join(slot.text for slot in piece.slots if slot.text)


# ---- site furniture


def _furniture_marks(node: LexborNode) -> str:
    """Which kind of furniture the marks of an element name: ``footer``, ``links`` or nothing."""
    tag = node.tag
    attributes = node.attributes
    marks = " ".join(value for name in ("class", "id") if (value := attributes.get(name)))
    if tag == "footer" or (marks and _FOOTER_MARK.search(marks)):
        return "footer"
    return "links" if tag in ("nav", "aside") or (marks and _FURNITURE_MARK.search(marks)) else ""


def _is_furniture(node: LexborNode, text: str, marks: str) -> bool:
    """Whether a marked part of the page is furniture and nothing in it speaks against."""
    if node.css_first("h1") is not None or len(node.css("td")) > _FEW_CELLS:
        return False
    # Attachments may be listed in a box of related matter.
    links = node.css("a")
    if "附件" in text and any("附件" in link.text() for link in links):
        return False
    if any(_FILE.search(link.attributes.get("href") or "") for link in links):
        return False
    if marks == "footer":
        return len(text) <= _MAX_FOOTER
    for link in links:
        text = text.replace(link.text(), "", 1)
    return bool(_ONLY_SIGNS.fullmatch(_FURNITURE_WORDS.sub("", text)))


def _without_furniture(pieces: Sequence[_Piece]) -> Iterator[_Piece]:
    """The pieces but for link lists, breadcrumbs and the lines every page of a site has."""
    urls = Counter(piece.url for piece in pieces if isinstance(piece, _Line) and piece.url)
    for piece in pieces:
        if isinstance(piece, _Grid):
            if piece.linked and not piece.has_figures():
                text = sum(len(slot.text) for slot in piece.slots)
                if piece.linked * 10 >= text * 7:
                    continue
        elif isinstance(piece, _Line):
            # A link that was never closed covers the whole article.
            is_runaway = (
                piece.url is not None and urls[piece.url] >= _RUNAWAY_LINES and bool(_FETCHABLE.match(piece.url))
            )
            if piece.url and not piece.is_heading and not is_runaway and _is_link_line(piece):
                continue
        elif len(piece) <= _MAX_FURNITURE and _is_site_line(piece):
            continue
        yield piece


def _without_copy(pieces: list[_Piece]) -> list[_Piece]:
    """The pieces without a second copy of the article, which pages hold for another width of screen.

    A copy repeats a table and all around it word for word, and nothing that is new stands between the two: where
    another body's report follows, its name does.
    """
    first: dict[tuple[Slot, ...], int] = {}
    for at, piece in enumerate(pieces):
        if isinstance(piece, _Grid) and len(piece.slots) >= _ARTICLE_CELLS:
            before = first.setdefault(tuple(piece.slots), at)
            if before < at:
                break
    else:
        return pieces
    keys = [tuple(p.slots) if isinstance(p, _Grid) else p if isinstance(p, str) else p.text for p in pieces]
    start, end, distance = before, at, at - before
    while start > 0 and keys[start - 1] == keys[start - 1 + distance]:
        start -= 1
    while end < len(keys) and keys[end] == keys[end - distance]:
        end += 1
    printed = set(keys[: end - distance])
    if end - distance > start + distance or not printed.issuperset(keys[end - distance : start + distance]):
        return pieces
    return pieces[: end - distance] + pieces[end:]


def _is_link_line(line: _Line) -> bool:
    if len(line.text) > _MAX_FURNITURE:
        return False
    return bool(
        _CRUMB.match(line.text)
        or _SITE_LINE.search(line.text)
        or _ONLY_SIGNS.fullmatch(_FURNITURE_WORDS.sub("", line.plain))
    )


def _is_site_line(line: str) -> bool:
    if _SITE_LINE.search(line):
        return True
    if len(line) <= 3 or _WORDS_OF_SITE.search(line) is None or any(char.isdigit() for char in line):
        return False
    return not _FURNITURE_WORDS.sub("", line)


# ---- bodies in scripts


def _shipped_bodies(text: str) -> list[ShippedBody]:
    """Bodies in scripts, templates, form fields and frames of a page that prints no article."""
    tree = LexborHTMLParser(text)
    found: list[ShippedBody] = []
    for node in tree.css("script, template, textarea, xmp, noframes, input[type=hidden]"):
        if node.tag == "script":
            source = node.text()
            if (node.attributes.get("type") or "").lower() in ("text/html", "text/template", "text/x-template"):
                markup = as_markup(source)
                found += [ShippedBody(markup)] if markup else []
            else:
                found += find_bodies(source)
            continue
        inner = (
            node.attributes.get("value")
            if node.tag == "input"
            else node.inner_html
            if node.tag == "template"
            else node.text()
        )
        markup = as_markup(inner or "")
        if markup:
            found.append(ShippedBody(markup))
    return list({body.markup: body for body in found}.values())


def _with_bodies(page: _Page, bodies: list[ShippedBody]) -> _Page:
    """The page followed by the body that its scripts ship, when that holds more than the page prints."""
    chosen = choose_bodies(bodies)
    if chosen is None:
        message = "the scripts of the page ship several articles of like size; which one it shows cannot be told"
        raise DocumentRejected("several_reports", message)
    if sum(body.weight for body in chosen) <= page.weight:
        return page
    whole = _Page(list(page.pieces), list(page.attachments))
    printed = {piece if isinstance(piece, str) else piece.text for piece in page.pieces if not isinstance(piece, _Grid)}
    for body in chosen:
        if body.title and body.title not in printed:
            printed.add(body.title)
            whole.pieces.append(_Line(body.title, body.title, None, True))
        markup = _checked(body.markup)
        part, _ = _read_markup(markup)
        whole.pieces += part.pieces
        whole.attachments += part.attachments
    return whole


def _metadata(tree: LexborHTMLParser, bodies: Sequence[ShippedBody]) -> tuple[Metadata, ...]:
    """The title of the page and its meta tags, the government's own names first."""
    found: list[tuple[int, Metadata]] = []
    title = tree.css_first("title")
    if title is not None and (value := clean(title.text())):
        found.append((-1, Metadata(MetadataName.TITLE, value)))
    for node in tree.css("meta[content]"):
        attributes = node.attributes
        name = (
            (attributes.get("name") or attributes.get("property") or attributes.get("itemprop") or "").strip().lower()
        )
        value = clean(attributes.get("content") or "")
        if name in _META_NAMES and value:
            found.append((_META_ORDER[name], Metadata(_META_NAMES[name], value)))
    for body in (choose_bodies(list(bodies)) or [])[:1]:
        if body.title:
            found.append((len(_META_ORDER), Metadata(MetadataName.ARTICLE_TITLE, body.title)))
    found.sort(key=lambda item: item[0])
    return tuple(dict.fromkeys(metadata for _, metadata in found))
