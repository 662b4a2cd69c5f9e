"""Tables and word lists of the demo company: invented people, firms, goods and places."""

from __future__ import annotations

import json
from pathlib import Path

from ...values import Record, read_csv

_HERE = Path(__file__).parent
ORGANISATION: Record = json.loads(_HERE.joinpath("organisation.json").read_text(encoding="utf-8"))
USERS = read_csv(_HERE / "users.csv")
ACCOUNTS = read_csv(_HERE / "accounts.csv")
CUSTOMERS = read_csv(_HERE / "customers.csv")
SUPPLIERS = read_csv(_HERE / "suppliers.csv")
ITEMS = read_csv(_HERE / "items.csv")
SMALL_PURCHASES = read_csv(_HERE / "small_purchases.csv")
"""What is bought without a bill: the number of the supplier, and the range of the price."""

TRACKED = read_csv(_HERE / "tracked_items.csv")
"""The items that are tracked as inventory, with the quantity at the start."""

_PEOPLE = (
    "Aroha Liam Manaaki Chloé Jürgen Mei-Ling Siobhán Tāne Zoë Arjun Hana Søren Isla Matiu Grace Noah Lucía",
    "O'Connor Ngata Müller Smith Patel Tūhoe Nguyễn Fitzgerald Brown Whatarau Jones Łukasz Sato D'Arcy Wilson Chen",
)
FIRST_NAMES, LAST_NAMES = (names.split() for names in _PEOPLE)
STREETS = "Karetu Road|Haven Road|Vanguard Street|Rocks Road|Tāhunanui Drive|Collingwood Street".split("|")
REPAIRS = (
    (
        "Repair of a crack below the waterline, two layers of glass",
        "New footrests and pegs fitted",
    ),
    (
        "Skeg box leak traced and sealed",
        "Deck varnished, three coats",
        "Cockpit rim re-bonded after a fall from a roof rack",
    ),
)

LONG_TEXT = (
    "Made to order: hull in book-matched tōtara over cedar, deck in kauri reclaimed from the old Picton "
    "wharf, recessed deck fittings, three hatches, day hatch behind the cockpit, hand-carved coaming. "
) * 18

DATE_TEXT = "Imported from the old stock system, note reads: last counted /Date(1234567890)/ by JK"
