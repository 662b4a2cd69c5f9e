"""The answer of Xero's consent page: a code, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping

from singer_xero.api.errors import one_line
from singer_xero.errors import ConfigurationProblem

APP_PAGE = "developer.xero.com/app/manage"


class NoConsent(ConfigurationProblem):
    """There is no consent; the text says why and what to do. `title` is for the page in the browser."""

    def __init__(self, title: str, text: str) -> None:
        super().__init__(text)
        self.title = title


def code_of(params: Mapping[str, str]) -> str:
    """The code in an answer of the consent page; raises NoConsent if there is none."""
    error = params.get("error")
    if error == "access_denied":
        raise NoConsent(
            "Access was not allowed",
            "Consent was not given (access_denied), so nothing changed. Run xero-login again and choose "
            "'Allow access'.",
        )
    if error == "invalid_scope":
        raise NoConsent(
            "A scope is not allowed", "Xero says invalid_scope: the app may not request one of the scopes."
        )
    if error:
        words = one_line(f"{error} {params.get('error_description', '')}".strip(), 200)
        raise NoConsent("Xero refused", f"Xero says {words}. Run xero-login again.")
    return params["code"]


def is_answer(params: Mapping[str, str]) -> bool:
    """Whether parameters are those of an answer."""
    return bool({"code", "error"} & params.keys())
