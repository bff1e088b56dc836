"""`manage.py import_documents`: thousands of rows, each judged alone, again without harm."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from conftest import body
from invoicing.management.commands import import_documents
from invoicing.models import Document
from invoicing.tests.elsewhere import a_cufe, told, told_with_lines
from tenants.models import Tenant

pytestmark = pytest.mark.django_db(transaction=True)

COLUMNS = "cufe,total,receiver.type,receiver.name,external_id"


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., str]:
    def write(*rows: Any, start: bytes = b"") -> str:
        path = tmp_path / "invoices"
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        path.write_bytes(start + "\n".join(lines).encode("utf-8", "surrogateescape"))
        return str(path)

    return write


def row(nth: int, total: str = "10.00", kind: str = "CONSUMIDOR_FINAL", order: str = "") -> str:
    return f"{a_cufe(nth)},{total},{kind},Cliente {nth},{order}"


def run(path: str, *options: str, tenant: str = "155596713-2-2015") -> tuple[str, list[list[str]]]:
    """The closing sentence and the report; a refusal must be the exit code 1."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    try:
        call_command("import_documents", path, "--tenant", tenant, *options, stdout=out, stderr=err)
    except SystemExit as end:
        code = int(end.code or 0)
    report = list(csv.reader(io.StringIO(err.getvalue())))
    said = out.getvalue().strip()
    assert code == (0 if " 0 refused" in said else 1)
    return said, report


def test_a_csv_is_recorded(file: Callable[..., str], alice: Tenant) -> None:
    said, report = run(file(COLUMNS, row(1, order="A-1"), row(2)))
    assert (said, report) == ("2 rows: 2 recorded, 0 known already, 0 refused.", [])
    first, second = Document.unscoped.order_by("number")
    assert (first.external_id, second.external_id) == ("A-1", None)
    assert first.receiver_name == "Cliente 1"
    assert {first.generation_mode, second.generation_mode} == {"DGI_IMPORT"}
    assert first.history.get().event == "issued"


def test_json_lines_are_recorded_with_their_lines(file: Callable[..., str], alice: Tenant) -> None:
    said, _ = run(file(told(1), "", told_with_lines(2)))
    assert said == "2 rows: 2 recorded, 0 known already, 0 refused."
    assert Document.unscoped.get(number="0000000002").lines.count() == 1


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_what_a_spreadsheet_saves_is_read(
    delimiter: str, file: Callable[..., str], alice: Tenant
) -> None:
    header = "receiver.emails,cufe,total,receiver.type,receiver.name,destination,metadata.order.no"
    cells = '"a@b.test;c@d.test",{},1.00,CONSUMIDOR_FINAL,"Peña ""y"" Cía\r\nS.A.",1,7\r'
    text = cells.format(a_cufe(1)).replace(",", delimiter)
    run(file(header.replace(",", delimiter) + "\r", text, "\r", start=b"\xef\xbb\xbf"))
    document = Document.unscoped.get()
    assert document.receiver_emails == ["a@b.test", "c@d.test"]
    assert document.receiver_name == 'Peña "y" Cía\r\nS.A.'
    assert (document.destination, document.metadata) == (1, {"order.no": "7"})


def test_a_refused_row_is_reported_and_keeps_back_no_other(
    file: Callable[..., str], alice: Tenant, tmp_path: Path
) -> None:
    report = tmp_path / "refused.csv"
    path = file(
        COLUMNS,
        row(1),
        row(2, total="-1.00"),
        "FE01,1.00,CONSUMIDOR_FINAL,x,",
        row(4) + ",too many",
        "",
        f"{a_cufe(5)},=1+1,CONSUMIDOR_FINAL,x,",
        row(6),
        f"{a_cufe(6, security_code='000000001')},1.00,CONSUMIDOR_FINAL,x,",
        row(8, kind="NOBODY"),
    )
    said, err = run(path, "--refused", str(report))
    assert err == []
    assert said == f"8 rows: 2 recorded, 0 known already, 6 refused (see {report})."
    with report.open(newline="") as written:
        told_of = [(line["row"], line["code"], line["field"]) for line in csv.DictReader(written)]
    assert told_of == [
        ("3", "negative", "total"),
        ("4", "cufe_malformed", "cufe"),
        ("5", "too_many_cells", ""),
        ("7", "invalid", "total"),
        ("9", "number_taken", ""),
        ("10", "receiver_type_unknown", "receiver.type"),
    ]


def test_without_a_file_the_report_goes_to_stderr(file: Callable[..., str], alice: Tenant) -> None:
    _, report = run(file(COLUMNS, row(1, total="x"), row(2, kind="NOBODY")))
    assert report[0] == ["row", "code", "message", "field"]
    assert [line[0] for line in report[1:]] == ["2", "3"]


def test_run_again_it_passes_over_what_is_known(file: Callable[..., str], alice: Tenant) -> None:
    run(file(COLUMNS, row(1), row(2)))
    before = set(Document.unscoped.values_list("pk", "updated_at"))
    said, _ = run(file(COLUMNS, row(1), row(2), row(3), row(3)))
    assert said == "4 rows: 1 recorded, 3 known already, 0 refused."
    assert before < set(Document.unscoped.values_list("pk", "updated_at"))


