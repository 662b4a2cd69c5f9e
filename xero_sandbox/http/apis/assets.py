"""The Assets API, read-only: every organisation has the same few fixed assets."""

from __future__ import annotations

from typing import Any
from uuid import NAMESPACE_URL, uuid5

from werkzeug import Response

from ...values import encode
from ..calls import JSON, Call, Refusal, not_found, not_supported
from .accounting import need

PREFIX = "/assets.xro/1.0/"
_SCOPES = frozenset({"assets", "assets.read"})

_STATUSES = {"DRAFT": "Draft", "REGISTERED": "Registered", "DISPOSED": "Disposed"}
_LARGEST_PAGE = 200


def _id(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"sandbox:{name}"))


def _depreciation(of: str, kind: str) -> dict[str, Any]:
    return {
        "depreciableObjectId": of,
        "depreciableObjectType": kind,
        "bookEffectiveDateOfChangeId": _id(f"change of {of}"),
        "depreciationMethod": "StraightLine",
        "averagingMethod": "ActualDays",
        "depreciationRate": 25.0,
        "depreciationCalculationMethod": "Rate",
    }


TYPES = [
    {
        "assetTypeId": _id(name),
        "assetTypeName": name,
        "fixedAssetAccountId": _id("fixed assets"),
        "depreciationExpenseAccountId": _id("depreciation"),
        "accumulatedDepreciationAccountId": _id("accumulated depreciation"),
        "bookDepreciationSetting": _depreciation(_id(name), "AssetType"),
        "locks": 1,
    }
    for name in ("Computer Equipment", "Vehicles")
]


def _asset(number: int, name: str, status: str, price: float) -> dict[str, Any]:
    disposed = (
        {"disposalDate": "2026-03-31T00:00:00", "disposalPrice": price / 4} if status == "Disposed" else {}
    )
    return {
        "assetId": _id(f"asset {number}"),
        "assetName": name,
        "assetTypeId": TYPES[number % 2]["assetTypeId"],
        "assetNumber": f"FA-{number:04}",
        "purchaseDate": "2024-01-15T00:00:00",
        "purchasePrice": price,
        "disposalPrice": 0.0,
        "assetStatus": status,
        "bookDepreciationSetting": _depreciation(_id(f"asset {number}"), "Asset"),
        "bookDepreciationDetail": {
            "depreciationStartDate": "2024-02-01T00:00:00",
            "priorAccumDepreciationAmount": 0.0,
            "currentAccumDepreciationAmount": price / 8,
            "currentCapitalGain": 0.0,
            "currentGainLoss": 0.0,
        },
        "canRollback": True,
        "accountingBookValue": price - price / 8,
        "isDeleteEnabledForDate": status == "Draft",
        **disposed,
    }


ASSETS = [
    _asset(1, "Laptop", "Registered", 2400.0),
    _asset(2, "Van", "Registered", 32000.0),
    _asset(3, "Server", "Disposed", 8000.0),
    _asset(4, "Desk", "Draft", 640.5),
]

SETTINGS = {
    "assetNumberPrefix": "FA-",
    "assetNumberSequence": f"{len(ASSETS) + 1:04}",
    "assetStartDate": "2024-01-01T00:00:00",
    "lastDepreciationDate": "2026-03-31T00:00:00",
    "optInForTax": False,
}


def routed(call: Call) -> Response:
    """Answer an authorised call. Raises ``Refusal``."""
    path = call.request.path.removeprefix(PREFIX).rstrip("/")
    need(call, _SCOPES)
    if path not in {"Assets", "AssetTypes", "Settings"}:
        raise not_found()
    if call.method != "GET":
        raise not_supported("its Assets API can only be read")
    answer: Any = {"AssetTypes": TYPES, "Settings": SETTINGS}.get(path) or _assets(call)
    return Response(encode(answer), content_type=JSON)


def _assets(call: Call) -> dict[str, Any]:
    params = call.request.args
    if params.get("status") not in _STATUSES:
        error = {
            "fieldName": "status",
            "localisedMessage": "The status is required: DRAFT, REGISTERED or DISPOSED.",
        }
        raise Refusal(400, {"title": "Validation Error", "fieldValidationErrors": [error]})
    page = max(params.get("page", 1, type=int), 1)
    size = min(max(params.get("pageSize", 10, type=int), 1), _LARGEST_PAGE)
    found = [asset for asset in ASSETS if asset["assetStatus"] == _STATUSES[params["status"]]]
    shown = found[(page - 1) * size : page * size]
    pages = -(-len(found) // size)
    return {
        "pagination": {"page": page, "pageSize": size, "pageCount": pages, "itemCount": len(found)},
        "items": shown,
    }
