"""What both kinds of Word file have in common: paragraphs and tables of cells that hold paragraphs and tables.

In: the blocks of a document in reading order. Out: the same pieces in a
:class:`~loaders.readers.build.DocumentBuilder`. A cell's paragraphs are joined by line feeds. A table that only
places other blocks on the page (one cell, or one column or a few cells round larger tables) is left out and its
blocks stand in its place; any other table in a cell is added after the table it stands in, and its words are also
part of the cell, so that a cell with something in it is never blank.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from loaders.errors import DocumentRejected
from loaders.readers.build import DocumentBuilder, Slot

# More tables in tables than any report has.
MAX_NESTING = 20


@dataclass(slots=True)
class WordCell:
    """A cell: its first slot (0-based), what it spans, and the blocks in it."""

    row: int
    column: int
    row_span: int = 1
    column_span: int = 1
    blocks: list[WordBlock] = field(default_factory=list)


@dataclass(slots=True)
class WordTable:
    """A table: its cells in reading order."""

    cells: list[WordCell]


WordBlock = str | WordTable


def add_blocks(builder: DocumentBuilder, blocks: Sequence[WordBlock]) -> None:
    """Add blocks to a document in reading order."""
    for block in blocks:
        if isinstance(block, str):
            builder.add_paragraph(block)
        elif _is_layout(block):
            for cell in block.cells:
                add_blocks(builder, cell.blocks)
        else:
            builder.add_table(
                [Slot(_text(c.blocks), c.row, c.column, c.row_span, c.column_span) for c in block.cells], "word"
            )
            inner = [b for cell in block.cells for b in cell.blocks if isinstance(b, WordTable)]
            add_blocks(builder, [table for table in inner if len(table.cells) > 1])


def refuse_deep(depth: int) -> None:
    """Refuse nesting beyond reason.

    Raises:
        DocumentRejected: ``hostile_structure``.
    """
    if depth > MAX_NESTING:
        raise DocumentRejected("hostile_structure", f"tables or text boxes nested more than {MAX_NESTING} deep")


def _is_layout(table: WordTable) -> bool:
    inner = sum(_cell_count(block) for cell in table.cells for block in cell.blocks if isinstance(block, WordTable))
    one_column = len({cell.column for cell in table.cells}) == 1
    return len(table.cells) <= 1 or (inner > 1 and (one_column or inner > len(table.cells)))


def _cell_count(table: WordTable) -> int:
    inner = (block for cell in table.cells for block in cell.blocks if isinstance(block, WordTable))
    return len(table.cells) + sum(map(_cell_count, inner))


def _text(blocks: Sequence[WordBlock]) -> str:
    if len(blocks) == 1 and isinstance(blocks[0], str):
        return blocks[0].strip("\n")
    return "\n".join(_lines(blocks)).strip("\n")


def _lines(blocks: Sequence[WordBlock]) -> Iterator[str]:
    for block in blocks:
        if isinstance(block, str):
            yield block
        else:
            rows: dict[int, list[str]] = {}
            for cell in block.cells:
                rows.setdefault(cell.row, []).append(_text(cell.blocks))
            # Cells of an inner table stay apart in sight: 8 and 9 are not 89.
            yield from (" | ".join(row) for row in rows.values())
