"""Boxes of countries, to detect coordinates of wrong sign: a site's name begins with the code of its country."""

from __future__ import annotations

_BOXES = """
AR -56 -21 -74 -53; AT 46 50 9 18; AU -44 -9 112 155; BE 49 52 2 7; BJ 6 13 0 4; BR -34 6 -75 -34; BW -27 -17 19 30
CA 41 84 -142 -52; CG -6 4 11 19; CH 45 48 5 11; CL -56 -17 -76 -66; CM 1 14 8 17; CN 17 54 73 136; CO -5 14 -80 -66
CR 8 12 -86 -82; CZ 48 52 12 19; DE 47 56 5 16; DK 54 84 -74 16; EC -6 2 -92 -75; EE 57 60 21 29; ES 27 44 -19 5
FI 59 71 19 32; FR 41 52 -6 10; GF 2 6 -55 -51; GH 4 12 -4 2; GL 59 84 -74 -11; GR 34 42 19 30; HU 45 49 16 23
ID -11 6 95 142; IE 51 56 -11 -5; IL 29 34 34 36; IN 6 36 68 98; IS 63 67 -25 -13; IT 35 48 6 19; JP 24 46 122 154
KE -5 6 33 42; KR 33 39 124 132; MN 41 53 87 120; MX 14 33 -119 -86; MY 0 8 99 120; NE 11 24 0 16; NL 50 54 3 8
NO 57 81 4 34; NZ -48 -34 166 179; PA 7 10 -84 -77; PE -19 0 -82 -68; PH 4 22 116 127; PL 48 55 14 25; PT 32 43 -32 -6
RU 41 82 19 180; SD 8 24 21 39; SE 55 70 10 25; SJ 74 81 10 34; SK 47 50 16 23; SN 12 17 -18 -11; TH 5 21 97 106
TW 21 26 119 123; UK 49 61 -9 2; US 17 72 -180 -64; UY -35 -30 -59 -53; VN 8 24 102 110; ZA -35 -22 16 33
ZM -19 -8 21 34
"""
"""Country: south, north, west, east in whole degrees, rounded outwards; older names of sites count Greenland as DK and
Svalbard as NO."""

_BOX_OF = {
    name: (int(south), int(north), int(west), int(east))
    for name, south, north, west, east in (
        entry.split() for entry in _BOXES.replace("\n", ";").split(";") if entry.strip()
    )
}


def country_box(code: str) -> tuple[int, int, int, int] | None:
    """Return south, north, west and east of a country [degrees]; None if it is not in the table."""
    return _BOX_OF.get(code)
