"""The administrative division whose place stands at the start of a body's name.

In: a name in Simplified characters, and the year of its report. Out: the code of the division (seed
``divisions``), by the longest chain of places; null where the name names none, or where it could be several.

- A place counts with the end of its name (西城区, not 西城). Without it only provinces and prefectures count, in
  front of a place of their own (北京西城区) or of an office, when the name is no other division's (吉林 is two).
- What stands above a place may be left out only where one division bears the name: 鼓楼区 alone is null.
- 吉林市统计局龙潭分局 is of the district 龙潭区. A development zone or a township is of the division named before it.
- A body of the State is of the place named behind it (国家税务总局成都市税务局), itself of none.
- A name is of its year. One year before or after counts where the year itself has none: a report is printed in
  the year after, and the list shows a change at times a year early.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from loaders.identify.names import organ_kind
from loaders.vocabulary import read_seed

_FIRST_YEAR, _LAST_YEAR = 2008, 2024
_YEARS = range(_FIRST_YEAR, _LAST_YEAR + 1)
_SPACE = re.compile(r"\s+")
# A State body in front of its place.
_STATE_BODY = re.compile(r"^(?:中华人民共和国|国家税务总局|国家统计局|中国人民银行|中共)")
# Bodies that bear the name of a region without being of it.
_NOT_A_PLACE = re.compile(r"^新疆(?:生产建设)?兵团")
_FUNCTIONAL = re.compile(
    r"^[\u3400-\u9fff]{0,12}?(?:开发区|高新区|经开区|新区|园区|工业园|产业园|保税区|风景区|名胜区|度假区|示范区|试验区|合作区)"
)
# 中山街道 is a street of some town.
_SMALL_PLACE = re.compile(r"^[\u3400-\u9fff]{0,3}?(?:街道|镇|乡|路|村|社区|苏木|大学|学院|医院|银行|公司)")
_BRANCH = re.compile(r"([\u3400-\u9fff]+)分局$")
_UNKNOWN_COUNTY = re.compile(r"^[\u3400-\u9fff]{1,6}?[区县旗](?:人民)?政府")
_LOCAL_KINDS = frozenset(("government", "government_office", "functional_area", "department", "branch"))
_AUTONOMOUS_ENDS = (("自治区", "自治区"), ("自治州", "州"), ("自治县", "县"), ("自治旗", "旗"))


@dataclass(frozen=True, slots=True)
class _Division:
    """One row of the seed; ``above`` are the codes of the divisions that enclose it."""

    code: str
    level: str
    above: frozenset[str]
    first_year: int
    last_year: int

    def is_valid(self, year: int) -> bool:
        return self.first_year <= year <= self.last_year


@dataclass(frozen=True, slots=True)
class _Index:
    """Divisions by their names with their end, and without it; the lengths of names, longest first."""

    full: dict[str, tuple[_Division, ...]]
    short: dict[str, tuple[_Division, ...]]
    full_lengths: tuple[int, ...]
    short_lengths: tuple[int, ...]


def _customary_name(name: str, short: str, level: str) -> str | None:
    """延边州 for 延边朝鲜族自治州, 宁夏自治区 for 宁夏回族自治区, 管城区 for 管城回族区."""
    if short == name or name.startswith(f"{short}自治"):
        return None
    for end, customary in _AUTONOMOUS_ENDS:
        if name.endswith(end):
            return short + customary
    return f"{short}区" if level == "county" and name.endswith("族区") else None


@lru_cache(maxsize=1)
def _index() -> _Index:
    full: dict[str, list[_Division]] = {}
    short: dict[str, list[_Division]] = {}
    customary: dict[str, list[_Division]] = {}
    for row in read_seed("divisions"):
        division = _Division(
            row["division_code"],
            row["level_code"],
            frozenset((row["province_code"], row["prefecture_code"], row["parent_code"])) - {"", row["division_code"]},
            int(row["valid_from_year"]),
            int(row["valid_to_year"] or _LAST_YEAR),
        )
        full.setdefault(row["name_zh"], []).append(division)
        if row["name_zh"].endswith("新区") and len(row["name_zh"]) > 3:
            # 浦东分局, not 浦东新分局.
            short.setdefault(row["name_zh"][:-2], []).append(division)
        if len(row["short_name_zh"]) >= 2:
            short.setdefault(row["short_name_zh"], []).append(division)
            other = _customary_name(row["name_zh"], row["short_name_zh"], row["level_code"])
            if other is not None:
                customary.setdefault(other, []).append(division)
    for name, divisions in customary.items():
        full.setdefault(name, []).extend(divisions)
    return _Index(
        {name: tuple(divisions) for name, divisions in full.items()},
        {name: tuple(divisions) for name, divisions in short.items()},
        tuple(sorted({len(name) for name in full}, reverse=True)),
        tuple(sorted({len(name) for name in short}, reverse=True)),
    )


def resolve_division(agency_name: str, report_year: int | None) -> str | None:
    """The code of the division that a body's name begins with, null where it names none or leaves a choice.

    >>> resolve_division("北京市西城区统计局", 2018)
    '110102'
    >>> resolve_division("鼓楼区统计局", 2018) is None
    True
    """
    return _resolve(agency_name, report_year)


@lru_cache(maxsize=4096)
def _resolve(agency_name: str, report_year: int | None) -> str | None:
    name = _SPACE.sub("", agency_name)
    if _NOT_A_PLACE.match(name):
        return None
    is_of_state = False
    if (state := _STATE_BODY.match(name)) is not None:
        is_of_state = state.group() != "中共"
        name = name[state.end() :]
    if report_year is None:
        # Without a year the name must mean one division in all of them.
        codes = {_place_in(name, year, is_of_state) for year in _YEARS} - {None}
        return codes.pop() if len(codes) == 1 else None
    year = min(max(report_year, _FIRST_YEAR), _LAST_YEAR)
    for near in (year, year + 1, year - 1):
        if near in _YEARS and (code := _place_in(name, near, is_of_state)) is not None:
            return code
    return None


def _match(
    text: str, names: dict[str, tuple[_Division, ...]], lengths: Sequence[int]
) -> tuple[int, tuple[_Division, ...]] | None:
    """The longest of the names that a text begins with, and the divisions that ever bore it."""
    for length in lengths:
        if (divisions := names.get(text[:length])) is not None and len(text) >= length:
            return length, divisions
    return None


def _place_in(name: str, year: int, is_of_state: bool) -> str | None:
    """The division of a name in one year."""
    index = _index()
    found = _match(name, index.full, index.full_lengths)
    if found is not None:
        length, divisions = found
        candidates = {d.code: d for d in divisions if d.is_valid(year)}
        if not candidates:
            return None
        return _descend(name, length, candidates, year, is_bare=True)
    found = _match(name, index.short, index.short_lengths)
    if found is None or is_of_state:
        return None
    length, divisions = found
    rest = name[length:]
    upper = {d.code: d for d in divisions if d.is_valid(year) and d.level != "county"}
    below = _match(rest, index.full, index.full_lengths)
    if below is not None and any(not upper.keys().isdisjoint(d.above) and d.is_valid(year) for d in below[1]):
        return _descend(name, length, upper, year, is_bare=False)
    # On its own a name without its end must be nobody else's.
    if len({d.code for d in divisions}) != 1 or len(upper) != 1 or _SMALL_PLACE.match(rest):
        return None
    if not (_FUNCTIONAL.match(rest) or organ_kind(name) in _LOCAL_KINDS):
        return None
    return _descend(name, length, upper, year, is_bare=False)


def _descend(name: str, at: int, current: dict[str, _Division], year: int, is_bare: bool) -> str | None:
    """The deepest division of the chain of places that goes on at a position; null where it is not one."""
    index = _index()
    while (found := _match(name[at:], index.full, index.full_lengths)) is not None:
        length, divisions = found
        inner = [d for d in divisions if not current.keys().isdisjoint(d.above)]
        valid = {d.code: d for d in inner if d.is_valid(year)}
        if not valid:
            if inner:
                # A place of another year.
                return None
            break
        current, is_bare, at = valid, False, at + length
    if len(current) != 1:
        return None
    (division,) = current.values()
    rest = name[at:]
    if is_bare and division.level == "county" and not _is_only_one(name[:at], rest, year):
        return None
    if division.level == "county":
        return division.code
    return _in_branch(rest, division, year)


def _is_only_one(name: str, rest: str, year: int) -> bool:
    """Whether a county's name needs nothing above it, in its year and those beside it."""
    if len(name) < 3 and not name.endswith("县"):
        return False
    if name.endswith("新区") and rest.startswith(("管委", "管理委")):
        # Several cities have a zone of that name.
        return False
    divisions = _index().full[name]
    return all(len({d.code for d in divisions if d.is_valid(near)}) <= 1 for near in (year - 1, year, year + 1))


def _in_branch(rest: str, division: _Division, year: int) -> str | None:
    """The district whose branch of a city's office it is, else the city; null for a district that is not known."""
    if (branch := _BRANCH.search(rest)) is not None:
        before = branch[1]
        index = _index()
        for names, lengths in ((index.full, index.full_lengths), (index.short, index.short_lengths)):
            for length in lengths:
                inner = {d.code: d.is_valid(year) for d in names.get(before[-length:], ()) if division.code in d.above}
                if inner and length < len(before):
                    valid = [code for code, is_valid in inner.items() if is_valid]
                    return valid[0] if len(valid) == 1 else None
        return division.code
    if _FUNCTIONAL.match(rest):
        return division.code
    if _UNKNOWN_COUNTY.match(rest):
        return None
    found = _match(rest, _index().short, _index().short_lengths)
    is_cut = found is not None and any(d.level == "county" and division.code in d.above for d in found[1])
    # 吉林市龙潭统计局 may be of the district.
    return None if is_cut else division.code
