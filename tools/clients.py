"""Which DuckDB clients open the current release: each in a throw-away folder, asked the same questions.

In: a warehouse with a release. For each client: is every table there with the rows of the manifest, do the questions
of ``README.md`` and ``docs/queries.md`` give the answers that the project's own DuckDB gives, and does the locked
connection of ``docs/clients.md`` refuse other files and writing. Out: one line a client; exit code 1 if one fails.

    python -m tools.clients [--warehouse DIR] [--python 1.2.2 ...] [--node latest | --no-node]

Needs pip and, for Node, npm with their registries.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from loaders.release_guard import guard_release
from loaders.warehouse import RELEASE_FILE

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("README.md", "docs/queries.md")
PYTHON_VERSIONS = ("1.2.2", "1.3.2", "1.4.4", "1.5.6", "2.0.0")
NODE_PACKAGE = "@duckdb/node-api"
# Misuse that the locked connection must refuse; FILE is a file beside the database. It is tried on a copy.
ATTACKS = (
    "select * from read_text('FILE')",
    "copy (select 1) to 'FILE.stolen'",
    "copy (select 1) to 'RELEASE.wal'",
    "attach 'FILE.other' as other",
    "set enable_external_access = true",
    "create table marts.mine (n integer)",
    "delete from marts.dim_year",
)

PYTHON_CLIENT = """
import json, sys
sys.path.insert(0, sys.argv[1])
import duckdb
task = json.load(open(sys.argv[2], encoding="utf-8"))
con = duckdb.connect(task["database"], read_only=True)
con.execute("use marts")
answers = [[str(cell) for cell in con.execute(sql).fetchone()] for sql in task["questions"]]

def attack():
    passed = []
    for sql in task["attacks"]:
        try:
            con.execute(sql)
            passed.append(sql)
        except duckdb.Error:
            pass
    return passed

con.close()
con = duckdb.connect(task["copy"], read_only=True)
unlocked = attack()
con.close()
config = {"enable_external_access": "false", "lock_configuration": "true"}
con = duckdb.connect(task["copy"], read_only=True, config=config)
passed = attack()
locked = str(con.execute("select count(*) from marts.dim_year").fetchone()[0])
print(json.dumps({"version": duckdb.__version__, "answers": answers, "passed": passed,
                  "unlocked": unlocked, "locked": locked}))
