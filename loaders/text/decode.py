"""Bytes to text.

In: the bytes of a text document. Out: :class:`Decoded` with the text, the encoding and the number of
replaced characters. A byte order mark decides; then strict UTF-8; then the candidates UTF-16, GB18030 (which
contains GB2312 and GBK, whatever is declared) and Big5-HKSCS are judged by how much of the text is words of
this field, because Big5 bytes are often valid GB18030. Text with a few broken bytes is decoded with
replacements. Bytes that are not text raise :class:`~loaders.errors.DocumentRejected`.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from loaders.errors import DocumentRejected

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CANDIDATES = ("gb18030", "big5hkscs", "utf-16-le", "utf-16-be")
# Frequent words of such reports in both scripts: enough to tell one decoding from another.
_WORDS = re.compile(
    "政府|信息|資訊|公开|公開|申请|申請|年度|报告|報告|工作|情况|情況|统计|統計|机关|機關|其中|我局|全区|全區|的"
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")
_ODD = re.compile("[\ue000-\uf8ff\ufffd\uac00-\ud7ff\u0600-\u1fff\ua000-\uabff]")
_MAX_REPLACED_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class Decoded:
    """Decoded text; ``replaced`` counts characters that stand for undecodable bytes."""

    text: str
    encoding: str
    replaced: int = 0


def _score(text: str) -> float:
    """Domain words less implausible characters, per character."""
    if not text:
        return -1.0
    odd = len(_CONTROL.findall(text)) + len(_ODD.findall(text))
    return (len(_WORDS.findall(text)) * 2 - odd * 4) / len(text)


def _candidates(data: bytes, errors: str) -> list[tuple[float, str, str]]:
    found = []
    for encoding in _CANDIDATES:
        try:
            text = data.decode(encoding, errors)
        except UnicodeDecodeError:
            continue
        found.append((_score(text) - text.count("\ufffd") / max(len(text), 1), encoding, text))
    return sorted(found, key=lambda item: -item[0])


def decode_text(data: bytes) -> Decoded:
    """Decode the bytes of a text document.

    Raises:
        DocumentRejected: ``empty_document`` for no content, ``undecodable_text`` for bytes that are no text.
    """
    if not data.strip(b"\x00 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise DocumentRejected("empty_document", f"the document has no content ({len(data)} bytes)")
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return _checked(data[len(bom) :], encoding)
    try:
        return _plausible(Decoded(data.decode("utf-8"), "utf-8"))
    except UnicodeDecodeError:
        pass
    strict = _candidates(data, "strict")
    if strict and strict[0][0] > 0:
        return Decoded(strict[0][2], strict[0][1])
    lossy = [(_score(t) - t.count("\ufffd") / len(t), "utf-8", t) for t in [data.decode("utf-8", "replace")]]
    lossy = sorted(lossy + _candidates(data, "replace"), key=lambda item: -item[0])
    score, encoding, text = lossy[0]
    replaced = text.count("\ufffd")
    if score <= 0 or replaced > _MAX_REPLACED_SHARE * len(text):
        raise DocumentRejected(
            "undecodable_text", "the bytes are not text in UTF-8, UTF-16, GB18030 or Big5; save the document as UTF-8"
        )
    return Decoded(text, encoding, replaced)


def _checked(data: bytes, encoding: str) -> Decoded:
    text = data.decode(encoding, "replace")
    replaced = text.count("\ufffd")
    if replaced > _MAX_REPLACED_SHARE * len(text):
        raise DocumentRejected("undecodable_text", f"the byte order mark says {encoding}, the bytes are not")
    return _plausible(Decoded(text, encoding, replaced))


def _plausible(decoded: Decoded) -> Decoded:
    if len(_CONTROL.findall(decoded.text)) > 0.02 * len(decoded.text):
        raise DocumentRejected("undecodable_text", "the bytes decode to control characters: this is no text")
    return decoded
