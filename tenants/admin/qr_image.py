"""A link as a QR that a phone reads off the screen."""

import base64

import zxingcpp


def qr_data_uri(link: str) -> str:
    """An SVG with its quiet zone, as a `data:` URI; "" where there is no link, or it fits no QR."""
    if not link:
        return ""
    try:
        code = zxingcpp.create_barcode(link, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    except ValueError:
        return ""
    svg = code.to_svg(scale=4, add_quiet_zones=True)
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
