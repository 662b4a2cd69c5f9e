"""The settings that tap, target and login share, and how their values are read and checked."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
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


def setting(
    kind: Any, title: str, *, description: str, default: Any = None, empty: Any = None, **options: Any
) -> Any:
    """A field of a class of settings, with its description in the plugin's JSON schema.

    `default` is the default in the schema, `empty` the value without one: () for lists. `options` are those of
    `th.Property`.
    """
    value = default if default is not None else () if kind is TEXTS else empty
    shown = {"wrapped": kind, "title": title, "description": description, **options}
    return field(default=value, metadata=shown if default is None else {**shown, "default": default})


def properties_of(settings: type) -> tuple[th.Property[Any], ...]:
    """The settings of a class, for the plugin's JSON schema."""
    return tuple(th.Property(one.name, **one.metadata) for one in fields(settings))


@dataclass(frozen=True)
class ConnectionSettings:
    """The settings of a connection to Xero."""

    # fmt: off
    client_id: str = setting(
        th.StringType, "Client ID", empty="",
        description="Client id of your app at developer.xero.com.",
    )
    client_secret: str | None = setting(
        th.StringType, "Client secret", secret=True,
        description="Client secret of your app; a PKCE app has none. With a secret but no refresh_token and no "
        "stored tokens, the app counts as a custom connection.",
    )
    refresh_token: str | None = setting(
        th.StringType, "Refresh token", secret=True,
        description="The first refresh token. After that, the tokens stored at token_path are used, unless this "
        "one is newer than the one they started from.",
    )
    token_path: str | None = setting(
        th.StringType, "Token file", secret=True,
        description="File that stores the rotated tokens ($VARIABLES and ~ are expanded), or a database: "
        "postgresql://user:password@host/database. Default: $MELTANO_PROJECT_ROOT/.secrets/xero-tokens.json "
        "under Meltano, otherwise in the user's state folder.",
    )
    tenant_ids: tuple[str, ...] = setting(
        TEXTS, "Organisations",
        description="Ids or names of the organisations to use: a list, or a string with commas. Required if "
        "more than one organisation is connected.",
    )
    api_url: str = setting(
        th.StringType, "API host", default=API_URL,
        description="Scheme and host of the Accounting API, without a path, for proxies and tests.",
    )
    identity_url: str = setting(
        th.StringType, "Identity host", default=IDENTITY_URL,
        description="Scheme and host of Xero's identity service, without a path, for proxies and tests.",
    )
    allow_insecure_http: bool = setting(
        th.BooleanType, "Allow plain http", default=False,
        description="Allow plain http:// to another machine in api_url and identity_url. Tokens and records are "
        "then sent unencrypted.",
    )
    request_timeout: float = setting(
        th.IntegerType(minimum=1), "Request timeout", default=300,
        description="Seconds that one request may take in total, from connecting to the last byte of the "
        "response.",
    )
    max_response_mb: int = setting(
        th.IntegerType(minimum=1), "Largest response", default=512,
        description="Megabytes of memory that one response may take, compressed and decompressed. A larger one "
        "is refused while it arrives.",
    )
    sandbox: bool | str | None = setting(
        th.CustomType({"type": ["boolean", "string", "null"]}), "Sandbox",
        description="true uses an embedded demo company instead of Xero; a path does the same and keeps its "
        "data in that folder. Needs no credentials.",
    )
    user_agent: str | None = setting(
        th.StringType, "User agent",
        description="The User-Agent header. Default: singer-xero and its version.",
    )
    scopes: tuple[str, ...] = setting(
        TEXTS, "Scopes",
        description="Scopes to request with a custom connection. Default: all scopes selected for the app.",
    )
    day_reserve: int = setting(
        th.IntegerType, "Day reserve", default=0,
        description="How many of an organisation's daily API calls to leave for other programs.",
    )
    # fmt: on

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> ConnectionSettings:
        """Take them from a valid configuration; what it leaves out or leaves empty has its default."""
        found: dict[str, Any] = {}
        for one in fields(cls):
            value = config.get(one.name)
            # Files and variables often end with a line break.
            value = value.strip() if isinstance(value, str) else value
            if isinstance(one.default, tuple):
                value = tuple(listed(one.name, value) if isinstance(value, str) else value or ())
            if value:
                found[one.name] = value
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


CONNECTION_SETTINGS = properties_of(ConnectionSettings)


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
