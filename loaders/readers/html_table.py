"""Tables of web pages: cells to slots, and plainly written tables read from the source without the parser.

A plain table is closed and nested as the standard has it: the table, columns, groups, rows, cells, each ended by
its own tag, and in a cell nothing but text, breaks and the few tags that only shape text. The parser could read it
in one way only, so that its cells are cut out of the source, and what is parsed holds an empty table in its place.
Whether that place is one where a table is printed is for the parser to say: a marked table that is not met in the
tree, or is met in a link, was none. Any other table is left to the parser.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache, partial
from html import unescape
from itertools import chain, compress, count, repeat
from operator import itemgetter

from loaders.errors import DocumentRejected
from loaders.readers.build import MAX_COLUMN_SPAN, MAX_SLOTS, Slot

Spans = tuple[int, int]
# A row: the texts of its cells, and how many rows and columns each says to span; null where none spans any other.
GridRow = tuple[list[str], list[Spans] | None]
# For each group and row the number of cells, and their spans.
_Shape = tuple[tuple[tuple[int, tuple[Spans, ...] | None], ...], ...]
_Columns = tuple[tuple[int, ...], ...]

MARK = "data-plain-table"
WHITE = " \t\r\n\f"
GROUP_RANKS = {"thead": 0, "tbody": 1, "tfoot": 2}

_WIDE = "[\u2e80-\u9fff\uf900-\ufaff\u3000-\u303f\uff01-\uff0f\uff1a-\uff20]"
_WIDE_WRAP = re.compile(rf"(?<={_WIDE})[ \t\r\f]*\n[ \t\r\f\n]*(?={_WIDE})")
_SPACES = re.compile(r"[ \t\r\f\n]+")
_SPAN = re.compile(r"\s*\+?(\d{1,9})")

# Tags in one case throughout: a page's cells are counted so.
_SPACE = r"[ \t\n\r\f]"
_VALUE = r"""(?:"[^"<>]*+"|'[^'<>]*+'|[^\s"'<>=`]++)"""
_ATTRIBUTES = rf"""(?:{_SPACE}++[^\s"'<>/=]++(?:="[^"<>]*+"|{_SPACE}*+={_SPACE}*+{_VALUE})?+)*+{_SPACE}*+/?+"""
_SHAPES = "p|div|span|font|b|strong|i|em|u|big|small|center|o:p"
_SHAPES = f"{_SHAPES}|{_SHAPES.upper()}"
_TABLE_TAG = re.compile(r"<(/?)(?:table|TABLE)\b")
_TABLE_START = re.compile(
    rf"<(?:table|TABLE)({_ATTRIBUTES})>(?:{_SPACE}*+<(?:col|COL|/?colgroup|/?COLGROUP){_ATTRIBUTES}>)*+"
)
_TABLE_END = re.compile(rf"</(?:table|TABLE){_SPACE}*+>")
_ROW_TAG = re.compile(rf"<(/?)(tr|tbody|thead|tfoot|TR|TBODY|THEAD|TFOOT)({_ATTRIBUTES})>")
# Up to the next tag of a table; what is in it is looked at apart.
_CELL = re.compile(rf"<(t[dh]|T[DH])(|{_ATTRIBUTES})>([^<]*+(?:<(?!/?[tT])[^<]*+)*+)</\1{_SPACE}*+>")
_ATTRIBUTE = re.compile(r"""([^\s"'<>/=]+)(?:[ \t\n\r\f]*=[ \t\n\r\f]*(?:"([^"]*)"|'([^']*)'|([^\s"'<>=`]+)))?""")
_SHAPE = re.compile(rf"<(/?)({_SHAPES}|br|BR){_ATTRIBUTES}>")
# One text in tags that shape it, as Word and most editors write a cell.
_ONE_TEXT = re.compile(
    rf"{_SPACE}*+<({_SHAPES}){_ATTRIBUTES}>{_SPACE}*+"
    rf"(?:<({_SHAPES}){_ATTRIBUTES}>{_SPACE}*+(?:<({_SHAPES}){_ATTRIBUTES}>{_SPACE}*+)?+)?+"
    rf"([^<]*+)(?:<o:p></o:p>)?+{_SPACE}*+"
    rf"(?(3)</\3>{_SPACE}*+)(?(2)</\2>{_SPACE}*+)</\1>{_SPACE}*+"
)
_LINES = frozenset(("p", "div", "center", "br"))
# Those of which every reader of HTML makes the same character, and none of them white space to be folded.
_ENTITY = re.compile(
    "&(?:nbsp|amp|lt|gt|quot|ensp|emsp|ldquo|rdquo|lsquo|rsquo|mdash|ndash|middot|hellip|times|bull|yen|"
    "#(?:3[3-9]|[4-9][0-9]|1[01][0-9]|1[6-9][0-9]|[2-9][0-9]{2}|[1-9][0-9]{3}|[1-4][0-9]{4}));"
)
_RANK = itemgetter(0)
_TEXTS = itemgetter(0)
_as_slot = partial(tuple.__new__, Slot)
_NO_PAGE = repeat(None)
# Larger tables are laid out anew each time.
_MOST_REMEMBERED = 2_000
_LONGEST_CACHED = 100

