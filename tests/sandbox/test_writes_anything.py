"""Whatever is sent, the sandbox answers like Xero and its books agree."""

from __future__ import annotations

import random
from typing import Any

from company import Company, books_agree

from xero_sandbox import Sandbox
from xero_sandbox.resources import RESOURCES
from xero_sandbox.rules.registry import RULES

ODD: list[Any] = [None, "", 0, -1, "x", [], {}, [{}], True, "2020-01-01", 1e12, "AUTHORISED", "DELETED"]


def bent(value: Any, chance: random.Random, much: float) -> Any:
    """The value with some of its parts removed or replaced by odd ones."""
    if isinstance(value, dict):
        kept = {name: one for name, one in value.items() if chance.random() > much}
        return {
            name: chance.choice(ODD) if chance.random() < much else bent(one, chance, much)
            for name, one in kept.items()
        }
    if isinstance(value, list):
        return [bent(one, chance, much) for one in value]
    return value


def test_damaged_copies_of_the_demo_company_never_break_the_sandbox_or_its_books(callers):
    chance = random.Random(7)
    with Sandbox(company="demo", limits=False) as demo:
        company = Company(callers(demo), demo.admin)
        models = {path: rows for path in RULES if (rows := demo.admin.records(path))}
        seen = set()
        for much in [0.01] * 200 + [0.1] * 200:
            path = chance.choice(sorted(models))
            chosen = [chance.choice(models[path]) for _ in range(chance.choice([1, 3]))]
            address, method = path, chance.choice(["PUT", "POST"])
            if chance.random() < 0.25:
                address, method = f"{path}/{chosen[0][RESOURCES[path].id]}", "POST"
            body = {path: [bent(one, chance, much) for one in chosen]}
            answer = company.send(method, address, body, summarizeErrors=chance.choice(["true", "false"]))
            assert answer.status_code in {200, 400, 404, 501}, (method, address, answer.text)
            seen.add(answer.status_code)
        assert {200, 400} <= seen
        books_agree(demo.admin)
