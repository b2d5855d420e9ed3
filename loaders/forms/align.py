"""Printed row labels against the skeleton of a form.

In: the labels of a printed table in document order and the rows of a form table (the union of its known
variants, in document order). Out: for each label a :class:`Match` or null. The alignment is monotone; it
prefers exact labels, then agreeing enumerators, then neighbours in the skeleton. It fails by omission, never by
swapping: a label that fits two rows of the form is not matched unless its neighbours decide.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz, process

from loaders.text.labels import Label, read_label
from loaders.vocabulary import FormRow

# Measured on noisy statutory labels: the lowest true score was 83, the highest score of a non-label 50; an
# alignment that keeps the order separates down to 62.
FUZZY_ALONE = 80.0
FUZZY_BETWEEN_NEIGHBOURS = 62.0
MARGIN = 5.0
# Labels this short differ by one character from other labels of the forms (行政许可, 行政处罚; 其他, 总计).
MIN_FUZZY_LENGTH = 5
_THRESHOLD = 55.0
_LONGEST_CACHED = 5000
_CONTIGUOUS_BONUS = 2.0
_SAME_ENUMERATOR = 6.0
_OTHER_ENUMERATOR = -8.0


@dataclass(frozen=True, slots=True)
class Match:
    """A label matched to row ``index`` of the skeleton; ``method`` is exact, fuzzy or between_neighbours."""

    index: int
    score: float
    method: str


@dataclass(frozen=True, slots=True)
class _Skeleton:
    rows: tuple[FormRow, ...]
    enumerators: tuple[str, ...]
    cores: tuple[str, ...]
    owners: tuple[int, ...]
    parents: tuple[int | None, ...]
    repeated: frozenset[int]
    confusable: frozenset[int]


@lru_cache(maxsize=64)
def _skeleton(rows: tuple[FormRow, ...]) -> _Skeleton:
    cores: list[str] = []
    owners: list[int] = []
    enumerators = []
    for index, row in enumerate(rows):
        enumerators.append(read_label(row.enumerator + row.label_zh).enumerator)
        for text in (row.label_zh, *row.aliases):
            cores.append(read_label(text).core)
            owners.append(index)
    counts: Counter[str] = Counter(core for core, _ in set(zip(cores, owners, strict=True)))
    repeated = frozenset(owner for core, owner in zip(cores, owners, strict=True) if counts[core] > 1)
    alike = process.cdist(cores, cores, scorer=fuzz.ratio, score_cutoff=FUZZY_ALONE)
    confusable = frozenset(
        owner
        for owner, scores in zip(owners, alike, strict=True)
        if any(score and other != owner for score, other in zip(scores, owners, strict=True))
    )
    codes = {row.row_code: index for index, row in enumerate(rows)}
    parents = tuple(codes.get(row.parent_row_code) for row in rows)
    return _Skeleton(rows, tuple(enumerators), tuple(cores), tuple(owners), parents, repeated, confusable)


def exact_cores(rows: tuple[FormRow, ...]) -> frozenset[str]:
    """The label cores that are a row of the form to the letter."""
    return frozenset(_skeleton(rows).cores)


def _similarity(labels: Sequence[Label], skeleton: _Skeleton) -> list[list[float]]:
    """Similarity of each label to each skeleton row, 0 to 100, over the row's own label and its aliases."""
    by_core = process.cdist([label.core for label in labels], skeleton.cores, scorer=fuzz.ratio)
    table = []
    for label, scores in zip(labels, by_core, strict=True):
        best = [0.0] * len(skeleton.rows)
        for core, owner, score in zip(skeleton.cores, skeleton.owners, scores, strict=True):
            exact = label.core == core and core != ""
            if not exact and min(len(label.core), len(core)) < MIN_FUZZY_LENGTH:
                continue
            best[owner] = max(best[owner], 100.0 if exact else min(float(score), 99.0))
        table.append(best)
    return table


def _enumerator_weight(label: Label, printed: str) -> float:
    if not label.enumerator or not printed:
        return 0.0
    return _SAME_ENUMERATOR if label.enumerator == printed else _OTHER_ENUMERATOR