_MAY_HIDE = {
    b"display": re.compile(r"display\s*:\s*none"),
    b"hid": re.compile(r"visibility\s*:\s*hid|mso-hide|hidden[\s=>/]"),
}
# A character reference in a tag might spell a style that hides.
_ENCODED = re.compile(r"<[^<>]*&(?!quot;|nbsp;|amp;|lt;|gt;)")

# The vowels of pinyin with and without tone marks.
_SYLLABLE = re.compile(
    "(?:zh|ch|sh|[bpmfdtnlgkhjqxzcsryw])?(?:[iuü]?[aāáǎà](?:o|i|ng|n)?|[iuü]?[eēéěè](?:i|r|ng|n)?|[oōóǒò](?:u|ng|n)?|"
    "[iīíǐì](?:u|ong|ng|n)?|[uūúǔùüǖǘǚǜ](?:[iīíǐì]|[oōóǒò]|n)?)(?![̀-ͯ])"
)
_BRACKETED_LATIN = re.compile("(?<=([\u4e00-\u9fff]))[(（]([a-zāáǎàēéěèīíǐìōóǒòūúǔùüǖǘǚǜ' ]{6,})[)）]")
_HAN_TAIL = re.compile("[\u4e00-\u9fff]+$")


@dataclass(frozen=True, slots=True)
class PlainTable:
    """A table as it was cut out of the source: its row groups in the order they are shown, and its cells counted."""

    source: str
    attributes: str
    groups: list[list[GridRow]]
    cells: int
    headings: int

    @property
    def has_columns(self) -> bool:
        """Whether a row has more than one cell."""
        return any(len(texts) > 1 for rows in self.groups for texts, _ in rows)


# ---- text


def clean(text: str) -> str:
    """White space as a browser folds it: a wrap between two wide characters is nothing, any other run one space."""
    if text.isalnum():
        return text
    text = text.strip(WHITE)
    if "\n" in text or "  " in text or "\t" in text or "\r" in text or "\f" in text:
        text = _SPACES.sub(" ", _WIDE_WRAP.sub("", text))
    return text


def span(printed: str | None) -> int:
    """The number an attribute begins with, as the standard reads it; 1 where it has none."""
    match = _SPAN.match(printed or "")
    return int(match[1]) if match else 1


# ---- from the source


def may_hide(text: str) -> bool:
    """Whether anything in a page may be hidden by a style."""
    encoded = text.encode("utf-8", "surrogatepass").lower()
    found = [pattern for word, pattern in _MAY_HIDE.items() if word in encoded]
    lowered = text.lower() if found else ""
    return any(pattern.search(lowered) for pattern in found)


def cut_out_tables(text: str, min_cells: int, is_hiding: bool) -> tuple[str, list[PlainTable]]:
    """A page with an empty, marked table for each plain one with columns and so many ``td`` cells, and those in order.

    ``is_hiding`` says that the page may hide parts of itself: then tables that might be hidden in part are left.
    """
    tables: list[PlainTable] = []
    if _is_odd(text) or MARK.encode() in text.encode().lower():
        return text, tables
    parts: list[str] = []
    at, start = 0, None
    for tag in _TABLE_TAG.finditer(text):
        begin, start = start, None if tag[1] else tag.start()
        if begin is None or not tag[1]:
            continue
        closing = _TABLE_END.match(text, tag.start())
        end = closing.end() if closing else begin
        if text.count("<td", begin, end) + text.count("<TD", begin, end) < min_cells:
            continue
        source = text[begin:end]
        if is_hiding and (may_hide(source) or _ENCODED.search(source)):
            continue
        table = _read(source)
        if table is not None and table.cells - table.headings >= min_cells and table.has_columns:
            parts += text[at:begin], f'<table {MARK}="{len(tables)}"{table.attributes}></table>'
            tables.append(table)
            at = end
    parts.append(text[at:])
    return "".join(parts), tables


