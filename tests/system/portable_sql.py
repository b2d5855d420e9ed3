"""What the SQL of the project may not say, because DuckDB and Spark read it differently or one of them not at all.

In: the text of a model, test, analysis or macro. Out: the breaches, each with its line and what to write instead.
Jinja is cut out first: what a macro of ``macros/engine.sql`` gives is the engine's own business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Breach:
    """One thing that does not travel."""

    line: int
    what: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.what}"


# Pattern on lower-case SQL without strings and comments, and what to write instead.
BANNED = {
    r"\bqualify\b": "QUALIFY: row_number in a subquery",
    r"\bwith\s+recursive\b": "WITH RECURSIVE: a bounded number of joins",
    r"::": "`::`: cast(x as t) or try_cast(x as t)",
    r"\bselect\s+distinct\s+on\b": "DISTINCT ON: row_number in a subquery",
    r"\b(?:group|order)\s+by\s+all\b": "BY ALL: name the columns",
    r"\*\s*(?:exclude|except|replace|rename)\b": "a star with exceptions: name the columns",
    r"\bcolumns\s*\(": "COLUMNS(): name the columns",
    r"\[": "a list in brackets, or a comprehension: a macro of engine.sql",
    r"\{": "a struct in braces: columns",
    r"->": "a lambda or a path: a macro of engine.sql",
    r"//|\*\*|\^": "an operator of one engine: floor(a / b) or power(a, b)",
    r"~": "a regular expression operator: regexp_extract(s, p, 1)",
    r'"': "a quoted identifier: a plain name",
    r"\bas\s+(?:varchar|text|hugeint|real|uinteger|ubigint|blob)\b": "a type of one engine: string, bigint or double",
    r"\b(?:from\s+\w+\s+select|positional\s+join|asof|pivot|summarize|using\s+sample)\b": "a clause of DuckDB alone",
    r"\b(?:semi|anti)\s+join\b": "a join with another name elsewhere: exists or a left join",
    r"\blimit\s+all\b|\blimit\s+\d+\s*%": "a LIMIT of one engine",
    r"\bregexp_(?:replace|matches|full_match|split_to_array)\s*\(": "regexp_extract, or a macro of engine.sql",
    r"\b(?:strftime|strptime|date_diff|date_sub|date_add|datediff|datesub|dayofweek|isodow)\s*\(": "dbt.datediff",
    r"\b(?:starts_with|ends_with|strpos|instr|contains|printf|format|concat)\s*\(": "text: like, ||, a macro",
    r"\b(?:arg_max|arg_min|max_by|min_by|first|last|any_value|mode|median|quantile\w*)\s*\(": "row_number, and a case",
    r"\b(?:string_agg|listagg|group_concat|array_agg|list|histogram)\s*\(": "a macro of engine.sql: join_rows",
    r"\b(?:unnest|generate_series|range|generate_subscripts|struct_\w+|map|list_\w+|array_\w+|len)\s*\(": "engine.sql",
    r"\bnow\s*\(|\b(?:hash|md5_number|uuid|gen_random_uuid|random|today|current_date|current_timestamp)\b(?!\s*\.)": (
        "a hash of one engine, a clock or chance: a model gives the same for the same"
    ),
}
_STRING = re.compile(r"'(?:[^']|'')*'")
_CLAUSE_END = re.compile(r"\b(?:limit|rows|range|groups|union|except|intersect)\b")


def find_breaches(text: str) -> list[Breach]:
    """Everything in the text that does not travel, by line."""
    sql = strip_jinja(text).lower()
    sql = _STRING.sub(lambda found: "''" + "\n" * found[0].count("\n"), sql)
    found = [
        Breach(_line(sql, match.start()), what)
        for pattern, what in BANNED.items()
        for match in re.finditer(pattern, sql)
    ]
    found += _unordered_nulls(sql) + _plain_divisions(sql) + _reused_aliases(sql)
    return sorted(found, key=lambda breach: breach.line)


def strip_jinja(text: str) -> str:
    """The SQL alone: comments gone, an expression of Jinja is a name; every line keeps its number."""

    def blank(found: re.Match[str]) -> str:
        return "\n" * found[0].count("\n")

    text = re.sub(r"\{#.*?#\}", blank, text, flags=re.DOTALL)
    ends = r"\{%-?\s*(?:set\b[^%]*|endset|endmacro|endtest|do\b[^%]*)-?%\}"
    text = re.sub(ends, lambda found: ";" + blank(found), text)
    text = re.sub(r"\{%.*?%\}", blank, text, flags=re.DOTALL)
    text = re.sub(r"\{\{.*?\}\}", lambda found: "jinja" + blank(found), text, flags=re.DOTALL)
    text = re.sub(r"/\*.*?\*/", blank, text, flags=re.DOTALL)
    return re.sub(r"--[^\n]*", "", text)


def _line(sql: str, position: int) -> int:
    return sql.count("\n", 0, position) + 1


def _items(sql: str, start: int) -> tuple[list[str], int]:
    """The parts between commas from a position to the end of its bracket."""
    depth, parts, begin = 0, [], start
    for position in range(start, len(sql)):
        character = sql[position]
        if character == "(":
            depth += 1
        elif character == ")":
            if depth == 0:
                return [*parts, sql[begin:position]], position
            depth -= 1
        elif character == ";":
            return [*parts, sql[begin:position]], position
        elif character == "," and depth == 0:
            parts.append(sql[begin:position])
            begin = position + 1
    return [*parts, sql[begin:]], len(sql)


def _unordered_nulls(sql: str) -> list[Breach]:
    found = []
    for match in re.finditer(r"\border\s+by\b", sql):
        parts, _ = _items(sql, match.end())
        for part in parts:
            end = _CLAUSE_END.search(part)
            key = part[: end.start()] if end else part
            # What Jinja writes alone says itself how it is ordered.
            if key.strip() not in ("", "jinja") and not re.search(r"\bnulls\s+(?:first|last)\s*$", key.strip()):
                found.append(Breach(_line(sql, match.start()), f"ORDER BY {' '.join(key.split())}: say nulls last"))
            if end:
                break
    return found


def _plain_divisions(sql: str) -> list[Breach]:
    found = []
    for match in re.finditer(r"(?<![/*])/(?![/*])", sql):
        left = sql[: match.start()].rstrip()
        right = sql[match.end() :].lstrip()
        if not (_is_cast_before(left) and re.match(r"(?:nullif\s*\(\s*)?cast\s*\(", right)):
            found.append(Breach(_line(sql, match.start()), "a division: cast both sides to double"))
    return found


def _is_cast_before(left: str) -> bool:
    if not left.endswith(")"):
        return False
    depth = 0
    for position in range(len(left) - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(left[position], 0)
        if depth == 0:
            return re.search(r"\bcast\s*$", left[:position]) is not None
    return False


def _reused_aliases(sql: str) -> list[Breach]:
    found = []
    for match in re.finditer(r"\bselect\b(?:\s+distinct\b)?", sql):
        parts, _ = _items(sql, match.end())
        aliases: set[str] = set()
        position = match.end()
        for part in parts:
            place = position + len(part) - len(part.lstrip())
            position += len(part) + 1
            head, separator, _ = _at_depth_zero(part)
            named = re.search(r"\bas\s+(\w+)\s*$", head)
            expression = head[: named.start()] if named else head
            for name in sorted(aliases):
                if re.search(rf"(?<![.\w]){name}\b(?!\s*[.(])", expression):
                    found.append(Breach(_line(sql, place), f"{name} is an alias of the same SELECT: one more step"))
            if named and not named[1].startswith("jinja"):
                aliases.add(named[1])
            if separator:
                break
    return found


def _at_depth_zero(part: str) -> tuple[str, str, str]:
    """Cut a part at the FROM that ends its list of columns."""
    depth = 0
    for found in re.finditer(r"[()]|\bfrom\b", part):
        if found[0] == "(":
            depth += 1
        elif found[0] == ")":
            depth -= 1
        elif depth == 0:
            return part[: found.start()], "from", part[found.end() :]
    return part, "", ""
