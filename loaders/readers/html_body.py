"""Article bodies that a page ships inside scripts instead of printing them.

In: the source of scripts, or a whole response that is JSON. Out: :class:`ShippedBody`, markup in the order of the
source, each with the title that stands beside it. Understood are JSON (also inside a call or an assignment, also
as a string inside JSON) and JavaScript string literals, joined by ``+`` or ``+=``, with every kind of escape.
Nothing is run: what a script would compute is not known and not guessed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape, unescape
from typing import Any
from urllib.parse import unquote

_MARKUP = re.compile(r"</?(?:p|div|table|tr|td|br|span|h[1-6]|section|ul|ol|li)\b", re.IGNORECASE)
_CELL = re.compile(r"<t[dh]\b", re.IGNORECASE)
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff]")
_LITERAL = re.compile(
    r"""//[^\n]*|/\*(?:[^*]|\*(?!/))*+(?:\*/)?|"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`""",
    re.DOTALL,
)
_JOINED = re.compile(r"\s*(?:\+|;\s*[\w.$]+\s*\+=)\s*")
_ESCAPE = re.compile(r"\\(u\{[0-9a-fA-F]{1,6}\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|\r?\n|.)", re.DOTALL)
_NAMED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": "", "\r\n": ""}
_PERCENT_U = re.compile(r"%u([0-9a-fA-F]{4})")
_VALUE_START = re.compile(r"(?:[=(]|^)\s*(?=[\[{])")
_WHOLE = re.compile(r"\ufeff?\s*(?:[\w.$]{1,80}\s*\()?\s*(?=[\[{])")
_TITLES = ("title", "articletitle", "doctitle", "infotitle", "subject", "name", "headline")
_MIN_CELLS = 6
_MIN_HAN = 100
_MIN_PLAIN_HAN = 300
_MIN_LITERAL = 60
_MAX_TITLE = 200
_MAX_STARTS = 200
_MAX_LAYERS = 3
_LAYER = "\0"


@dataclass(frozen=True, slots=True)
class ShippedBody:
    """Markup of one body, the title beside it, and where it stood; bodies of one list share their ``origin``."""

    markup: str
    title: str | None = None
    origin: str = ""

    @property
    def weight(self) -> int:
        """How much of a report it may hold: cells count more than prose."""
        return 20 * len(_CELL.findall(self.markup)) + len(_HAN.findall(self.markup))


def is_shipped_page(text: str) -> bool:
    """Whether a whole response is JSON or a call with JSON that holds markup."""
    start = _WHOLE.match(text)
    if start is None or text[start.end() :].lstrip()[1:].lstrip()[:1] not in ('"', "{", "["):
        return False
    return bool(_MARKUP.search(text) or re.search(r"\\u003c|&lt;", text, re.IGNORECASE))


def find_bodies(source: str) -> list[ShippedBody]:
    """The bodies in a script or in a JSON response, in order and each once."""
    found: list[ShippedBody] = []
    seen: set[str] = set()
    for body in _bodies(source, ""):
        if body.markup not in seen:
            seen.add(body.markup)
            found.append(body)
    return found


def as_markup(text: str) -> str | None:
    """A string as markup when it may be a body: markup, escaped markup, or long prose; else null."""
    if "<" not in text:
        if "%3c" in text[:2000].lower():
            text = unquote(_PERCENT_U.sub(lambda m: chr(int(m[1], 16)), text))
        if "&lt;" in text:
            text = unescape(text)
    if _MARKUP.search(text):
        enough = len(_CELL.findall(text)) >= _MIN_CELLS or len(_HAN.findall(text)) >= _MIN_HAN
        return text if enough else None
    if len(_HAN.findall(text)) >= _MIN_PLAIN_HAN:
        return "<br>".join(escape(line) for line in text.split("\n"))
    return None


def choose_bodies(bodies: list[ShippedBody]) -> list[ShippedBody] | None:
    """The weightiest body with its neighbours of the same list; null when another body is a rival to it.

    A page keeps other articles in its state, too; two of like weight cannot be told apart.
    """
    if not bodies:
        return []
    best = max(bodies, key=lambda body: body.weight)
    chosen = [body for body in bodies if body.origin == best.origin]
    rivals = [body for body in bodies if body.origin != best.origin and body.markup not in best.markup]
    if any(body.weight * 3 > best.weight for body in rivals):
        return None
    return chosen


def _bodies(source: str, path: str) -> Iterator[ShippedBody]:
    at = 0
    decoder = json.JSONDecoder(strict=False)
    for count, start in enumerate(_VALUE_START.finditer(source)):
        if start.end() < at:
            continue
        if count >= _MAX_STARTS:
            break
        try:
            value, end = decoder.raw_decode(source, start.end())
        except (ValueError, RecursionError):
            continue
        if end - start.end() < _MIN_LITERAL:
            continue
        yield from _from_literals(source[at : start.start()], path)
        yield from _from_value(value, f"{path}/{start.start()}")
        at = end
    yield from _from_literals(source[at:], path)


def _from_value(value: Any, path: str) -> Iterator[ShippedBody]:
    """The bodies among the strings of a JSON value, walked without recursion.

    The strings of one object are parts of one thing, and so are the items of one list.
    """
    waiting: list[tuple[Any, str | None, str, bool]] = [(value, None, path, False)]
    while waiting:
        item, title, origin, is_listed = waiting.pop()
        if isinstance(item, dict):
            title = _title(item) or title
            children = [
                (child, title, origin if is_listed or isinstance(child, str) else f"{origin}.{key}", False)
                for key, child in item.items()
            ]
            waiting += reversed(children)
        elif isinstance(item, list):
            waiting += [(child, title, origin, True) for child in reversed(item)]
        elif isinstance(item, str) and len(item) >= _MIN_LITERAL:
            yield from _from_string(item, title, origin)


def _title(item: dict[Any, Any]) -> str | None:
    keys = {str(key).lower().replace("_", ""): key for key in item}
    for name in _TITLES:
        value = item.get(keys.get(name))
        if isinstance(value, str) and 0 < len(value) <= _MAX_TITLE and _HAN.search(value):
            return re.sub(r"<[^>]*>", "", value)
    return None


def _from_literals(source: str, path: str) -> Iterator[ShippedBody]:
    parts: list[str] = []
    end = 0
    for match in _LITERAL.finditer(source):
        if match.lastindex is None:
            continue
        if parts and not _JOINED.fullmatch(source, end, match.start()):
            yield from _from_string(_unescaped("".join(parts)), None, path)
            parts = []
        parts.append(match[match.lastindex])
        end = match.end()
    if parts:
        yield from _from_string(_unescaped("".join(parts)), None, path)


def _from_string(text: str, title: str | None, path: str) -> Iterator[ShippedBody]:
    if len(text) < _MIN_LITERAL:
        return
    if text.lstrip()[:1] in ("{", "[") and path.count(_LAYER) < _MAX_LAYERS:
        yield from _bodies(text, path + _LAYER)
        return
    markup = as_markup(text)
    if markup is not None:
        yield ShippedBody(markup, title, path)


def _unescaped(literal: str) -> str:
    if "\\" not in literal:
        return literal
    text = _ESCAPE.sub(_character, literal)
    # Pairs of \\u escapes are one character; a lone half cannot be encoded later.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _character(match: re.Match[str]) -> str:
    code = match[1]
    if len(code) > 1 and code[0] in "ux":
        number = int(code[1:].strip("{}"), 16)
        return chr(number) if number < 0x110000 else "\ufffd"
    return _NAMED.get(code, code)
