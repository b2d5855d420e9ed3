"""Names of public bodies: what is one, what kind, how joint names split, which of two names is the fuller.

Names here are compact folded text (Simplified, no white space). Nothing is looked up in a list of bodies: the
form of the name and its surroundings must do.
"""

from __future__ import annotations

import re
from functools import lru_cache

from loaders.identify.words import NAME_CHARS, OrganSuffix, any_of, load_words

_NAME = re.compile(rf"[{NAME_CHARS}\d]{{2,45}}")
_PLACEHOLDER = re.compile(r"[XxＸ×*_＊]")
_AREA_UNIT = "省市县区旗州镇乡盟"
_AREA_CHAIN = re.compile(
    r"(?:[\u3400-\u9fff]{1,10}?(?:自治区|自治州|自治县|地区|省|市|县|区|旗|州|盟|镇|乡|街道|总局|总署))+"
)


@lru_cache(maxsize=1)
def _suffixes() -> tuple[dict[str, OrganSuffix], tuple[int, ...]]:
    """The endings by their words, and their lengths, longest first."""
    found = {suffix.suffix_zh: suffix for suffix in load_words().organ_suffixes}
    return found, tuple(sorted({len(word) for word in found}, reverse=True))


_NOTE = re.compile(r"\([^()]*\)$")


@lru_cache(maxsize=16384)
def organ_of(name: str) -> OrganSuffix | None:
    """The longest known ending of a name, when something stands before it."""
    plain = _NOTE.sub("", name) if name.endswith(")") else name
    suffixes, lengths = _suffixes()
    for length in lengths:
        suffix = suffixes.get(plain[-length:])
        if suffix is not None and (len(plain) > len(suffix.suffix_zh) or len(plain) >= 4):
            return suffix
    return None


def is_office(name: str) -> bool:
    """Whether the name ends like a body, not like a bare place or an inner division."""
    suffix = organ_of(name)
    return suffix is not None and not suffix.is_area and not suffix.is_division


@lru_cache(maxsize=1)
def _bad_parts() -> tuple[re.Pattern[str], re.Pattern[str], frozenset[str]]:
    words = load_words()
    starts = [*words.title["not_name_start"], *words.self_references]
    return (
        re.compile(any_of(words.title["not_in_name"])),
        re.compile(rf"(?!{any_of(words.title['name_start'])})(?:{any_of(starts)})"),
        frozenset(words.title["not_name_alone"]),
    )


@lru_cache(maxsize=8192)
def is_name(name: str) -> bool:
    """Whether the text can be the name of a body at all: no verb, no self-reference, no placeholder."""
    inside, start, alone = _bad_parts()
    if not _NAME.fullmatch(name) or name in alone or _PLACEHOLDER.search(name):
        return False
    if name.count("(") != name.count(")") or re.search(r"(?:19|20)\d{2}|^\d+$", name):
        return False
    return not inside.search(name) and not start.match(name)


def is_organ_name(name: str) -> bool:
    """Whether the text is a name with the ending of a public body or place."""
    return len(name) >= 3 and is_name(name) and organ_of(name) is not None and not _is_division(name)


def _is_division(name: str) -> bool:
    suffix = organ_of(name)
    return suffix is not None and suffix.is_division


def organ_kind(name: str) -> str:
    """The kind of body by its ending; ``unknown`` without one."""
    suffix = organ_of(name)
    return suffix.organ_kind if suffix else "unknown"


@lru_cache(maxsize=1)
def _national() -> re.Pattern[str]:
    words = load_words()
    return re.compile(any_of(p for p, kind in words.prefixes.items() if kind == "national"))


@lru_cache(maxsize=1)
def _provincial() -> re.Pattern[str]:
    words = load_words()
    return re.compile(any_of(p for p, kind in words.prefixes.items() if kind == "provincial"))


def is_national(name: str) -> bool:
    """Whether the name begins like a body of the State."""
    return _national().match(name) is not None


def has_province(name: str) -> bool:
    """Whether the name begins with a province."""
    return _provincial().match(name) is not None


def is_full_name(name: str) -> bool:
    """Whether the name begins with a place or the State, and ends like a body."""
    return is_office(name) and (
        is_national(name)
        or has_province(name)
        or organ_kind(name) in ("vertical", "street_office", "functional_area")
        or re.match(r"[\u3400-\u9fff]{2,8}?[省市县区旗州盟镇乡]", name) is not None
    )


def _can_stand_apart(left: str, right: str) -> bool:
    if not (is_name(left) and is_name(right) and is_office(left) and is_office(right)):
        return False
    if len(left) < 4 or len(right) < 4:
        return False
    right_kind = organ_kind(right)
    if right_kind == "branch" or (right_kind == "street_office" and organ_kind(left) == "government"):
        # A branch and a street office carry the name of the body above: 某市人民政府暨阳街道办事处.
        return False
    # A national head and its local body are one name: 国家税务总局 北京市税务局.
    return not (
        is_national(left) and not re.search(f"[{_AREA_UNIT}]", left[2:]) and right_kind in ("vertical", "department")
    )


