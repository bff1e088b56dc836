import pytest
from hypothesis import given
from hypothesis import strategies as st

from pac.dgi.qr import cufe_in
from pac.tests.dgi.vectors import load

CUFE = load("cufe")["cufe"][0]["cufe"]
LINK = (
    "https://dgi-fep.mef.gob.pa/Consultas/FacturasPorQR?chFE={}&iAmb=2&digestValue=a%2Bb&jwt=x.y.z"
)


@pytest.mark.parametrize("host", ["dgi-fep.mef.gob.pa", "dgi-fep-test.mef.gob.pa"])
@pytest.mark.parametrize("vector", load("cufe")["cufe"], ids=lambda vector: vector["dRuc"])
def test_the_link_names_the_cufe(host, vector):
    link = LINK.replace("dgi-fep.mef.gob.pa", host).format(vector["cufe"])
    assert cufe_in(link) == vector["cufe"]
    assert cufe_in(f" {link}\n") == vector["cufe"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        CUFE,
        LINK.format(CUFE).replace("https", "http"),
        LINK.format(CUFE).replace("mef.gob.pa", "mef.gob.pa.example"),
        LINK.format(CUFE).replace("dgi-fep.", "dgi-fep-.", 1),
        LINK.format(CUFE).replace("dgi-fep.mef.gob.pa", "dgi-fep.mef.gob.pa@example.test"),
        LINK.format(CUFE).replace("dgi-fep.mef.gob.pa", "dgi-fep.mef.gob.pa:8443"),
        LINK.format(CUFE).replace("chFE", "cufe"),
        LINK.format(CUFE) + f"&chFE={CUFE}",
        "https://dgi-fep.mef.gob.pa/Afiliacion/QR?id=1",
        "https://[dgi-fep.mef.gob.pa",
        "https://dgi-fep.mef.gob.pa:no/?chFE=x",
        "https://dgi-fep.mef.gob.pa/?" + "a=1&" * 30,
    ],
)
def test_nothing_else_is_the_dgis_link(text):
    assert cufe_in(text) is None


@given(st.text())
def test_no_text_breaks_it(text):
    assert cufe_in(text) is None
    cufe_in(f"https://dgi-fep.mef.gob.pa/{text}")
    cufe_in(LINK.format(text))
