"""Rules about who receives a document."""

from collections.abc import Iterator
from typing import Any

from pac.dgi.ruc import MalformedRuc, RucType, parse
from pac.sandbox.wire import Problem

TAXPAYER = "01"
CONSUMER = "02"
GOVERNMENT = "03"
FOREIGNER = "04"
JURIDICAL = 2
UNLISTED_COUNTRY = "ZZ"

PATH = "instance.receiver"

RUC_TYPES = {ruc_type.code: ruc_type for ruc_type in RucType}


def identity(payload: dict[str, Any]) -> Iterator[Problem]:
    """A RUC for taxpayers and the State, a foreign id for foreigners, never both."""
    receiver = payload["receiver"]
    if receiver["type"] == FOREIGNER:
        yield from _foreigner(receiver)
        return
    if "foreign" in receiver:
        message = f"{PATH}.foreign is only allowed when type is {FOREIGNER}"
        yield Problem("1619", message, f"{PATH}.foreign")
    if receiver["type"] in (TAXPAYER, GOVERNMENT):
        for name, code in (("ruc", "1601"), ("name", "1605")):
            if name not in receiver:
                yield Problem(code, f'{PATH} requires property "{name}"', f"{PATH}.{name}")
    if "ruc" in receiver:
        yield from _ruc(receiver)


def _foreigner(receiver: dict[str, Any]) -> Iterator[Problem]:
    if "foreign" not in receiver:
        yield Problem("1618", f'{PATH} requires property "foreign"', f"{PATH}.foreign")
    for name, code in (("ruc", "1619"), ("location", "1616")):
        if name in receiver:
            message = f"{PATH}.{name} is not allowed when type is {FOREIGNER}"
            yield Problem(code, message, f"{PATH}.{name}")


def _ruc(receiver: dict[str, Any]) -> Iterator[Problem]:
    given = receiver["ruc"]
    if receiver["type"] == CONSUMER and given["type"] == JURIDICAL:
        message = (
            "Informado RUC de contribuyente tipo jurídico con tipo de receptor consumidor final"
        )
        yield Problem("1621", message, f"{PATH}.ruc")
    try:
        canonical = parse(given["ruc"], RUC_TYPES[given["type"]]).text
    except MalformedRuc:
        canonical = ""
    if canonical != given["ruc"]:
        yield Problem("1601", "Regla de formación del RUC invalida", f"{PATH}.ruc.ruc")


def country(payload: dict[str, Any]) -> Iterator[Problem]:
    """`otherCountry` names the country that has no code, and only that one."""
    receiver = payload["receiver"]
    unlisted = receiver["country"] == UNLISTED_COUNTRY
    if unlisted and "otherCountry" not in receiver:
        yield Problem("1614", f'{PATH} requires property "otherCountry"', f"{PATH}.otherCountry")
    if not unlisted and "otherCountry" in receiver:
        message = f"{PATH}.otherCountry is only allowed when country is {UNLISTED_COUNTRY}"
        yield Problem("1615", message, f"{PATH}.otherCountry")


def government_lines(payload: dict[str, Any]) -> Iterator[Problem]:
    """The State wants a CPBS code on every line."""
    if payload["receiver"]["type"] != GOVERNMENT:
        return
    for position, item in enumerate(payload["items"]):
        if "cpbs" not in item:
            path = f"instance.items[{position}]"
            yield Problem("2006", f'{path} requires property "cpbs"', f"{path}.cpbs")
