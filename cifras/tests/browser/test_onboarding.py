"""The first day: a colleague enrols, and brings a taxpayer from nothing to an invoice."""

from __future__ import annotations

import re
from base64 import b32decode

from playwright.sync_api import expect

from cifras.demo import demo_certificate
from conftest import work
from invoicing.models import Document
from tenants.models import ApiKey, OnboardingStatus, Tenant
from tenants.tests.staff.conftest import PASSWORD, app_code

CERTIFICATE = {
    "name": "firma.p12",
    "mimeType": "application/x-pkcs12",
    "buffer": demo_certificate("clave de la firma"),
}
COMPANY = {
    "RUC": "155700000-2-2021",
    "Razón social": "Panadería El Ñandú, S.A.",
    "Nombre comercial": "El Ñandú",
    "Correo": "facturas@nandu.test",
    "Contraseña de los certificados": "clave de la firma",
}
OFFICE = {
    "Dirección": "Vía España, edificio Ébano",
    "Coordenadas": "+8.9824,-79.5199",
    "Teléfono": "269-1234",
}


def test_a_taxpayer_goes_from_nothing_to_its_first_invoice_by_these_pages_alone(
    new_visitor, rosa, box
):
    visitor = new_visitor()
    page = visitor.page

    visitor.open("/admin/")
    visitor.write({"Nombre de usuario": "rosa", "Contraseña": PASSWORD})
    visitor.press("Entrar")
    visitor.sees("Antes de entrar por primera vez")
    secret = b32decode(page.locator("#secret").inner_text().replace(" ", "")).hex()
    visitor.picture("second-factor")
    visitor.write({"Código que muestra la aplicación": app_code(secret)})
    visitor.press("Activar")
    visitor.sees("Guarde estos códigos ahora: no se vuelven a mostrar nunca.")
    codes = page.locator("#recovery-codes").inner_text().split()
    assert len(codes) == 10
    visitor.follow("Los guardé, continuar")
    visitor.sees("Tablero")

    visitor.open("/admin/tenants/tenant/")
    visitor.follow("Nuevo contribuyente")
    visitor.press("Registrar y crear la empresa")  # with an empty form: all that is missing
    expect(visitor.field("RUC")).to_have_attribute("aria-invalid", "true")
    visitor.sees("Este campo es requerido.", "El PAC lo necesita para crear la empresa.")
    visitor.write(COMPANY)
    visitor.field("Tipo de RUC").select_option("Jurídico")
    page.get_by_label("Certificado de firma").set_input_files(CERTIFICATE)
    visitor.press("Registrar y crear la empresa")

    expect(page.locator("#step-3")).to_have_attribute("data-state", "here")
    visitor.sees("Que el contribuyente escanee este QR")
    visitor.picture("wizard")
    box.options.affiliation_pending = True
    visitor.press("El contribuyente ya aceptó")
    visitor.sees("todavía no ha aceptado")
    box.options.affiliation_pending = False
    visitor.press("El contribuyente ya aceptó")

    visitor.sees("La sucursal desde la que se factura")
    visitor.write(OFFICE)
    visitor.field("Corregimiento").press_sequentially("bella vista")
    page.get_by_role("option", name=re.compile("Bella Vista 8-8-7")).click()
    expect(visitor.field("Corregimiento")).to_have_value("8-8-7")
    visitor.press("Crear la sucursal")

    visitor.press("Crear la clave de API")
    visitor.sees("Copie la clave ahora: no se vuelve a mostrar nunca.")
    key = page.get_by_label("Clave de API", exact=True).input_value()
    page.get_by_role("button", name="Copiar").click()
    visitor.sees("Copiada")
    tenant = Tenant.objects.get()
    assert tenant.onboarding_status == OnboardingStatus.READY
    assert ApiKey.objects.get_from_key(key).tenant == tenant
    visitor.follow("Ya la guardé: continuar")

    visitor.sees("El contribuyente está listo para facturar.")
    visitor.press("Emitir la factura de prueba")
    work()
    expect(page.locator("#trial-state")).to_have_attribute("data-over", "yes")
    visitor.look()
    visitor.picture("wizard-done")
    visitor.follow("Ver la factura")
    visitor.sees("Autorizada por la DGI", "Panadería El Ñandú, S.A.")
    assert Document.unscoped.get().legal_status == "DGI_AUTHORIZED"


def test_who_has_enrolled_comes_in_with_a_code_and_with_a_recovery_code(
    new_visitor, rosa, recovery
):
    visitor = new_visitor()
    visitor.open("/admin/")
    visitor.write({"Nombre de usuario": "rosa", "Contraseña": PASSWORD})
    visitor.write({"Código de verificación": recovery[0]})
    visitor.press("Entrar")
    visitor.sees("Entró con un código de recuperación; le quedan 9.")
