"""The door: what happens to somebody who guesses. The way in is `test_onboarding`'s beginning."""

from __future__ import annotations

from tenants.tests.staff.conftest import PASSWORD


def test_somebody_who_guesses_passwords_is_locked_out_and_told_so(new_visitor, rosa):
    visitor = new_visitor()
    visitor.open("/admin/")
    visitor.picture("sign-in")

    def guess(password: str) -> None:
        visitor.write({"Nombre de usuario": "rosa", "Contraseña": password})
        visitor.press("Entrar")

    for _ in range(4):
        guess("no es esta")
        visitor.sees("El usuario, la contraseña o el código no son correctos.")
    with visitor.refused(429):
        guess("no es esta")
        visitor.sees("Entrada bloqueada", "queda bloqueada durante 15 minutos")
        visitor.open("/admin/")
        guess(PASSWORD)  # the right one does not help any more
        visitor.sees("Entrada bloqueada", "Demasiados intentos fallidos")