def split_names(name: str, gaps: tuple[int, ...] = ()) -> tuple[str, ...]:
    """The names of a joint body, apart at 、, at ``gaps`` (printed white space), or at 和 when both are whole."""
    for match in re.finditer(r"[、,;/]|[和与及暨](?!平(?![\u3400-\u9fff]{1,6}[省市县区州旗]))", name):
        left, right = name[: match.start()], name[match.end() :]
        if match.group() in "、,;/":
            parts = split_names(right, tuple(g - match.end() for g in gaps if g > match.end()))
            if is_office(left) and is_name(left) and len(left) >= 4 and all(is_office(p) and is_name(p) for p in parts):
                return (*split_names(left, tuple(g for g in gaps if g < match.start())), *parts)
        elif len(right) >= 5 and _can_stand_apart(left, right):
            return (left, *split_names(right))
    for gap in gaps:
        if not 0 < gap < len(name):
            continue
        left, right = name[:gap], name[gap:]
        rest = split_names(right, tuple(g - gap for g in gaps if g > gap))
        if _can_stand_apart(left, rest[0]):
            if organ_kind(left) in ("government", "functional_area") and organ_kind(rest[0]) != organ_kind(left):
                continue
            return (left, *rest)
    return (name,)


@lru_cache(maxsize=1)
def _divisions() -> re.Pattern[str]:
    stems = any_of(s.suffix_zh for s in load_words().organ_suffixes if s.is_division)
    return re.compile(rf"[\u3400-\u9fff]{{0,10}}(?:{stems}|办公室|办|部|中心|大厅|窗口|信箱)")


def trim_division(name: str) -> str:
    """The body without its inner division: 某局综合科 is 某局. The whole when nothing can be cut."""
    whole = organ_of(name)
    shortest_rest = len(whole.suffix_zh) if whole is not None else 1
    for end in range(len(name) - shortest_rest, 3, -1):
        head, rest = name[:end], name[end:]
        suffix = organ_of(head)
        if suffix is None or suffix.is_division or not is_name(head):
            continue
        if suffix.is_area and suffix.organ_kind != "township_area":
            continue
        if len(suffix.suffix_zh) == 1 and suffix.suffix_zh in "部会社所站院队中办委" and suffix.suffix_zh != "院":
            continue
        if _divisions().fullmatch(rest):
            return trim_division(head) if len(head) > 6 and _is_division(head) else head
    return name


def is_fuller(short: str, full: str) -> bool:
    """Whether ``full`` says more than ``short``; a mere 区 or 市 inside the name does not."""
    without = re.compile(f"[{_AREA_UNIT}]")
    return (
        short != full
        and is_variant(short, full)
        and (full.endswith(short) or without.sub("", short) != without.sub("", full))
    )


_EXPANSIONS = ("人民政府", "政府", "行政公署", "办事处", "管理委员会", "管委会", "办", "道办事处")
_ZONE_ENDINGS = ("管理委员会", "管委会")


def _plain(name: str) -> str:
    return name.replace("人民政府", "政府")


def _is_prefix(prefix: str) -> bool:
    return not prefix or is_national(prefix + "局") or _AREA_CHAIN.fullmatch(prefix) is not None


def is_variant(short: str, full: str) -> bool:
    """Whether ``full`` is ``short`` with more of the name: a place before it, its kind after it, less abbreviated."""
    if short == full:
        return True
    if len(full) < len(short):
        return False
    suffix = organ_of(short)
    plain_short, plain_full = _plain(short), _plain(full)
    if suffix is not None and suffix.organ_kind in ("area", "township_area", "street_office", "functional_area"):
        for tail in _EXPANSIONS:
            if full.endswith(short + tail) and _is_prefix(full[: -len(short + tail)]):
                return organ_of(full) is not None
        if suffix.organ_kind == "functional_area" and not short.endswith(_ZONE_ENDINGS):
            # 某经开区 is 某经济技术开发区管理委员会.
            for tail in _ZONE_ENDINGS:
                if full.endswith("区" + tail) and is_variant(short, full.removesuffix(tail)):
                    return True
    if plain_full.endswith(plain_short):
        prefix = plain_full[: -len(plain_short)]
        if suffix is not None and suffix.organ_kind == "street_office":
            # A street office is dispatched by its district's government, whose name may stand before its own.
            prefix = prefix.removesuffix("政府")
        # 市林业局 is 丰安市林业局: the unit may stand at the head of the short name.
        begins_with_unit = short[0] in _AREA_UNIT and len(prefix) >= 2 and _is_prefix(prefix + short[0])
        return (_is_prefix(prefix) or begins_with_unit) and not (
            is_national(full) and not re.search(f"[{_AREA_UNIT}]", full)
        )
    return _abbreviates(plain_short, plain_full)


def _abbreviates(short: str, full: str) -> bool:
    """Whether the characters of ``short`` stand in ``full`` in order, and nothing but filling was left out."""
    if len(short) < 4 or (short[-1] != full[-1] and not full.endswith(("委员会", "办公室", "办事处"))):
        return False
    skipped: list[str] = []
    at = len(full)
    for char in reversed(short):
        found = full.rfind(char, 0, at)
        if found < 0:
            return False
        skipped.append(full[found + 1 : at])
        at = found
    if not _is_prefix(full[:at]):
        return False
    tail, inner = skipped[0], skipped[1:]
    if tail not in ("", "员会", "公室", "事处"):
        return False
    return all(len(s) <= 5 and not (len(s) > 1 and re.search(f"[{_AREA_UNIT}]", s)) for s in inner)


def are_compatible(one: str, other: str) -> bool:
    """Whether two names can be the same body."""
    return is_variant(one, other) or is_variant(other, one)


def begins_with_place(text: str) -> bool:
    """Whether the text begins with a place or a State body: the head of a name."""
    return (
        is_national(text)
        or has_province(text)
        or re.match(r"[\u3400-\u9fff]{1,8}?[省市县区旗州盟镇乡]", text) is not None
    )


def is_place_chain(text: str) -> bool:
    """Whether the text is nothing but places, one inside the other."""
    return _AREA_CHAIN.fullmatch(text) is not None
