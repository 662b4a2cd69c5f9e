"""Xero's Idempotency-Key: a repeated write gets the first answer again, for six minutes (Xero's guide)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from weakref import WeakKeyDictionary

from werkzeug import Response

from ..state.organisation import Organisation
from .calls import Call, Refusal, invalid

HEADER = "Idempotency-Key"
KEPT_FOR = timedelta(minutes=6)
LONGEST = 128

_Answers = dict[str, dict[str, Any]]
_stored: WeakKeyDictionary[Organisation, _Answers] = WeakKeyDictionary()


def once(call: Call, work: Callable[[Call], Response]) -> Response:
    """The answer of ``work``, or the stored answer to the same key. Refusals are stored, server errors are not.

    A key belongs to an app. The same key with another method, address or body is refused with 400. Call it
    under the store's lock: a second call with a key waits there until the first one's answer is known.
    """
    key = call.request.headers.get(HEADER, "").strip()
    if not key or call.method not in {"PUT", "POST"}:
        return _done(call, work)
    if len(key) > LONGEST:
        return call.refuse(invalid(f"Idempotency Key: {key} is longer than {LONGEST} characters."))
    answers, space = _answers(call), f"idempotency/{call.organisation.tenant_id}"
    name = f"{call.bearer.app.client_id}/{key}"
    sent = hashlib.sha256(f"{call.method} {call.request.full_path}\n".encode() + call.body).hexdigest()
    if (known := answers.get(name)) is not None:
        if known["sent"] != sent:
            return call.refuse(invalid(f"Idempotency Key: {key} is used with a different request."))
        return Response(known["body"], known["status"], content_type=known["type"])
    response = _done(call, work)
    if response.status_code >= 500:
        return response
    answers[name] = {
        "sent": sent,
        "at": call.organisation.now(),
        "status": response.status_code,
        "type": response.content_type,
        "body": response.get_data(),
    }
    call.xero.store.write(space, name, answers[name])
    return response


def _done(call: Call, work: Callable[[Call], Response]) -> Response:
    """The answer of ``work``. If it fails, the elements written so far stay written, also in the file."""
    try:
        return work(call)
    except Refusal as refusal:
        return call.refuse(refusal)
    except Exception:
        return call.refuse(call.failure())


def _answers(call: Call) -> _Answers:
    """The stored answers that are still valid, oldest first."""
    store, organisation = call.xero.store, call.organisation
    space = f"idempotency/{organisation.tenant_id}"
    answers = _stored.get(organisation)
    if answers is None:
        answers = _stored[organisation] = store.read(space)
    now = organisation.now()
    for name in list(answers):
        if now - answers[name]["at"] < KEPT_FOR:
            break
        del answers[name]
        store.delete(space, name)
    return answers