def test_a_killed_run_goes_on_where_it_stopped(
    file: Callable[..., str], alice: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_documents, "BATCH", 2)
    path = file(COLUMNS, *[row(nth) for nth in range(1, 8)])
    record, batches = import_documents.import_batch, iter([True, True])

    def die_at_the_third(**options: Any) -> Any:
        if not next(batches, False):
            raise KeyboardInterrupt
        return record(**options)

    with monkeypatch.context() as patch:
        patch.setattr(import_documents, "import_batch", die_at_the_third)
        with pytest.raises(KeyboardInterrupt):
            run(path)
    assert Document.unscoped.count() == 4
    said, _ = run(path)
    assert said == "7 rows: 3 recorded, 4 known already, 0 refused."


def test_a_busy_database_is_told_and_costs_one_batch(
    file: Callable[..., str], alice: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(**options: Any) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(import_documents, "import_batch", busy)
    with pytest.raises(CommandError, match="run the same command again"):
        run(file(COLUMNS, row(1)))


def test_a_dry_run_writes_nothing(file: Callable[..., str], alice: Tenant) -> None:
    said, report = run(file(COLUMNS, row(1), row(2, total="-1.00")), "--dry-run")
    assert said == ("2 rows: 1 would be recorded, 0 known already, 1 refused. Nothing was changed.")
    assert len(report) == 2
    assert not Document.unscoped.exists()


def test_the_rows_of_another_tenant_are_refused(
    file: Callable[..., str], alice: Tenant, bob: Tenant
) -> None:
    _, report = run(file(COLUMNS, row(1)), tenant=bob.ruc)
    assert [line[1] for line in report[1:]] == ["cufe_of_another_issuer"]
    assert not Document.unscoped.exists()


HOSTILE = [
    ("{not json", "not_json"),
    ("[1]", "not_an_object"),
    ('{"cufe": "a", "cufe": "b"}', "not_json"),
    ('{"cufe": "\\u0000"}', "not_json"),
    ("{" + '"a":[' * 5000, "not_json"),
    ('{"a": "\udcff"}', "not_json"),
]


@pytest.mark.parametrize(("line", "code"), HOSTILE, ids=range(len(HOSTILE)))
def test_a_line_that_is_no_json_is_refused_alone(
    line: str, code: str, file: Callable[..., str], alice: Tenant
) -> None:
    said, report = run(file(told(1), line, told(2)))
    assert said.startswith("3 rows: 2 recorded")
    assert [each[:2] for each in report[1:]] == [["2", code]]


def test_a_line_of_three_mebibytes_is_refused_alone(
    file: Callable[..., str], alice: Tenant
) -> None:
    long = told(notes="x" * 3 * 1024 * 1024)
    said, report = run(file(told(1), long, told(2)))
    assert said.startswith("3 rows: 2 recorded")
    assert [each[:2] for each in report[1:]] == [["2", "line_too_long"]]


def test_a_row_that_is_no_csv_is_refused_alone(file: Callable[..., str], alice: Tenant) -> None:
    path = file(COLUMNS, row(1), "\udcff" + row(2), "x" * 200_000, row(3), f"{a_cufe(4)}\0,1.00")
    said, report = run(path)
    assert said.startswith("5 rows: 2 recorded")
    codes = {each[0]: each[1] for each in report[1:]}
    assert codes["3"] == "not_utf8"
    assert codes["4"] == "not_csv"
    assert "6" in codes


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("", "no column `cufe`"),
        ("total,receiver.type", "no column `cufe`"),
        ("cufe,monto", "unknown: 'monto'"),
        ("cufe,total,total", "twice"),
    ],
)
def test_a_file_that_is_something_else_is_refused_as_a_whole(
    header: str, said: str, file: Callable[..., str], alice: Tenant
) -> None:
    with pytest.raises(CommandError, match=said):
        run(file(header, row(1)))


def test_what_cannot_be_opened_is_told(file: Callable[..., str], alice: Tenant) -> None:
    with pytest.raises(CommandError, match=r"cannot be opened"):
        run("/nowhere/at/all")
    with pytest.raises(CommandError, match=r"cannot be opened"):
        run(file(COLUMNS), "--refused", "/nowhere/at/all")
    with pytest.raises(CommandError, match="No tenant"):
        run(file(COLUMNS), tenant="8-1-1")


def test_thousands_of_rows_take_seconds(file: Callable[..., str], alice: Tenant) -> None:
    receiver = body()["receiver"]
    path = file(*[told(nth, receiver=receiver, external_id=f"A-{nth}") for nth in range(1, 2001)])
    start = time.monotonic()
    said, _ = run(path)
    assert said == "2000 rows: 2000 recorded, 0 known already, 0 refused."
    assert time.monotonic() - start < 24  # a minute for 5,000, on a busy machine too
