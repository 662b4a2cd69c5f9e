"""The settings that tap, target and login share, and how their values are read and checked."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
from singer_sdk import typing as th

from singer_xero.api.hosts import API_URL, IDENTITY_URL
from singer_xero.api.redaction import redact_line, remember, remember_passwords_of
from singer_xero.api.storage.paths import filled_in
from singer_xero.errors import ConfigurationProblem

_KINDS = {
    str: "text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object",
    type(None): "null",
}  # fmt: skip
_YES, _NO = frozenset({"true", "1", "yes", "on"}), frozenset({"false", "0", "no", "off"})
TEXTS = th.CustomType({"type": ["array", "string", "null"], "items": {"type": "string"}})
"""A list of strings, or one string with commas, which is what environment variables can hold."""


CONNECTION_SETTINGS: tuple[th.Property[Any], ...] = (
    th.Property(
        "client_id", th.StringType, title="Client ID",
        description="Client id of your app at developer.xero.com.",
    ),
    th.Property(
        "client_secret", th.StringType, secret=True, title="Client secret",
        description="Client secret of your app; a PKCE app has none. With a secret but no refresh_token and no stored "
        "tokens, the app counts as a custom connection.",
    ),
    th.Property(
        "refresh_token", th.StringType, secret=True, title="Refresh token",
        description="The first refresh token. After that, the tokens stored at token_path are used, unless this one "
        "is newer than the one they started from.",
    ),
    th.Property(
        "token_path", th.StringType, secret=True, title="Token file",
        description="File that stores the rotated tokens ($VARIABLES and ~ are expanded), or a database: "
        "postgresql://user:password@host/database. Default: "
        "$MELTANO_PROJECT_ROOT/.secrets/xero-tokens.json under Meltano, otherwise in the user's state folder.",
    ),
    th.Property(
        "tenant_ids", TEXTS, title="Organisations",
        description="Ids or names of the organisations to use: a list, or a string with commas. Required if more than "
        "one organisation is connected.",
    ),
    th.Property(
        "api_url", th.StringType, default=API_URL, title="API host",
        description="Scheme and host of the Accounting API, without a path, for proxies and tests.",
    ),
    th.Property(
        "identity_url", th.StringType, default=IDENTITY_URL, title="Identity host",
        description="Scheme and host of Xero's identity service, without a path, for proxies and tests.",
    ),
    th.Property(
        "allow_insecure_http", th.BooleanType, default=False, title="Allow plain http",
        description="Allow plain http:// to another machine in api_url and identity_url. Tokens and records are then "
        "sent unencrypted.",
    ),
    th.Property(
        "request_timeout", th.IntegerType(minimum=1), default=300, title="Request timeout",
        description="Seconds that one request may take in total, from connecting to the last byte of the response.",
    ),
    th.Property(
        "max_response_mb", th.IntegerType(minimum=1), default=512, title="Largest response",
        description="Megabytes of memory that one response may take, compressed and decompressed. A larger one is "
        "refused while it arrives.",
    ),
    th.Property(
        "sandbox", th.CustomType({"type": ["boolean", "string", "null"]}), title="Sandbox",
        description="true uses an embedded demo company instead of Xero; a path does the same and keeps its data in "
        "that folder. Needs no credentials.",
    ),
    th.Property(
        "user_agent", th.StringType, title="User agent",
        description="The User-Agent header. Default: singer-xero and its version.",
    ),
    th.Property(
        "scopes", TEXTS, title="Scopes",
        description="Scopes to request with a custom connection. Default: all scopes selected for the app.",
    ),
    th.Property(
        "day_reserve", th.IntegerType, default=0, title="Day reserve",
        description="How many of an organisation's daily API calls to leave for other programs.",
    ),
)  # fmt: skip


SCOPE_SETTING: th.Property[Any] = th.Property(
    "on_missing_scope", th.StringType, default="skip", allowed_values=["skip", "fail"], title="Missing scope",
    description="What to do with a stream whose scope the token lacks: skip it with a warning, or fail before the "
    "first call.",
)  # fmt: skip


@dataclass(frozen=True)
class ConnectionSettings:
    """The values of `CONNECTION_SETTINGS`."""

    client_id: str = ""
    client_secret: str | None = None
    refresh_token: str | None = None
    token_path: str | None = None
    tenant_ids: tuple[str, ...] = ()
    api_url: str = API_URL
    identity_url: str = IDENTITY_URL
    allow_insecure_http: bool = False
    request_timeout: float = 300
    max_response_mb: int = 512
    sandbox: bool | str = False
    user_agent: str | None = None
    scopes: tuple[str, ...] = ()
    day_reserve: int = 0

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> ConnectionSettings:
        """Take them from a valid configuration; what it leaves out or leaves empty has its default."""
        found: dict[str, Any] = {}
        for field in fields(cls):
            value = config.get(field.name)
            # Files and variables often end with a line break.
            value = value.strip() if isinstance(value, str) else value
            if isinstance(field.default, tuple):
                value = tuple(listed(field.name, value) if isinstance(value, str) else value or ())
            if value:
                found[field.name] = value
        return cls(**found)

    def check_hosts(self) -> None:
        """Raise `ConfigurationProblem` if an address has more than scheme and host: paths are added to it."""
        for name, url in (("api_url", self.api_url), ("identity_url", self.identity_url)):
            parts = urlsplit(url)
            if parts.scheme and (parts.path.strip("/") or parts.query or parts.fragment):
                raise ConfigurationProblem(
                    f"{name} must be scheme and host only, such as {API_URL}, without a path."
                )

    @property
    def sandbox_data(self) -> bool | Path:
        """Whether the sandbox replaces Xero: not at all (False), in memory (True), or with its data in a folder."""
        word = self.sandbox.lower() if isinstance(self.sandbox, str) else self.sandbox
        if word in {*_YES, True}:
            return True
        if not word or word in _NO:
            return False
        return Path(filled_in(str(self.sandbox), "sandbox"))


def kinds_of(setting: Mapping[str, Any]) -> set[str]:
    """The JSON types that a setting's schema allows."""
    kinds = setting.get("type", ())
    return {kinds} if isinstance(kinds, str) else set(kinds)