def _best_path(labels: Sequence[Label], skeleton: _Skeleton, similarity: list[list[float]]) -> list[int | None]:
    """The monotone assignment of labels to rows with the greatest weight."""
    n, m = len(labels), len(skeleton.rows)
    # ends[i][j]: best weight of a path whose last pair is (i, j); prefix[i][j]: best over pairs before (i, j).
    ends: list[list[tuple[float, tuple[int, int] | None]]] = []
    prefix: list[list[tuple[float, tuple[int, int] | None]]] = [[(0.0, None)] * (m + 1)]
    for i in range(n):
        row: list[tuple[float, tuple[int, int] | None]] = []
        reach: list[tuple[float, tuple[int, int] | None]] = [(0.0, None)]
        for j in range(m):
            weight = similarity[i][j]
            if weight >= FUZZY_BETWEEN_NEIGHBOURS:
                weight += _enumerator_weight(labels[i], skeleton.enumerators[j]) - _THRESHOLD
                total, back = prefix[i][j]
                if i and j and ends[i - 1][j - 1][0] + _CONTIGUOUS_BONUS > total:
                    total, back = ends[i - 1][j - 1][0] + _CONTIGUOUS_BONUS, (i - 1, j - 1)
                row.append((total + weight, back))
            else:
                row.append((float("-inf"), None))
            best = max((prefix[i][j + 1], reach[j]), key=lambda item: item[0])
            reach.append(max(best, (row[j][0], (i, j)), key=lambda item: item[0]))
        ends.append(row)
        prefix.append(reach)
    path: list[int | None] = [None] * n
    at = prefix[n][m][1]
    while at is not None:
        i, j = at
        path[i] = j
        at = ends[i][j][1]
    return path


def align(labels: Sequence[Label], rows: tuple[FormRow, ...]) -> tuple[Match | None, ...]:
    """Match the labels of a printed table, in document order, to the rows of a form table."""
    # Most bodies print the labels of the form as they are: what was aligned once comes back.
    if sum(len(label.core) for label in labels) > _LONGEST_CACHED:
        return _align.__wrapped__(tuple(labels), rows)
    return _align(tuple(labels), rows)


@lru_cache(maxsize=512)
def _align(labels: tuple[Label, ...], rows: tuple[FormRow, ...]) -> tuple[Match | None, ...]:
    skeleton = _skeleton(rows)
    if not labels:
        return ()
    similarity = _similarity(labels, skeleton)
    path = _best_path(labels, skeleton, similarity)
    matches: list[Match | None] = [None] * len(labels)
    # Unrepeated exact labels first: they are what the others are judged by.
    for i, j in enumerate(path):
        if j is None or j in skeleton.repeated or similarity[i][j] < 100.0:
            continue
        if not _is_confusable(labels[i], i, j, skeleton, similarity):
            matches[i] = Match(j, 100.0, "exact")
    changed = True
    while changed:
        changed = False
        for i, j in enumerate(path):
            if j is None or matches[i] is not None:
                continue
            match = _judge(labels[i], i, j, path, matches, skeleton, similarity)
            if match is not None:
                matches[i] = match
                changed = True
    _match_disordered(labels, matches, skeleton, similarity)
    _keep_one_variant(matches, skeleton)
    return tuple(matches)


def _keep_one_variant(matches: list[Match | None], skeleton: _Skeleton) -> None:
    """A printed table is of one variant of its form: the one that more labels speak for that only it has."""
    variants = [None if match is None else skeleton.rows[match.index].variant_code for match in matches]
    votes = Counter({variant: 0 for variant in variants if variant not in (None, "all")})
    votes.update(
        skeleton.rows[match.index].variant_code
        for match in matches
        if match is not None
        and match.index not in skeleton.repeated
        and skeleton.rows[match.index].variant_code != "all"
    )
    if len(votes) < 2:
        return
    (best, most), (_, second), *_ = votes.most_common()
    for i, variant in enumerate(variants):
        if variant not in (None, "all") and (variant != best or most == second):
            matches[i] = None