"""

NODE_CLIENT = """
import fs from "node:fs";
import duckdb, { DuckDBInstance } from "@duckdb/node-api";
const task = JSON.parse(fs.readFileSync(process.argv[2], "utf-8"));
const open = async (path, config) => (await DuckDBInstance.create(path, config)).connect();
let con = await open(task.database, { access_mode: "READ_ONLY" });
await con.run("use marts");
const rows = async (sql) => (await con.runAndReadAll(sql)).getRows();
const answers = [];
for (const sql of task.questions) answers.push((await rows(sql))[0].map(String));
const attack = async () => {
  const passed = [];
  for (const sql of task.attacks) {
    try { await con.run(sql); passed.push(sql); } catch { /* refused */ }
  }
  return passed;
};
con.closeSync();
con = await open(task.copy, { access_mode: "READ_ONLY" });
const unlocked = await attack();
con.closeSync();
con = await open(task.copy, { access_mode: "READ_ONLY", enable_external_access: "false", lock_configuration: "true" });
const passed = await attack();
const locked = String((await rows("select count(*) from marts.dim_year"))[0][0]);
console.log(JSON.stringify({ version: duckdb.version(), answers, passed, unlocked, locked }));
"""


def read_questions(pages: tuple[str, ...] = PAGES) -> list[str]:
    """The SQL of the pages, in their order."""
    found = []
    for page in pages:
        text = (ROOT / page).read_text("utf-8")
        found += [sql.strip().rstrip(";") for sql in re.findall(r"^```sql\n(.*?)^```", text, re.DOTALL | re.MULTILINE)]
    return found


def digest_question(sql: str) -> str:
    """A question for the number of rows and a digest of the answer to another, whatever the order of its rows."""
    row = "cast(to_json(answer) as varchar)"
    return f"select count(*), coalesce(md5(string_agg({row}, chr(10) order by {row})), '') from ({sql}) as answer"


def main() -> int:
    """Ask every client and print what they answer."""
    arguments = _arguments()
    release = (Path(arguments.warehouse) / "current").resolve()
    database = release / RELEASE_FILE
    if not database.is_file():
        print(f"no release in {arguments.warehouse}; run make warehouse first", file=sys.stderr)
        return 2
    rows: dict[str, int] = json.loads((release / "manifest.json").read_text("utf-8"))["table_rows"]
    counts = [f'select count(*) from "{name.replace(".", chr(34) + "." + chr(34))}"' for name in sorted(rows)]
    questions = read_questions()
    folder = Path(tempfile.mkdtemp(prefix="gongkai-clients-"))
    try:
        bait = folder / "bait.txt"
        bait.write_text("not for readers", "utf-8")
        (folder / "copy").mkdir()
        copy = Path(shutil.copy(database, folder / "copy" / RELEASE_FILE))
        guard_release(copy.parent)
        task = {
            "database": str(database),
            "copy": str(copy),
            "questions": counts + [digest_question(sql) for sql in questions],
            "attacks": [attack.replace("FILE", str(bait)).replace("RELEASE", str(copy)) for attack in ATTACKS],
        }
        task_file = folder / "task.json"
        task_file.write_text(json.dumps(task), "utf-8")
        wanted = _own_answers(database, task["questions"])
        if [int(answer[0]) for answer in wanted[: len(counts)]] != [rows[name] for name in sorted(rows)]:
            print("the release does not hold what its manifest says", file=sys.stderr)
            return 1
        print(f"{len(rows)} tables, {sum(rows.values())} rows, {len(questions)} questions, release {release.name}\n")
        print(
            "| client | DuckDB | tables | questions | misuse, read-only | misuse, locked | seconds |\n"
            + "|---" * 7
            + "|"
        )
        clients: list[tuple[str, Callable[[], list[str]]]] = [
            (f"Python duckdb=={version}", lambda version=version: _make_python(folder, version, task_file))  # type: ignore[misc]
            for version in arguments.python
        ]
        if arguments.node:
            node = f"{NODE_PACKAGE}@{arguments.node}"
            clients.append((f"Node {node}", lambda: _make_node(folder, node, task_file)))
        return max([_try_client(name, make, wanted, len(counts)) for name, make in clients], default=0)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _try_client(name: str, make: Callable[[], list[str]], wanted: list[list[str]], table_count: int) -> int:
    """Make a client, ask it, print its line; 1 when anything is not as wanted."""
    try:
        command = make()
        begun = time.monotonic()
        met = json.loads(_run(command))
    except (subprocess.SubprocessError, OSError, ValueError) as error:
        reason = (getattr(error, "stderr", "") or str(error)).strip().splitlines()[-1:]
        print(f"| {name} | failed: {' '.join(reason)} | | | | | |", flush=True)
        return 1
    answers = met["answers"]
    right = [answer == other for answer, other in zip(answers, wanted, strict=True)]
    tables, questions = right[:table_count], right[table_count:]
    # Without the lock some get through; were it none, the attacks would prove nothing.
    is_locked = not met["passed"] and met["unlocked"] and met["locked"] != "0"
    print(
        f"| {name} | {met['version']} | {sum(tables)} of {len(tables)} | {sum(questions)} of {len(questions)} | "
        f"{len(met['unlocked'])} of {len(ATTACKS)} | {len(met['passed'])} of {len(ATTACKS)} | "
        f"{time.monotonic() - begun:.1f} |",
        flush=True,
    )
    return 0 if all(right) and is_locked else 1


def _own_answers(database: Path, questions: list[str]) -> list[list[str]]:
    con = duckdb.connect(str(database), read_only=True)
    try:
        con.execute("use marts")
        return [[str(cell) for cell in con.execute(sql).fetchall()[0]] for sql in questions]
    finally:
        con.close()


def _make_python(folder: Path, version: str, task: Path) -> list[str]:
    target, script = folder / f"python-{version}", folder / "client.py"
    script.write_text(PYTHON_CLIENT, "utf-8")
    _run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"],
        "--target",
        str(target),
        f"duckdb=={version}",
    )
    return [sys.executable, "-I", "-S", str(script), str(target), str(task)]


def _make_node(folder: Path, package: str, task: Path) -> list[str]:
    target = folder / "node"
    target.mkdir()
    (target / "package.json").write_text('{"private": true, "type": "module"}', "utf-8")
    (target / "client.js").write_text(NODE_CLIENT, "utf-8")
    _run(["npm", "install", "--silent", "--no-audit", "--no-fund"], package, cwd=target)
    return ["node", str(target / "client.js"), str(task)]


def _run(command: list[str], *more: str, cwd: Path | None = None) -> str:
    found = subprocess.run([*command, *more], capture_output=True, text=True, check=True, timeout=600, cwd=cwd)
    return found.stdout


def _arguments() -> Any:
    parser = argparse.ArgumentParser(description="Which DuckDB clients open the current release.")
    parser.add_argument("--warehouse", default=os.environ.get("GONGKAI_WAREHOUSE", "warehouse"), metavar="DIR")
    parser.add_argument("--python", nargs="*", default=PYTHON_VERSIONS, metavar="VERSION", help="of duckdb")
    parser.add_argument("--node", default="latest", metavar="VERSION", help=f"of {NODE_PACKAGE}")
    parser.add_argument("--no-node", action="store_const", const=None, dest="node", help="leave Node out")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
