"""Word files that are XML: the main part of a package to blocks.

In: an opened package. Out: its paragraphs and tables in reading order, as they are printed: with the numbers of
automatic lists, without deleted and hidden text, field codes, headers, footers, notes and comments. Text boxes
follow the paragraph they are anchored in; of alternative contents the first with words is taken. Both the
transitional and the strict namespace are read. Macros and embedded objects are never opened.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from loaders.errors import DocumentRejected
from loaders.readers.container import Archive
from loaders.readers.word_blocks import WordBlock, WordCell, WordTable, refuse_deep
from loaders.readers.word_numbering import Counters, Level

_MARKUP = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_MATH = (
    "{http://schemas.openxmlformats.org/officeDocument/2006/math}",
    "{http://purl.oclc.org/ooxml/officeDocument/math}",
)
_FALSE = ("0", "false", "off", "none")
_AROUND = frozenset({"sdt", "sdtContent", "customXml", "ins", "moveTo", "smartTag"})
_AROUND_RUNS = _AROUND | {"hyperlink", "fldSimple", "bdo", "dir", "ruby", "rubyBase", "math"}
_SIGNS = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_PICTURES = frozenset({"drawing", "pict", "object"})
_MAX_BASED_ON = 20


@dataclass(frozen=True, slots=True)
class _Style:
    based_on: str | None
    is_hidden: bool | None
    list_id: str | None
    level: int | None


@dataclass(frozen=True, slots=True)
class _List:
    """A use of a list: what it shares its numbers with, its levels, and where it starts anew."""

    counted_as: str
    levels: dict[int, Level]
    overrides: dict[int, int]
    style_levels: dict[str, int]


def read_blocks(archive: Archive, main_part: str) -> list[WordBlock]:
    """The blocks of a document in reading order.

    Raises:
        DocumentRejected: ``damaged_document`` when there is no body, or what the archive refuses.
    """
    root = archive.read_xml(main_part)
    namespace = root.tag[: root.tag.find("}") + 1]
    body = root.find(f"{namespace}body")
    if body is None:
        raise DocumentRejected("damaged_document", f"the part {main_part} has no body")
    folder = posixpath.dirname(main_part)
    try:
        return _Body(_Names(namespace), archive, folder).blocks(body, 0)
    except RecursionError as error:
        raise DocumentRejected("hostile_structure", f"the part {main_part} is nested beyond reason") from error


class _Names(dict[object, str]):
    """Tags to short names: those of the Word, markup-compatibility and mathematics namespaces, others empty."""

    def __init__(self, namespace: str) -> None:
        super().__init__()
        self.word = namespace
        self.val = namespace + "val"

    def __missing__(self, tag: object) -> str:
        name = ""
        if isinstance(tag, str):
            prefix, _, local = tag.rpartition("}")
            if prefix + "}" == self.word:
                name = local
            elif prefix + "}" == _MARKUP and local == "AlternateContent":
                name = "alternatives"
            elif prefix + "}" in _MATH:
                name = {"t": "t", "r": "r"}.get(local, "math")
        self[tag] = name
        return name

    def child(self, element: Any, name: str) -> Any:
        """The first child of a name, or null."""
        return None if element is None else next(element.iterchildren(self.word + name), None)

    def children(self, element: Any) -> dict[str, Any]:
        """The children by their names: the quick way to several properties."""
        return {} if element is None else {self[child.tag]: child for child in element}

    def value(self, element: Any, name: str) -> str | None:
        """The ``val`` of the first child of a name, or null."""
        return self.val_of(self.child(element, name))

    def number(self, element: Any, name: str) -> int | None:
        """The ``val`` of a child as a number, or null."""
        return _integer(self.value(element, name))

    def is_set(self, element: Any, name: str) -> bool | None:
        """Whether a switch is on; null where it is not given."""
        return self.is_on(self.child(element, name))

    def val_of(self, element: Any) -> str | None:
        """The ``val`` of an element that may be null."""
        return None if element is None else element.get(self.val)

    def is_on(self, element: Any) -> bool | None:
        """Whether a switch that may be null is on."""
        return None if element is None else element.get(self.val, "1").lower() not in _FALSE


def _integer(text: str | None) -> int | None:
    return int(text) if text is not None and text.removeprefix("-").isdecimal() and len(text) < 10 else None


class _Body:
    """Walks the body in reading order and counts the lists on the way."""

    def __init__(self, names: _Names, archive: Archive, folder: str) -> None:
        self.names = self._names = names
        self._word = names.word
        self._archive = archive
        self._folder = folder
        self._counters = Counters()

    @cached_property
    def _styles(self) -> dict[str, _Style]:
        return _read_styles(self._archive.read_optional_xml(posixpath.join(self._folder, "styles.xml")), self._names)

    @cached_property
    def _lists(self) -> dict[str, _List]:
        return _read_lists(self._archive.read_optional_xml(posixpath.join(self._folder, "numbering.xml")), self._names)

    def blocks(self, parent: Any, depth: int) -> list[WordBlock]:
        """The paragraphs and tables in an element."""
        refuse_deep(depth)
        out: list[WordBlock] = []
        before = ""
        for child in self._unwrap(parent, ("p", "tbl")):
            if self._names[child.tag] == "tbl":
                if before:
                    out.append(before)
                before = ""
                out.append(self._table(child, depth + 1))
                continue
            text, boxes, runs_on = self._paragraph(child)
            if runs_on:
                before += text
            else:
                out.append(before + text)
                before = ""
            for box in boxes:
                out += self.blocks(box, depth + 1)
        return [*out, before] if before else out

    def _unwrap(self, parent: Any, wanted: tuple[str, ...]) -> Iterator[Any]:
        for child in parent:
            name = self._names[child.tag]
            if name in wanted:
                yield child
            elif name in _AROUND:
                yield from self._unwrap(child, wanted)
            elif name == "alternatives":
                yield from self._unwrap(self.alternative(child), wanted)

    def alternative(self, element: Any) -> Any:
        """The first of alternative contents that has words, else the first."""
        contents = list(element)
        for content in contents:
            if next(content.iter(self._word + "t"), None) is not None:
                return content
        return contents[0] if contents else ()

    # ---- tables

    def _table(self, element: Any, depth: int) -> WordTable:
        names = self._names
        cells: list[WordCell] = []
        going_on: dict[int, WordCell] = {}
        at = 0
        for row in self._unwrap(element, ("tr",)):
            properties = names.child(row, "trPr")
            if names.child(properties, "del") is not None or names.is_set(properties, "hidden"):
                continue
            going_on = self._row(row, at, max(0, names.number(properties, "gridBefore") or 0), going_on, cells, depth)
            at += 1
        return WordTable(cells)

    def _row(
        self, row: Any, at: int, column: int, above: dict[int, WordCell], cells: list[WordCell], depth: int
    ) -> dict[int, WordCell]:
        """Add the cells of a row; the vertical merges that may go on below it, by their column."""
        names = self._names
        going_on: dict[int, WordCell] = {}
        last: WordCell | None = None
        for element in self._unwrap(row, ("tc",)):
            properties = names.children(names.child(element, "tcPr"))
            if "cellDel" in properties:
                continue
            span = max(1, _integer(names.val_of(properties.get("gridSpan"))) or 1)
            across, down = self._merge(properties.get("hMerge")), self._merge(properties.get("vMerge"))
            anchor = above.get(column) if down == "continue" else None
            if across == "continue" and last is not None:
                if last.row == at:
                    last.column_span += span
            elif anchor is not None and (anchor.column_span == span or across is not None):
                anchor.row_span = at - anchor.row + 1
                going_on[column] = last = anchor
            else:
                # What goes on from nothing above is a cell of its own.
                last = WordCell(at, column, 1, span, self.blocks(element, depth))
                cells.append(last)
                if down is not None:
                    going_on[column] = last
            column += span
        return going_on

    def _merge(self, merge: Any) -> str | None:
        """``restart`` or ``continue`` where the cell is merged, else null."""
        return None if merge is None else str(merge.get(self._names.val, "continue"))

    # ---- paragraphs

    def _paragraph(self, element: Any) -> tuple[str, list[Any], bool]:
        """The text of a paragraph, its text boxes, and whether its mark is deleted or hidden."""
        if not len(element):
            return "", [], False
        names = self._names
        properties = names.children(names.child(element, "pPr"))
        mark = names.children(properties.get("rPr"))
        style = names.val_of(properties.get("pStyle"))
        walk = _Runs(self, self._is_hidden(style) or False)
        walk.add(element)
        text = "".join(walk.parts)
        runs_on = (
            "del" in mark
            or "moveFrom" in mark
            or bool(names.is_on(mark.get("vanish")) or names.is_on(mark.get("specVanish")))
        )
        label = self._label(properties.get("numPr"), style)
        # A list that numbers a lone figure or nothing says nothing about it, and "1." before 12 is not 1.12.
        if label and any(character.isalpha() for character in text):
            text = label + text
        return text, walk.boxes, runs_on

    def _label(self, numbered: Any, style: str | None) -> str:
        """The number printed before a paragraph; also counts it."""
        if numbered is None and style is None:
            return ""
        list_id, at = self._names.value(numbered, "numId"), self._names.number(numbered, "ilvl")
        if list_id is None:
            inherited = self._inherited_list(style)
            list_id, at = (inherited[0], inherited[1] if at is None else at) if inherited else (None, None)
        used = self._lists.get(list_id or "")
        if used is None:
            return ""
        if at is None:
            at = used.style_levels.get(style or "", 0)
        return self._counters.next_label(used.counted_as, list_id, at, used.levels, used.overrides)

    def _inherited_list(self, style: str | None) -> tuple[str, int | None] | None:
        for _ in range(_MAX_BASED_ON):
            known = None if style is None else self._styles.get(style)
            if known is None:
                return None
            if known.list_id is not None:
                return known.list_id, known.level
            style = known.based_on
        return None

    def _is_hidden(self, style: str | None) -> bool | None:
        for _ in range(_MAX_BASED_ON):
            known = None if style is None else self._styles.get(style)
            if known is None:
                return None
            if known.is_hidden is not None:
                return known.is_hidden
            style = known.based_on
        return None

    def is_hidden_run(self, properties: dict[str, Any], in_paragraph: bool) -> bool:
        """Whether a run is not printed."""
        own = self._names.is_on(properties.get("vanish"))
        styled = self._is_hidden(self._names.val_of(properties.get("rStyle"))) if own is None else own
        return in_paragraph if styled is None else styled


class _Runs:
    """Collects the text of the runs of one paragraph; a field that is not closed in it is closed at its end."""

    def __init__(self, body: _Body, is_hidden: bool) -> None:
        self.parts: list[str] = []
        self.boxes: list[Any] = []
        self._body = body
        self._names = body.names
        self._is_hidden = is_hidden
        # Of every open field, whether its code is being read and not yet its result.
        self._in_code: list[bool] = []

    def add(self, parent: Any) -> None:
        """Add what is in an element that holds runs."""
        for child in parent:
            name = self._names[child.tag]
            if name == "r":
                self._add_run(child)
            elif name in _AROUND_RUNS:
                self.add(child)
            elif name == "t":
                self._write(child.text)
            elif name == "alternatives":
                self.add(self._body.alternative(child))

    def _write(self, text: str | None) -> None:
        if text and not any(self._in_code):
            self.parts.append(text)

    def _add_run(self, run: Any) -> None:
        properties = self._names.children(self._names.child(run, "rPr"))
        if self._body.is_hidden_run(properties, self._is_hidden):
            # A hidden run may still open or close a field.
            for child in run:
                if self._names[child.tag] == "fldChar":
                    self._turn(child)
            return
        raised = self._names.val_of(properties.get("vertAlign"))
        for child in run:
            name = self._names[child.tag]
            if name == "t":
                # A raised figure after a figure marks a note and is no further digit.
                if raised in ("superscript", "subscript") and self._follows_digit(child.text):
                    self._write("^" if raised == "superscript" else "_")
                self._write(child.text)
            elif name in _SIGNS:
                self._write(_SIGNS[name])
            elif name == "fldChar":
                self._turn(child)
            elif name == "sym":
                self._write(self._symbol(child))
            elif name in _PICTURES:
                self._find_boxes(child)
            elif name == "alternatives":
                self._add_alternative(child)
            elif name == "ruby":
                self.add(child)

    def _follows_digit(self, text: str | None) -> bool:
        return bool(text and text[:1].isdigit() and self.parts and self.parts[-1][-1:].isdigit())

    def _turn(self, mark: Any) -> None:
        kind = mark.get(self._names.word + "fldCharType")
        if kind == "begin":
            self._in_code.append(True)
        elif self._in_code:
            if kind == "separate":
                self._in_code[-1] = False
            elif kind == "end":
                self._in_code.pop()

    def _symbol(self, element: Any) -> str:
        """A character of a symbol font, as its code in that font; the figures of the font Symbol are figures."""
        try:
            code = int(element.get(self._names.word + "char", ""), 16)
        except ValueError:
            return "\ufffd"
        if element.get(self._names.word + "font") == "Symbol" and 0xF030 <= code <= 0xF039:
            code -= 0xF000
        return chr(code) if 0x20 <= code < 0xD800 or 0xE000 <= code < 0x10000 else "\ufffd"

    def _find_boxes(self, element: Any) -> None:
        for child in element:
            name = self._names[child.tag]
            if name == "txbxContent":
                self.boxes.append(child)
            elif name == "alternatives":
                self._find_boxes(self._body.alternative(child))
            else:
                self._find_boxes(child)

    def _add_alternative(self, element: Any) -> None:
        content = self._body.alternative(element)
        if any(self._names[child.tag] in ("t", *_SIGNS, "sym") for child in content):
            self._add_run(content)
        else:
            self._find_boxes(content)


# ---- styles and lists


def _read_styles(root: Any, names: _Names) -> dict[str, _Style]:
    styles: dict[str, _Style] = {}
    for element in () if root is None else root.iterchildren(names.word + "style"):
        runs, paragraph = names.child(element, "rPr"), names.child(element, "pPr")
        numbered = names.child(paragraph, "numPr")
        styles[element.get(names.word + "styleId", "")] = _Style(
            names.value(element, "basedOn"),
            names.is_set(runs, "vanish"),
            names.value(numbered, "numId"),
            names.number(numbered, "ilvl"),
        )
    return styles


def _read_lists(root: Any, names: _Names) -> dict[str, _List]:
    if root is None:
        return {}
    abstract = {e.get(names.word + "abstractNumId"): e for e in root.iterchildren(names.word + "abstractNum")}
    by_style = {names.value(e, "styleLink"): key for key, e in abstract.items()}
    lists: dict[str, _List] = {}
    for element in root.iterchildren(names.word + "num"):
        key = names.value(element, "abstractNumId")
        # A list that only names a list style is the list which defines that style.
        key = by_style.get(names.value(abstract.get(key), "numStyleLink") or "", key)
        definition = abstract.get(key)
        if key is None or definition is None:
            continue
        levels: dict[int, Level] = {}
        style_levels: dict[str, int] = {}
        for level in definition.iterchildren(names.word + "lvl"):
            at = _integer(level.get(names.word + "ilvl")) or 0
            levels[at] = _read_level(level, names)
            style_levels[names.value(level, "pStyle") or ""] = at
        overrides: dict[int, int] = {}
        for change in element.iterchildren(names.word + "lvlOverride"):
            at = _integer(change.get(names.word + "ilvl")) or 0
            start, level = names.number(change, "startOverride"), names.child(change, "lvl")
            if level is not None:
                levels[at] = _read_level(level, names)
            if start is not None:
                overrides[at] = start
        lists[element.get(names.word + "numId", "")] = _List(key, levels, overrides, style_levels)
    return lists


def _read_level(element: Any, names: _Names) -> Level:
    # Newer kinds of number are an alternative to an older one.
    kind = names.value(element, "numFmt")
    if kind is None:
        kind = next((e.get(names.word + "val", "") for e in element.iter(names.word + "numFmt")), "decimal")
    start = names.number(element, "start")
    return Level(
        start=1 if start is None else start,
        kind=kind,
        text=names.value(element, "lvlText") or "",
        restart=names.number(element, "lvlRestart"),
        is_legal=names.is_set(element, "isLgl") or False,
        suffix=names.value(element, "suff") or "tab",
    )
