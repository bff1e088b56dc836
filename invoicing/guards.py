"""The database's own guards: what was sent to the PAC does not change and is not deleted.

The services never try; these triggers stand behind them, against a shell, an admin page, a defect.
They are made after every migrate. On SQLite they are dropped before one that has work to do: it
remakes tables, and refuses to while a trigger speaks of a table that is being replaced.
"""

from django.db import connection

# What the payload is made of, and what identifies it.
CONTENT = [
    "tenant_id",
    "document_type",
    "dgi_document_type",
    "generation_mode",
    "office_id",
    "billing_point",
    "number",
    "issued_at",
    "nature",
    "destination",
    "sale_type",
    "issue_type",
    "contingency",
    "security_code",
    "computed_cufe",
    "invoice_id",
    "modification_code",
    "receiver_type",
    "receiver_ruc",
    "receiver_ruc_type",
    "receiver_dv",
    "receiver_name",
    "receiver_address",
    "receiver_location",
    "receiver_country",
    "receiver_other_country",
    "receiver_foreign_number",
    "receiver_foreign_country",
    "receiver_emails",
    "receiver_phones",
    "discounts",
    "exportation",
    "payment_time",
    "payment_methods",
    "installments",
    "retention_code",
    "notes",
    "net",
    "itbms",
    "isc",
    "other_taxes",
    "taxes",
    "discount",
    "freight",
    "insurance",
    "other_expenses",
    "total",
    "retention",
]
DOCUMENT = "invoicing_document"
LINE = "invoicing_documentline"

_SENT = "OLD.attempts > 0"
_JUDGED = "OLD.legal_status IS NOT NULL"
# Another system's document, which is only known of here: its verdict keeps nothing.
_IMPORTED = "OLD.generation_mode = 'DGI_IMPORT'"
_VERDICT = "OLD.legal_status IN ('DGI_AUTHORIZED', 'DGI_REJECTED', 'PAC_REJECTED')"
_DIFFERS = {"postgresql": "OLD.{0} IS DISTINCT FROM NEW.{0}", "sqlite": "OLD.{0} IS NOT NEW.{0}"}


def _line_sent(*rows: str) -> str:
    owners = ", ".join(f"{row}.owner_id" for row in rows)
    return f"EXISTS (SELECT 1 FROM {DOCUMENT} d WHERE d.id IN ({owners}) AND d.attempts > 0)"  # noqa: S608 (constants)


def _rules(vendor: str) -> dict[str, tuple[str, str, str, str]]:
    """Name -> table, event, condition, message."""

    def differs(column: str) -> str:
        return _DIFFERS[vendor].format(column)

    def replaced(column: str) -> str:
        return f"OLD.{column} IS NOT NULL AND {differs(column)}"

    changed = " OR ".join([*map(differs, CONTENT), replaced("pac_input")])
    return {
        "document_content_is_final": (
            DOCUMENT,
            "UPDATE",
            f"{_SENT} AND ({changed})",
            "A document that was sent to the PAC does not change.",
        ),
        "document_identity_is_final": (
            DOCUMENT,
            "UPDATE",
            f"{replaced('invoice_number')} OR {replaced('document_id')}",
            "The CUFE and the id that the PAC gave to a document do not change.",
        ),
        # Without a verdict a send may turn out never to have arrived; then the count is taken back.
        "document_sent_stays_sent": (
            DOCUMENT,
            "UPDATE",
            f"{_SENT} AND NEW.attempts = 0 "
            "AND (OLD.legal_status IS NOT NULL OR OLD.document_id IS NOT NULL)",
            "A document that the PAC has was sent to it.",
        ),
        "document_verdict_is_final": (
            DOCUMENT,
            "UPDATE",
            f"{_VERDICT} AND {differs('legal_status')}",
            "A terminal legal status does not change.",
        ),
        "document_sent_is_kept": (
            DOCUMENT,
            "DELETE",
            f"{_SENT} OR ({_JUDGED} AND NOT {_IMPORTED})",
            "A document that was sent to the PAC is not deleted.",
        ),
        "line_sent_is_complete": (
            LINE,
            "INSERT",
            _line_sent("NEW"),
            "A document that was sent to the PAC gets no more lines.",
        ),
        "line_sent_is_final": (
            LINE,
            "UPDATE",
            _line_sent("OLD", "NEW"),
            "A line that was sent to the PAC does not change.",
        ),
        "line_sent_is_kept": (
            LINE,
            "DELETE",
            _line_sent("OLD"),
            "A line that was sent to the PAC is not deleted.",
        ),
    }


def install() -> None:
    """Makes the triggers anew, where their tables are. Idempotent."""
    if not {DOCUMENT, LINE} <= set(connection.introspection.table_names()):
        return
    remove()
    with connection.cursor() as cursor:
        for name, (table, event, condition, message) in _rules(connection.vendor).items():
            for statement in _statements(name, table, event, condition, message):
                cursor.execute(statement)


def remove() -> None:
    """Drops the triggers: for migrations on SQLite, and tests, which have to empty the tables."""
    with connection.cursor() as cursor:
        for name, (table, *_) in _rules(connection.vendor).items():
            on_table = f" ON {table}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on_table}")


def missing() -> set[str]:
    """The guards that the database does not have, or has switched off."""
    query, tables = {
        "postgresql": (
            "SELECT tgname FROM pg_trigger WHERE tgenabled <> 'D' "
            "AND tgrelid IN (to_regclass(%s), to_regclass(%s))",
            [DOCUMENT, LINE],
        ),
        "sqlite": ("SELECT name FROM sqlite_master WHERE type = 'trigger'", []),
    }[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(query, tables)
        return set(_rules(connection.vendor)) - {row[0] for row in cursor.fetchall()}


def _statements(name: str, table: str, event: str, condition: str, message: str) -> list[str]:
    if connection.vendor == "sqlite":
        return [
            f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW WHEN {condition} "
            f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
        ]
    # A trigger's WHEN may hold no subquery on PostgreSQL: the function asks.
    return [
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {condition} THEN RAISE EXCEPTION '{message}' "
        "USING ERRCODE = 'integrity_constraint_violation'; "
        f"END IF; RETURN {'OLD' if event == 'DELETE' else 'NEW'}; END $$",
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
    ]