def read_plain_table(source: str) -> PlainTable | None:
    """A table that is the whole of the source, and hides nothing; null when it is not plain."""
    return None if _is_odd(source) or may_hide(source) else _read(source)


def _is_odd(text: str) -> bool:
    """Whether there are characters that the parser leaves out."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return "\0" in text


class _NotPlain(Exception):
    """Something in a table that only the parser can read."""


def _read(source: str) -> PlainTable | None:
    start = _TABLE_START.match(source)
    end = source.rfind("</")
    if start is None or not _TABLE_END.fullmatch(source, end):
        return None
    inner = source[start.end() : end]
    if "\r" in inner:
        inner = inner.replace("\r\n", "\n").replace("\r", "\n")
    parts: list[str] = _CELL.split(inner)
    names = parts[1::4]
    try:
        groups = _groups(parts)
    except _NotPlain:
        return None
    return PlainTable(source, start[1].rstrip("/"), groups, len(names), names.count("th") + names.count("TH"))


def _groups(parts: list[str]) -> list[list[GridRow]]:
    """The row groups as they are shown, given the source cut at its cells: what is between, name, attributes, text."""
    texts = [
        text if text.isalnum() or not text else (_short_text if len(text) <= _LONGEST_CACHED else _cell_text)(text)
        for text in parts[3::4]
    ]
    # Most cells are written alike, and so is what stands between them.
    span_of = {part: (_short_spans if len(part) <= _LONGEST_CACHED else _spans)(part) for part in set(parts[2::4])}
    spans = list(map(span_of.__getitem__, parts[2::4]))
    gaps = parts[::4]
    tags_of = {gap: (_short_tags if len(gap) <= _LONGEST_CACHED else _row_tags)(gap) for gap in set(gaps)}
    tags = list(map(tags_of.__getitem__, gaps))
    groups: list[tuple[int, list[GridRow]]] = []
    rows: list[GridRow] | None = None
    group = of_row = ""
    begin, end = None, 0
    for at in compress(count(), tags):
        for closing, name, attributes in tags[at]:
            if closing and name == "tr":
                if begin is None or rows is None:
                    raise _NotPlain
                row, spans_of_row = texts[begin:at], spans[begin:at]
                # A row of no height that prints nothing is how Word keeps the widths of columns.
                if any(row) or not of_row or _values(of_row).get("height") != "0":
                    rows.append((row, None if spans_of_row.count((1, 1)) == len(row) else spans_of_row))
                begin, end = None, at
            elif begin is not None or end != at:
                # A tag between the cells of a row, or cells that stand in none.
                raise _NotPlain
            elif name == "tr":
                if rows is None:
                    rows = []
                    groups.append((GROUP_RANKS["tbody"], rows))
                begin, of_row = at, attributes
            elif closing:
                if group != name:
                    raise _NotPlain
                group, rows = "", None
            else:
                if group:
                    raise _NotPlain
                group, rows = name, []
                groups.append((GROUP_RANKS[name], rows))
    if begin is not None or group or end != len(texts):
        raise _NotPlain
    return [rows for _, rows in sorted(groups, key=_RANK)]


def _row_tags(gap: str) -> list[tuple[str, str, str]]:
    """The tags between two cells: the stroke of a closing one, its name and its attributes."""
    if not gap:
        return []
    parts = _ROW_TAG.split(gap)
    if "".join(parts[::4]).strip(WHITE):
        raise _NotPlain
    return [(parts[n], parts[n + 1].lower(), parts[n + 2]) for n in range(1, len(parts), 4)]


_short_tags = lru_cache(maxsize=1024)(_row_tags)


def _cell_text(content: str) -> str:
    if "<" not in content:
        text = _text(content)
    elif one := _ONE_TEXT.fullmatch(content):
        text = one[4]
        text = text if text.isalnum() else _text(text)
    else:
        text = "\n".join(filter(None, _lines(content)))
    return without_readings(text) if "(" in text or "（" in text else text


_short_text = lru_cache(maxsize=8192)(_cell_text)


def _lines(content: str) -> list[str]:
    # Cut into text, and for each tag its stroke, its name and the text after it.
    first, *parts = _SHAPE.split(content)
    lines: list[str] = []
    buffer = [first]
    open_names: list[str] = []
    for closing, name, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        name = name.lower()
        if closing:
            if not open_names or open_names.pop() != name:
                raise _NotPlain
        elif name != "br":
            open_names.append(name)
        if name in _LINES:
            lines.append(_text("".join(buffer)))
            buffer.clear()
        buffer.append(text)
    if open_names:
        raise _NotPlain
    lines.append(_text("".join(buffer)))
    return lines


def _text(source: str) -> str:
    if "<" in source:
        raise _NotPlain
    if "&" in source:
        if source.count("&") != len(_ENTITY.findall(source)):
            raise _NotPlain
        source = unescape(source)
    return clean(source)


def _spans(attributes: str) -> Spans:
    if "span" not in attributes.lower():
        return 1, 1
    values = _values(attributes)
    row_span = span(values["rowspan"]) if "rowspan" in values else 1
    column_span = min(span(values["colspan"]) or 1, MAX_COLUMN_SPAN) if "colspan" in values else 1
    return row_span, column_span


_short_spans = lru_cache(maxsize=1024)(_spans)


def _values(attributes: str) -> dict[str, str]:
    if "&" in attributes:
        raise _NotPlain
    values: dict[str, str] = {}
    for name, *value in _ATTRIBUTE.findall(attributes):
        values.setdefault(name.lower(), "".join(value))
    return values


# ---- to slots


def expand(groups: list[list[GridRow]]) -> list[Slot]:
    """The slots of rows of cells by the table model of HTML; a span ends with its row group.

    Raises:
        DocumentRejected: ``hostile_structure`` when the spans cover more slots than a report can have.
    """
    rows = [row for group in groups for row in group]
    texts = list(chain.from_iterable(map(_TEXTS, rows)))
    shape = tuple([tuple([(len(row), tuple(spans) if spans else None) for row, spans in group]) for group in groups])
    columns = (_known_slots if len(texts) <= _MOST_REMEMBERED else _slots)(shape)
    return list(map(_as_slot, zip(texts, *columns, _NO_PAGE)))  # noqa: B905


def _slots(shape: _Shape) -> _Columns:
    """The rows, the columns and the spans of cells, given how many each row has and what they say they span."""
    found: list[tuple[int, int, int, int]] = []
    at = 0
    covered = 0
    for rows in shape:
        # For each column the row up to which a cell above covers it.
        taken: list[int] = []
        lowest = 0
        end = at + len(rows)
        for width, spans in rows:
            if not width and lowest <= at:
                end -= 1
                continue
            column = 0
            for row_span, column_span in spans or repeat((1, 1), width):
                while column < len(taken) and taken[column] > at:
                    column += 1
                if row_span != 1:
                    row_span = min(row_span, end - at) if row_span else end - at
                last = column + column_span
                covered += row_span * column_span
                if covered > MAX_SLOTS or last > MAX_SLOTS:
                    message = f"the cells of a table span more than {MAX_SLOTS:,} slots"
                    raise DocumentRejected("hostile_structure", message)
                if row_span > 1:
                    until = at + row_span
                    lowest = max(lowest, until)
                    taken += [0] * (last - len(taken))
                    taken[column:last] = [max(until, other) for other in taken[column:last]]
                found.append((at, column, row_span, column_span))
                column = last
            at += 1
    return tuple(zip(*found, strict=True)) or ((), (), (), ())


# Most tables are one of a few forms, filled in.
_known_slots = lru_cache(maxsize=512)(_slots)


def without_readings(text: str) -> str:
    """A cell without the pinyin that some sites print after words: 公开(gongkai)."""
    return _BRACKETED_LATIN.sub(lambda match: "" if _is_reading(text[: match.start()], match[2]) else match[0], text)


def _is_reading(before: str, latin: str) -> bool:
    """Whether letters are the pinyin of the characters before them: as many syllables, letter by letter pinyin."""
    tail = _HAN_TAIL.search(before)
    word = re.sub("[' ]", "", latin)
    syllables = [match[0] for match in _SYLLABLE.finditer(word)]
    return tail is not None and "".join(syllables) == word and 2 <= len(syllables) <= len(tail[0])