def _match_disordered(
    labels: Sequence[Label], matches: list[Match | None], skeleton: _Skeleton, similarity: list[list[float]]
) -> None:
    """Rows that a body printed in another order: a label that is one row of the form to the letter and no other."""
    taken = {match.index for match in matches if match}
    for i, label in enumerate(labels):
        if matches[i] is not None:
            continue
        exact = [j for j, score in enumerate(similarity[i]) if score == 100.0]
        if len(exact) != 1 or exact[0] in taken or exact[0] in skeleton.repeated | skeleton.confusable:
            continue
        if sum(other.core == label.core for other in labels) == 1 and len(label.core) >= MIN_FUZZY_LENGTH:
            matches[i] = Match(exact[0], 100.0, "exact")
            taken.add(exact[0])


def _is_confusable(label: Label, i: int, j: int, skeleton: _Skeleton, similarity: list[list[float]]) -> bool:
    """Whether the enumerator says another, similar row of the form than the words do."""
    if not label.enumerator or not skeleton.enumerators[j] or label.enumerator == skeleton.enumerators[j]:
        return False
    return any(
        k != j and skeleton.enumerators[k] == label.enumerator and similarity[i][k] >= 75.0
        for k in range(len(skeleton.rows))
    )


def _are_adjacent(rows: tuple[FormRow, ...], first: int | None, second: int | None) -> bool:
    """Whether a form prints two rows one after the other: rows of another variant between them are not in it."""
    if first is None or second is None or first >= second:
        return False
    variants = {rows[first].variant_code, rows[second].variant_code} - {"all"}
    between = {row.variant_code for row in rows[first + 1 : second]}
    return _are_of_one_variant(rows[first], rows[second]) and not between & (variants | {"all"})


def _are_of_one_variant(one: FormRow, other: FormRow) -> bool:
    return len({one.variant_code, other.variant_code} - {"all"}) < 2


def _is_in_group(i: int, j: int, matches: list[Match | None], skeleton: _Skeleton) -> bool:
    """Whether a repeated label stands under its own group: after its heading, before the next group's that has it."""
    parent = skeleton.parents[j]
    if parent is not None and parent not in (match.index for match in matches[:i] if match):
        return False
    own = {core for core, owner in zip(skeleton.cores, skeleton.owners, strict=True) if owner == j}
    later = [
        owner
        for core, owner in zip(skeleton.cores, skeleton.owners, strict=True)
        if owner > j and core in own and _are_of_one_variant(skeleton.rows[j], skeleton.rows[owner])
    ]
    following = skeleton.parents[min(later)] if later else None
    return following is None or following in (match.index for match in matches[i + 1 :] if match)


def _judge(
    label: Label,
    i: int,
    j: int,
    path: list[int | None],
    matches: list[Match | None],
    skeleton: _Skeleton,
    similarity: list[list[float]],
) -> Match | None:
    """Accept a repeated or inexact label when its neighbours or its distance to all other rows decide."""
    before = i > 0 and matches[i - 1] is not None and _are_adjacent(skeleton.rows, path[i - 1], j)
    first = i == 0 and j == 0
    after = i + 1 < len(path) and matches[i + 1] is not None and _are_adjacent(skeleton.rows, j, path[i + 1])
    last = i + 1 == len(path) and j + 1 == len(skeleton.rows)
    score = similarity[i][j]
    same_enumerator = not label.enumerator or not skeleton.enumerators[j] or label.enumerator == skeleton.enumerators[j]
    if j in skeleton.repeated:
        unique_after = after and path[i + 1] not in skeleton.repeated
        if not (before or unique_after) or not same_enumerator or not _is_in_group(i, j, matches, skeleton):
            return None
        if score == 100.0:
            return Match(j, 100.0, "exact")
        return Match(j, score, "between_neighbours") if (before or first) and (after or last) else None
    if not same_enumerator and score < 100.0:
        return None
    rivals = [
        similarity[i][k]
        for k in range(len(skeleton.rows))
        if k != j
        and (not label.enumerator or not skeleton.enumerators[k] or label.enumerator == skeleton.enumerators[k])
    ]
    clear = score - max(rivals, default=0.0) >= MARGIN
    if (before or first) and (after or last):
        return Match(j, score, "exact" if score == 100.0 else "between_neighbours")
    if score == 100.0:
        # A confusable exact label: only neighbours on both sides, handled above, may decide.
        return None
    if score >= FUZZY_ALONE and clear and j not in skeleton.confusable:
        return Match(j, score, "fuzzy")
    return None
