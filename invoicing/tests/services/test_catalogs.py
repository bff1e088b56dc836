"""What is known of the DGI's catalogues, before and after the PAC was asked."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection

from invoicing.errors import CatalogNotSynchronised
from invoicing.models import CatalogEntry, PacCatalog
from invoicing.services import catalog_sync
from invoicing.services.catalogs import FIXED, Catalog, Entry, is_known, listing, search
from pac.dgi import codes, extracts, shapes
from pac.sandbox import Sandbox
from pac.sandbox.lookups import CATALOGUES

MORE_UNITS = dict(codes.UNITS) | {"Paquete": "Paquete"}


@pytest.fixture
def whole_units(monkeypatch: pytest.MonkeyPatch) -> None:
    """A PAC that lists one unit more than every installation knows."""
    monkeypatch.setitem(CATALOGUES, "measurement-units", MORE_UNITS)


def synchronise(*wanted: PacCatalog, **options: Any) -> list[catalog_sync.Changes]:
    with catalog_sync.pac() as client:
        return [catalog_sync.synchronise(each, client, **options) for each in wanted]


def name_of(catalog: Catalog, code: str) -> str | None:
    return listing(catalog).names.get(code)


class TestAFreshInstall:
    pytestmark = pytest.mark.django_db

    @pytest.mark.parametrize("catalog", Catalog)
    def test_every_catalogue_has_something_to_choose_from(self, catalog: Catalog) -> None:
        found = search(catalog)
        assert found
        assert all(code and name for code, name in found)

    @pytest.mark.parametrize(
        ("catalog", "code", "name"),
        [
            (Catalog.ITBMS_RATES, "01", "ITBMS 7 %"),
            (Catalog.PAYMENT_METHODS, "02", "Efectivo"),
            (Catalog.RETENTION_CODES, "8", "Otros"),
            (Catalog.DOCUMENT_TYPES, "04", "Nota de crédito referente a una FE"),
            (Catalog.UNITS, "und", "Unidad"),
            (Catalog.COUNTRIES, "DE", "Alemania"),
            (Catalog.COUNTRIES, "ZZ", "Otro"),
            (Catalog.LOCATIONS, "8-8-7", "Panamá, Panamá, Bella Vista"),
            (Catalog.LOCATIONS, "4-6-1", "Chiriquí, David, David"),
            (Catalog.CPBS, "8111", "Servicios informáticos"),
        ],
    )
    def test_names_are_spanish(self, catalog: Catalog, code: str, name: str) -> None:
        assert name_of(catalog, code) == name

    def test_every_province_and_comarca_has_a_location(self) -> None:
        provinces = {code.partition("-")[0] for code in listing(Catalog.LOCATIONS).names}
        assert provinces == set(extracts.PROVINCES)
        assert len(provinces) == 13

    def test_what_it_offers_has_the_shape_that_a_document_needs(self) -> None:
        assert all(map(shapes.is_location, listing(Catalog.LOCATIONS).names))
        assert all(map(shapes.is_cpbs, listing(Catalog.CPBS).names))
        assert {code.rpartition("-")[0] for code in extracts.CORREGIMIENTOS} == set(
            extracts.DISTRICTS
        )

    def test_codes_stand_in_their_natural_order(self) -> None:
        found = [code for code in listing(Catalog.LOCATIONS).names if code.startswith("8-8-")]
        assert found[:11] == [f"8-8-{number}" for number in range(1, 12)]

    @pytest.mark.parametrize("catalog", [each for each in Catalog if each not in FIXED])
    def test_nobody_can_tell_whether_another_code_exists(self, catalog: Catalog) -> None:
        assert is_known(catalog, next(iter(listing(catalog).names))) is True
        assert is_known(catalog, "no such code") is None

    @pytest.mark.parametrize("catalog", FIXED)
    def test_the_lists_of_the_ficha_tecnica_are_complete(self, catalog: Catalog) -> None:
        assert is_known(catalog, "no such code") is False

    def test_there_is_no_other_catalogue(self) -> None:
        with pytest.raises(ValueError, match="planets"):
            is_known("planets", "PA")


@pytest.mark.django_db
@pytest.mark.parametrize("wanted", ["RIO ABAJO", "río abajo", "abajo  panama", "8-8-11", " Río "])
def test_a_search_looks_at_code_and_name_whatever_case_and_accents(wanted: str) -> None:
    assert Entry("8-8-11", "Panamá, Panamá, Río Abajo") in search(Catalog.LOCATIONS, wanted)


@pytest.mark.django_db
def test_a_search_wants_every_word() -> None:
    assert search(Catalog.LOCATIONS, "abajo chiriqui") == []


@pytest.mark.django_db(transaction=True)
class TestSynchronised:
    def test_the_names_of_the_pac_win(self, box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(CATALOGUES, "countries", {"US": "Estados Unidos de América"})
        synchronise(PacCatalog.COUNTRIES)
        assert name_of(Catalog.COUNTRIES, "US") == "Estados Unidos de América"

    def test_an_extract_hides_nothing_and_refuses_nothing(self, box: Sandbox) -> None:
        synchronise(PacCatalog.CPBS)
        assert name_of(Catalog.CPBS, "8012") == "Servicios legales"
        assert is_known(Catalog.CPBS, "8012") is True
        assert is_known(Catalog.CPBS, "0000") is None

    def test_a_list_that_has_no_more_than_the_minimum_is_not_taken_for_whole(
        self, box: Sandbox
    ) -> None:
        synchronise(PacCatalog.UNITS)
        assert is_known(Catalog.UNITS, "Paquete") is None

    @pytest.mark.usefixtures("whole_units")
    def test_an_unknown_code_is_refused_where_the_whole_list_is_known(self, box: Sandbox) -> None:
        synchronise(PacCatalog.UNITS)
        assert is_known(Catalog.UNITS, "Paquete") is True
        assert is_known(Catalog.UNITS, "paquete") is False

    def test_a_location_is_named_by_its_parts_where_the_pac_names_only_those(
        self, box: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(CATALOGUES, "provinces", {"4": "Chiriquí"})
        monkeypatch.setitem(CATALOGUES, "districts", {"4-4": "Boquete"})
        monkeypatch.setitem(
            CATALOGUES,
            "corrections",
            {"4-4-1": "Bajo Boquete", "4-4-4": "Alto", "4-99-1": "X", "1-0-0": "INVALIDO"},
        )
        monkeypatch.setitem(CATALOGUES, "locations", {"4-4-4": "Chiriquí, Boquete, Alto Boquete"})
        synchronise(*PacCatalog)
        names = listing(Catalog.LOCATIONS).names
        assert names["4-4-1"] == "Chiriquí, Boquete, Bajo Boquete"
        assert names["4-4-4"] == "Chiriquí, Boquete, Alto Boquete"
        assert names["4-99-1"] == "Chiriquí, X"
        assert "1-0-0" not in names

    def test_all_locations_of_the_pac_together_make_the_list_whole(
        self, box: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        all_but_one = dict(extracts.CORREGIMIENTOS)
        del all_but_one["8-8-7"]
        monkeypatch.setitem(CATALOGUES, "corrections", all_but_one)
        monkeypatch.setitem(CATALOGUES, "locations", {"4-4-1": "Chiriquí, Boquete, Bajo Boquete"})
        synchronise(*PacCatalog)
        assert is_known(Catalog.LOCATIONS, "9-9-9") is None
        monkeypatch.setitem(
            CATALOGUES,
            "locations",
            {"8-8-7": "Bella Vista", "4-4-1": "Chiriquí, Boquete, Bajo Boquete"},
        )
        synchronise(PacCatalog.LOCATIONS)
        assert is_known(Catalog.LOCATIONS, "9-9-9") is False

    @pytest.mark.usefixtures("whole_units")
    def test_a_second_time_writes_nothing(
        self, box: Sandbox, django_assert_num_queries: Any
    ) -> None:
        (first,) = synchronise(PacCatalog.UNITS)
        assert first == catalog_sync.Changes(len(MORE_UNITS), len(MORE_UNITS), 0, 0)
        rows = list(CatalogEntry.objects.order_by("pk").values_list())
        with django_assert_num_queries(3) as seen:
            (second,) = synchronise(PacCatalog.UNITS)
        assert second == catalog_sync.Changes(len(MORE_UNITS), 0, 0, 0)
        assert list(CatalogEntry.objects.order_by("pk").values_list()) == rows
        assert not [query for query in seen if "INSERT" in query["sql"]]

    def test_what_the_pac_drops_renames_and_adds_shows_at_once(
        self, box: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(CATALOGUES, "measurement-units", {"aa": "Uno", "bb": "Dos"})
        synchronise(PacCatalog.UNITS)
        assert name_of(Catalog.UNITS, "bb") == "Dos"
        monkeypatch.setitem(CATALOGUES, "measurement-units", {"aa": "One", "cc": "Tres"})
        (changes,) = synchronise(PacCatalog.UNITS)
        assert changes == catalog_sync.Changes(listed=2, new=1, renamed=1, gone=1)
        names = listing(Catalog.UNITS).names
        assert (names["aa"], names["cc"], "bb" in names) == ("One", "Tres", False)

    @pytest.mark.parametrize("listed", [{}, None])
    def test_a_list_that_does_not_come_leaves_ours_as_it_was(
        self, box: Sandbox, monkeypatch: pytest.MonkeyPatch, listed: dict[str, str] | None
    ) -> None:
        synchronise(PacCatalog.DISTRICTS)
        before = CatalogEntry.objects.count()
        if listed is None:
            monkeypatch.delitem(CATALOGUES, "districts")
        else:
            monkeypatch.setitem(CATALOGUES, "districts", listed)
        with pytest.raises(CatalogNotSynchronised):
            synchronise(PacCatalog.DISTRICTS)
        assert CatalogEntry.objects.count() == before > 0

    @pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite stores whatever it is given")
    def test_a_list_that_cannot_be_stored_leaves_ours_as_it_was(
        self, box: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        synchronise(PacCatalog.DISTRICTS)
        before = CatalogEntry.objects.count()
        monkeypatch.setitem(CATALOGUES, "districts", {"c" * 51: "Too long"})
        with pytest.raises(CatalogNotSynchronised, match="cannot be stored"):
            synchronise(PacCatalog.DISTRICTS)
        assert CatalogEntry.objects.count() == before > 0

    def test_a_rehearsal_writes_nothing(self, box: Sandbox) -> None:
        (changes,) = synchronise(PacCatalog.DISTRICTS, dry_run=True)
        assert changes.new == len(CATALOGUES["districts"])
        assert not CatalogEntry.objects.exists()


@pytest.mark.django_db
class TestTheCache:
    def test_the_database_is_asked_once(self, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(1):
            listing(Catalog.LOCATIONS)
        with django_assert_num_queries(0):
            search(Catalog.LOCATIONS, "bella")
            is_known(Catalog.LOCATIONS, "8-8-7")

    def test_a_fixed_list_asks_nobody(self, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(0):
            assert is_known(Catalog.ITBMS_RATES, "01")

    def test_it_is_read_again_when_the_cache_has_forgotten(self) -> None:
        assert name_of(Catalog.UNITS, "zz") is None
        CatalogEntry.objects.create(catalog=PacCatalog.UNITS, code="zz", name="Nueva")
        assert name_of(Catalog.UNITS, "zz") is None
        cache.clear()
        assert name_of(Catalog.UNITS, "zz") == "Nueva"
