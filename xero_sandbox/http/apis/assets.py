"""The Assets API, read-only: every organisation has the same few fixed assets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from werkzeug import Response

from ...values import encode
from ..calls import JSON, Call, Refusal, not_found, not_supported
from .accounting import need

PREFIX = "/assets.xro/1.0/"
_SCOPES = frozenset({"assets", "assets.read"})

_STATUSES = {"DRAFT": "Draft", "REGISTERED": "Registered", "DISPOSED": "Disposed"}
_LARGEST_PAGE = 200


_KEPT: dict[str, Any] = json.loads(Path(__file__).with_name("assets.json").read_text(encoding="utf-8"))
"""The types, the settings and the assets, as the API shows them."""


def routed(call: Call) -> Response:
    """Answer an authorised call. Raises ``Refusal``."""
    path = call.request.path.removeprefix(PREFIX).rstrip("/")
    need(call, _SCOPES)
    if path not in _KEPT:
        raise not_found()
    if call.method != "GET":
        raise not_supported("its Assets API can only be read")
    answer = _assets(call) if path == "Assets" else _KEPT[path]
    return Response(encode(answer), content_type=JSON)


def _assets(call: Call) -> dict[str, Any]:
    status = _STATUSES.get(call.param("status") or "")
    if status is None:
        error = {
            "fieldName": "status",
            "localisedMessage": "The status is required: DRAFT, REGISTERED or DISPOSED.",
        }
        raise Refusal(400, {"title": "Validation Error", "fieldValidationErrors": [error]})
    page = max(call.number("page", 1), 1)
    size = min(max(call.number("pageSize", 10), 1), _LARGEST_PAGE)
    found = [asset for asset in _KEPT["Assets"] if asset["assetStatus"] == status]
    shown = found[(page - 1) * size : page * size]
    pages = -(-len(found) // size)
    return {
        "pagination": {"page": page, "pageSize": size, "pageCount": pages, "itemCount": len(found)},
        "items": shown,
    }