def listed(name: str, text: str) -> list[Any]:
    """Split a setting into a list: a JSON list, or items between commas or line breaks.

    Raises `ConfigurationProblem` for invalid JSON.
    """
    if text.lstrip().startswith("["):
        try:
            return list(json.loads(text))
        except (ValueError, RecursionError):
            raise ConfigurationProblem(f"{name} begins like a JSON list but is not valid JSON.") from None
    return [part.strip() for part in re.split(r"[,\n]", text) if part.strip()]


def from_environment(variable: str, text: str, setting: Mapping[str, Any]) -> Any:
    """Convert an environment variable to its setting's type; raises `ConfigurationProblem` with its name."""
    kinds = kinds_of(setting)
    if "string" in kinds and "array" not in kinds:
        return text
    if "boolean" in kinds and text.strip().lower() in _YES | _NO:
        return text.strip().lower() in _YES
    if "integer" in kinds and re.fullmatch(r"\s*-?\d{1,18}\s*", text):
        return int(text)
    if "array" in kinds:
        with contextlib.suppress(ConfigurationProblem):
            return listed(variable, text)
    if "object" in kinds:
        with contextlib.suppress(ValueError, RecursionError):
            return json.loads(text)
    expected = " or ".join(sorted(kinds - {"null"}))
    raise ConfigurationProblem(f"The environment variable {variable} must be {expected}.")


def environment(
    prefix: str, settings: Mapping[str, Any], variables: Mapping[str, str], *, empty: bool = False
) -> dict[str, Any]:
    """The settings in environment variables such as TAP_XERO_CLIENT_ID; `empty` ones only on demand.

    `settings` are the properties of their JSON schema. Raises `ConfigurationProblem` for a value of the wrong type.
    """
    found: dict[str, Any] = {}
    for name, setting in settings.items():
        variable = f"{prefix}_{name.upper()}"
        if variables.get(variable) or (empty and variable in variables):
            found[name] = from_environment(variable, variables[variable], setting)
    return found


def remember_settings(values: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Register secret settings, and passwords in addresses, with the redaction, whatever type their values have."""
    for name, value in values.items():
        texts = list(_texts(value))
        if settings.get(name, {}).get("secret") and not name.endswith("_path"):
            remember(*texts)  # of a path, only the password in an address is secret
        remember_passwords_of(*texts)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = [*value.keys(), *value.values()]
    if isinstance(value, (list, tuple)):
        for one in value:
            yield from _texts(one)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def invalid(values: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """What is wrong with settings, by the JSON schema of all of them; empty if nothing is."""
    errors = jsonschema.Draft7Validator(schema).iter_errors(dict(values))
    return "; ".join(explain(error, schema["properties"]) for error in errors)


def explain(error: jsonschema.ValidationError, settings: Mapping[str, Any]) -> str:
    """Say what is wrong with a setting. A value of the wrong type is not repeated: it may contain a password."""
    if not error.path:
        return redact_line(str(error.message))
    name = str(error.path[0])
    rule: Any = error.schema
    expected = rule.get("enum") or rule.get("type") or "something else"
    if isinstance(expected, list):
        expected = " or ".join(str(kind) for kind in expected if kind not in {"null", None})
    limits = {"minimum": "at least", "maximum": "at most"}
    if error.validator in limits:
        expected = f"{limits[error.validator]} {error.validator_value}"
    is_text = error.validator == "enum" and isinstance(error.instance, str)
    if settings.get(name, {}).get("secret") or is_text:
        return f"{name} must be {expected}"
    kind = _KINDS.get(type(error.instance), "something else")
    return f"{name} must be {expected}, not {repr(error.instance) if error.validator in limits else kind}"
