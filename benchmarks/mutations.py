"""Mutilated documents through the whole load: none may stop it, and every one is accounted for.

``python -m benchmarks.mutations [--count 10000] [--seed 1] [--workers N]`` takes the sample reports, the golden
documents and the same as web page, archive and parts of both, mutates their bytes, loads them into a scratch
warehouse and prints what became of them. It fails when a document is not accounted for, and names every document
that made a reader stumble.
"""

from __future__ import annotations

import argparse
import io
import random
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from loaders.load import Account, load_documents
from loaders.progress import show_progress
from loaders.runs import begin_run
from loaders.settings import make_settings
from loaders.sources import list_documents
from loaders.staging import create_raw
from loaders.version import PROJECT_ROOT
from loaders.warehouse import Warehouse

FAILURES = ("reader_failed", "time_limit", "memory_limit")
_SUFFIXES = (".txt", ".html", ".pdf", ".doc", ".docx", ".xls", ".xlsx", ".zip", ".png", "")
_NOT_DOCUMENTS = {".csv", ".md", ".json", ".py"}
_JUNK = (
    b"\x00",
    b"\xff\xfe",
    b"<table>",
    b"<td rowspan=65534 colspan=1000>",
    b"PK\x03\x04",
    b"%PDF-1.4",
    b"\x1b",
    b"]]>",
)


@dataclass(frozen=True)
class Result:
    """What became of the mutations; ``lost`` are files of which nothing was said."""

    account: Account
    reject_codes: Counter[str]
    failures: tuple[str, ...]
    lost: tuple[str, ...]


def seeds() -> list[tuple[str, bytes]]:
    """The documents that are mutated: names and bytes."""
    folders = (PROJECT_ROOT / "samples" / "reports", PROJECT_ROOT / "tests" / "golden")
    paths = [path for folder in folders for path in sorted(folder.rglob("*"))]
    kept = [path for path in paths if path.is_file() and path.suffix not in _NOT_DOCUMENTS]
    found = [(path.name, path.read_bytes()) for path in kept]
    # Whatever the formats of those, pages, encodings and archives are among the seeds.
    for name, data in found[:5]:
        text = data.decode("utf-8", "replace")
        rows = "".join(f"<tr><td>{line}</td><td>1</td></tr>" for line in text.splitlines()[:60])
        page = f"<html><head><meta charset=gbk></head><body><p>{text[:2000]}</p><table>{rows}</table></body></html>"
        found.append((f"{name}.html", page.encode("gb18030")))
        found.append((f"{name}.utf16.txt", text.encode("utf-16")))
        found.append((f"{name}.zip", pack({name: data, "页.html": page.encode()})))
    return found


def pack(members: dict[str, bytes]) -> bytes:
    """A ZIP of some members."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return packed.getvalue()


def flip(data: bytearray, dice: random.Random) -> bytearray:
    for _ in range(dice.choice((1, 8, 100))):
        if data:
            data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    return data


def truncate(data: bytearray, dice: random.Random) -> bytearray:
    return data[: dice.randrange(len(data) + 1)]


def behead(data: bytearray, dice: random.Random) -> bytearray:
    return data[dice.randrange(min(len(data), 2000) + 1) :]


def duplicate(data: bytearray, dice: random.Random) -> bytearray:
    start, length = dice.randrange(len(data) + 1), dice.randrange(1, 4000)
    return data[:start] + data[start : start + length] * dice.choice((2, 3, 20)) + data[start:]


def insert_junk(data: bytearray, dice: random.Random) -> bytearray:
    junk = dice.choice((*_JUNK, dice.randbytes(64))) * dice.choice((1, 10, 300))
    start = dice.randrange(len(data) + 1)
    return data[:start] + junk + data[start:]


def swap_chunks(data: bytearray, dice: random.Random) -> bytearray:
    a, b, c = sorted(dice.randrange(len(data) + 1) for _ in range(3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def overwrite(data: bytearray, dice: random.Random) -> bytearray:
    start, length = dice.randrange(len(data) + 1), dice.randrange(1, 200)
    data[start : start + length] = dice.choice((b"\0", b"9", b"\xff")) * length
    return data


MUTATIONS: tuple[Callable[[bytearray, random.Random], bytearray], ...] = (
    flip,
    truncate,
    behead,
    duplicate,
    insert_junk,
    swap_chunks,
    overwrite,
)


def write_mutations(count: int, seed: int, folder: Path) -> None:
    """Write ``count`` mutated documents into an empty folder; the same seed gives the same documents."""
    dice = random.Random(seed)
    found = seeds()
    for n in range(count):
        name, content = found[n % len(found)]
        data = bytearray(content)
        applied = dice.choices(MUTATIONS, k=dice.choice((0, 1, 1, 1, 2, 3)))
        for mutate in applied:
            data = mutate(data, dice)
        if dice.random() < 0.1:
            data = bytearray(pack({"成员.txt": bytes(data), name: bytes(data[::-1])}))
        suffix = dice.choice(_SUFFIXES) if dice.random() < 0.3 else Path(name).suffix
        # Each is another document, also where nothing was mutated.
        label = "-".join(mutate.__name__ for mutate in applied) or "as-it-is"
        (folder / f"{n:06}-{label}{suffix}").write_bytes(data)


def load_mutations(count: int, seed: int, folder: Path, workers: int | None = None, quiet: bool = True) -> Result:
    """Load mutated documents into a warehouse in ``folder``."""
    documents = folder / "documents"
    documents.mkdir()
    write_mutations(count, seed, documents)
    con = Warehouse(folder / "warehouse").connect()
    try:
        create_raw(con)
        run_id = begin_run(con, "load")
        with show_progress(make_settings(str(folder), quiet, False), count) as progress:
            account = load_documents(
                con, list_documents([str(documents)]), run_id=run_id, workers=workers, progress=progress
            )
        told = {uri for (uri,) in con.execute("select source_uri from raw.documents").fetchall()}
    finally:
        con.close()
    told |= {duplicate.source_uri for duplicate in account.duplicates}
    told_files = {uri.partition("!/")[0] for uri in told}
    failures = [r for r in account.rejections if r.reject_code in FAILURES]
    return Result(
        account,
        Counter(rejection.reject_code for rejection in account.rejections),
        tuple(f"{Path(r.source_uri).name}: {r.reject_code}: {r.message}" for r in failures),
        tuple(path.name for path in sorted(documents.iterdir()) if path.as_posix() not in told_files),
    )


def main(arguments: list[str]) -> int:
    """Print the counts."""
    parser = argparse.ArgumentParser(description="Load mutilated documents and account for them.")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int)
    options = parser.parse_args(arguments)
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        result = load_mutations(options.count, options.seed, Path(folder), options.workers, quiet=False)
    account, seconds = result.account, time.perf_counter() - begun
    print(
        f"seen {account.seen} = loaded {account.loaded} + unchanged {account.unchanged} + rejected {account.rejected}"
    )
    for code, count in result.reject_codes.most_common():
        print(f"  {code:22} {count:6}")
    print(f"{account.seen / seconds:.1f} documents/s")
    for failure in result.failures[:50]:
        print(failure)
    if result.lost:
        print(f"{len(result.lost)} documents are not accounted for: {', '.join(result.lost[:20])}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
