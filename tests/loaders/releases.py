"""A warehouse with marts of a few rows that passed its checks, made in a moment, for tests of what is published."""

from __future__ import annotations

from pathlib import Path

import pytest

from loaders.builds import LAYERS, begin_build, create_quality, data_token, end_build, record_check
from loaders.publish import Release, publish_build
from loaders.runs import begin_run, end_run
from loaders.staging import create_raw
from loaders.warehouse import Warehouse
from tests.conftest import FINGERPRINT

MARTS = """
create schema if not exists marts;
create table marts.dim_report (
    report_id varchar not null primary key, agency_id varchar not null, title varchar, report_year integer,
    is_in_facts boolean not null, published_date date
);
create table marts.fct_metric_value (
    metric_value_key varchar not null, report_id varchar not null, agency_id varchar not null, reliability varchar,
    snippet varchar, report_year integer not null, value decimal(20, 4)
);
comment on table marts.dim_report is 'Every report. One row per report.';
insert into marts.dim_report values 
    ('r1', 'gov-1', '报告一', 2020, true, date '2021-01-30'), ('r2', 'gov-2', null, 2021, true, null);
insert into marts.fct_metric_value values
    ('k1', 'r1', 'gov-1', 'consistent', '收到1.5件', 2020, 1.5), ('k2', 'r1', 'gov-1', 'unchecked', '', 2020, null),
    ('k3', 'r2', 'gov-2', 'consistent', null, 2021, 12345678.9);
"""


def make_warehouse(root: Path, statements: str = MARTS) -> Warehouse:
    """A warehouse whose build may be published."""
    warehouse = Warehouse(root)
    change(warehouse, statements)
    return warehouse


def change(warehouse: Warehouse, statements: str) -> None:
    """Run statements in the work file, as a build and checks that passed would."""
    con = warehouse.connect()
    create_raw(con)
    create_quality(con)
    con.execute(statements)
    run_id = begin_run(con, "test")
    end_build(con, begin_build(con, run_id, FINGERPRINT, data_token(con, "raw")), "built")
    for layer in LAYERS:
        record_check(con, layer, run_id, FINGERPRINT, data_token(con, layer), [])
    end_run(con, run_id, "done")
    con.close()


def publish(warehouse: Warehouse, statements: str = "") -> Release:
    """Publish the work file, after a change of it."""
    if statements:
        change(warehouse, statements)
    # Pages and reports of validation need the whole of the marts; they have tests of their own.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("loaders.publish.write_validation", lambda *_: None)
        patch.setattr("loaders.site.write_release_site", lambda target, *_: target.mkdir())
        return publish_build(warehouse, FINGERPRINT)
