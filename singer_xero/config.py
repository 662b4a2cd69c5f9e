"""What tap and target share: connection settings, and one-line errors for what the user can fix."""

from __future__ import annotations

import atexit
import contextlib
import difflib
import errno
import json
import logging
import os
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click
import jsonschema
from singer_sdk import typing as th
from singer_sdk.exceptions import MapExpressionError, StreamMapConfigError
from singer_sdk.plugin_base import PluginBase, SingerCommand, _ConfigInput

from singer_xero.api.paths import filled_in
from singer_xero.api.redaction import redact_line, remember, remember_passwords_of
from singer_xero.errors import ConfigurationProblem, InputProblem, Problem
from singer_xero.organisations import Organisation, chosen, folded, is_id, own_record
from singer_xero.version import DISTRIBUTION

if TYPE_CHECKING:
    from singer_xero.api.auth import AccessTokens
    from singer_xero.api.client import XeroClient
    from singer_xero.api.response_body import Bounds
    from xero_sandbox import Sandbox

API_URL = "https://api.xero.com"
IDENTITY_URL = "https://identity.xero.com"

# Faults of the machine, not of this program: a full, broken or read-only disk, too many open files.
_MACHINE = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EIO,
    errno.EMFILE,
    errno.ENFILE,
    errno.EACCES,
}

_KINDS = {
    str: "text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object",
    type(None): "null",
}  # fmt: skip
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


class Connected:
    """Builds the client and the list of organisations from a configuration, each on first use.

    `config` holds the settings of `CONNECTION_SETTINGS`. Close it at the end: an embedded sandbox runs until then.
    """

    def __init__(self, config: Mapping[str, Any], logger: logging.Logger) -> None:
        self.config = trimmed(config)
        self.logger = logger
        self._closing = contextlib.ExitStack()
        atexit.register(self.close)

    @cached_property
    def client(self) -> XeroClient:
        """The client of this run; raises `ConfigurationProblem` if there are no credentials."""
        from singer_xero.api.client import XeroClient

        config = dict(self.config)
        sandbox = sandbox_setting(config.get("sandbox"))
        if sandbox:
            config |= self._sandbox(None if sandbox is True else sandbox)
        if not config.get("client_id"):
            raise ConfigurationProblem(
                "No credentials: set client_id (with client_secret or refresh_token), or set `sandbox: true` to try it "
                "without a Xero account."
            )
        for name in ("api_url", "identity_url"):
            check_host(name, config.get(name) or "")
        user_agent = config.get("user_agent") or f"{DISTRIBUTION}/{version(DISTRIBUTION)}"
        client = XeroClient(
            self._tokens(config),
            api_url=config.get("api_url") or API_URL,
            identity_url=config.get("identity_url") or IDENTITY_URL,
            user_agent=user_agent,
            day_reserve=config.get("day_reserve") or 0,
            bounds=bounds(config),
            allow_insecure_http=bool(config.get("allow_insecure_http")),
        )
        self._closing.callback(client.close)
        return client

    def _tokens(self, config: Mapping[str, Any]) -> AccessTokens:
        """Choose how to sign in: a secret without a refresh token, set or stored, means a custom connection."""
        from singer_xero.api.auth import ClientCredentials, RefreshToken
        from singer_xero.api.tokens import open_store

        client_id, secret, seed = (
            config["client_id"],
            config.get("client_secret"),
            config.get("refresh_token"),
        )
        store = open_store(config.get("token_path"))
        if secret and not seed and store.read(client_id) is None:
            return ClientCredentials(client_id, secret, config.get("scopes") or ())
        return RefreshToken(client_id, secret, seed, store=store)

    def _sandbox(self, data: Path | None) -> dict[str, Any]:
        """Start the embedded sandbox, without rate limits, so that a demo does not wait."""
        from xero_sandbox import Sandbox, apps

        sandbox: Sandbox = self._closing.enter_context(Sandbox(data=data, limits=False))
        self.logger.info("Using the sandbox's demo company%s instead of Xero.", f" in {data}" if data else "")
        return {
            **apps.CUSTOM_CONNECTION.settings(sandbox.url),
            "refresh_token": None,
            "scopes": None,
        }

    @cached_property
    def organisations(self) -> list[Organisation]:
        """The organisations to use, in the order of `tenant_ids`; raises `ConfigurationProblem` if it is ambiguous."""
        wanted = [str(name).strip() for name in self.config.get("tenant_ids") or () if str(name).strip()]
        connected = [
            Organisation(c.tenant_id, c.name, c.tenant_id)
            for c in self.client.connections()
            if c.tenant_type == "ORGANISATION"  # a PRACTICE has no Accounting API
        ]
        if not connected and self.client.is_custom_connection:
            return [self._of_custom_connection(wanted)]
        if not connected:
            raise ConfigurationProblem(
                "No organisation is connected to this app. Connect one with `xero-login`."
            )
        return chosen(wanted, connected, self.logger)

    def _of_custom_connection(self, wanted: list[str]) -> Organisation:
        """Get the organisation of a custom connection, for which /connections may return nothing.

        Xero documents that the tenant header is optional here; if it is refused without one, an id from `tenant_ids`
        is sent.
        """
        from singer_xero.api.errors import OrganisationUnavailable

        header = None
        try:
            one = own_record(self.client, header)
        except OrganisationUnavailable:
            header = next(filter(is_id, wanted), None)
            if header is None:
                raise
            one = own_record(self.client, header)
        found = Organisation(one["OrganisationID"], one["Name"], header)
        known = {folded(found.tenant_id), folded(found.name)}
        if folded(",".join(wanted)) not in known and any(folded(name) not in known for name in wanted):
            raise ConfigurationProblem(
                f"tenant_ids names {', '.join(wanted)}, but this custom connection belongs to "
                f"{found.name} = {found.tenant_id}."
            )
        return found

    def interrupt(self) -> None:
        """End all waits of the client: calls under way finish, later ones are not sent."""
        if "client" in self.__dict__:
            self.client.close()

    def close(self) -> None:
        """Close the client and stop the embedded sandbox; safe to call twice."""
        self._closing.close()
        atexit.unregister(self.close)


def check_host(name: str, url: str) -> None:
    """Raise `ConfigurationProblem` if an address has more than scheme and host: paths are added to it."""
    parts = urlsplit(url)
    if parts.scheme and (parts.path.strip("/") or parts.query or parts.fragment):
        raise ConfigurationProblem(f"{name} must be scheme and host only, such as {API_URL}, without a path.")


def bounds(config: Mapping[str, Any]) -> Bounds:
    """The limits of one request: time and memory."""
    from singer_xero.api.response_body import BOUNDS, Bounds

    return Bounds(
        seconds=config.get("request_timeout") or BOUNDS.seconds,
        megabytes=config.get("max_response_mb") or BOUNDS.megabytes,
    )


def sandbox_setting(value: bool | str | None) -> bool | Path:
    """Read the setting `sandbox`: off (False), in memory (True), or the folder that keeps its data."""
    word = value.strip().lower() if isinstance(value, str) else value
    if word in {True, "true", "1", "yes", "on"}:
        return True
    if not word or word in {"false", "0", "no", "off"}:
        return False
    return Path(filled_in(str(value), "sandbox"))


def json_file(path: str, what: str) -> dict[str, Any]:
    """Read a file with a JSON object; raises `InputProblem` with the reason if that fails."""
    try:
        with Path(path).open(encoding="utf-8") as file:
            return json_text(file.read(), f"{what} {path}")
    except OSError as error:
        raise InputProblem(f"The {what} {path} can't be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise InputProblem(f"The {what} {path} is not UTF-8 text.") from None


def json_text(text: str, what: str) -> dict[str, Any]:
    """Read JSON text that must contain an object; error messages never repeat the text."""
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputProblem(f"The {what} is not JSON: {error.msg} in line {error.lineno}.") from None
    except RecursionError:
        raise InputProblem(f"The {what} is nested too deeply.") from None
    except ValueError:  # Python's limit of digits
        raise InputProblem(f"The {what} contains a number that is too long.") from None
    if not isinstance(content, dict):
        raise InputProblem(f"The {what} must contain a JSON object, not {type(content).__name__}.")
    return content


def text_of(file: IO[str], what: str) -> str:
    """The whole text of an open file; raises `InputProblem` if it is not UTF-8."""
    try:
        return file.read()
    except UnicodeDecodeError:
        raise InputProblem(f"The {what} is not UTF-8 text.") from None


class OneLineErrors(SingerCommand):
    """A command that reports an error that the user can fix in one line, with exit code 1.

    Only a bug ends in a traceback.
    """

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command."""
        from singer_xero.api.errors import XeroError

        try:
            return super().main(*args, **kwargs)
        except (Problem, XeroError) as problem:
            self.logger.error("%s", problem)
            sys.exit(1)
        except (MapExpressionError, StreamMapConfigError) as problem:
            self.logger.error("stream_maps: %s", problem)
            sys.exit(1)
        except OSError as problem:
            if problem.errno not in _MACHINE:
                raise
            place = f"{problem.filename}: " if problem.filename else ""
            self.logger.error("%s%s.", place, problem.strerror)
            sys.exit(1)


class XeroPlugin(PluginBase):
    """Reads the settings of tap and target: files first, then the environment, each checked by name."""

    package_name = DISTRIBUTION

    @property
    def _env_var_config(self) -> dict[str, Any]:
        """Settings from the environment; unlike the SDK's reader, errors name the variable."""
        schema = dict(self.config_jsonschema)
        self.append_builtin_config(schema)
        found: dict[str, Any] = {}
        for name, setting in schema["properties"].items():
            variable = f"{self.name.upper().replace('-', '_')}_{name.upper()}"
            if variable in os.environ:
                found[name] = from_environment(variable, os.environ[variable], setting)
        return found

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        schema = dict(self.config_jsonschema)
        self.append_builtin_config(schema)
        settings = schema["properties"]
        remember_settings(self.config, settings)
        for name, setting in settings.items():
            if "default" in setting:
                self._config.setdefault(name, setting["default"])
            if isinstance(self._config.get(name), str) and {"array", "string"} <= kinds_of(setting):
                try:
                    self._config[name] = listed(self._config[name])
                except ValueError:
                    raise ConfigurationProblem(
                        f"{name} begins like a JSON list but is not valid JSON."
                    ) from None
        errors = [
            explain(error, settings)
            for error in jsonschema.Draft7Validator(schema).iter_errors(dict(self.config))
        ]
        for name in self.config.keys() - settings.keys():
            near = difflib.get_close_matches(name, settings, 1)
            self.logger.warning(
                "Unknown setting '%s'%s; it is ignored.", name, f", did you mean '{near[0]}'?" if near else ""
            )
        if errors and raise_errors:
            raise ConfigurationProblem("Settings: " + "; ".join(errors) + ".")
        return errors

    @classmethod
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> _ConfigInput:  # noqa: ARG003
        """Read the files of `--config`; later ones override earlier ones, and `ENV` stands for the environment."""
        files = [json_file(path, "config file") for path in value if path != "ENV"]
        return _ConfigInput({k: v for file in files for k, v in file.items()}, "ENV" in value)

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """Build the command line, with one-line errors."""
        command = super().get_singer_command()
        return OneLineErrors(
            name=command.name,
            callback=command.callback,
            context_settings=command.context_settings,
            params=command.params,
            help=command.help,
            logger=cls.logger,
        )


def kinds_of(setting: Mapping[str, Any]) -> set[str]:
    """The JSON types that a setting's schema allows."""
    kinds = setting.get("type", ())
    return {kinds} if isinstance(kinds, str) else set(kinds)


def listed(text: str) -> list[Any]:
    """Split text into a list: a JSON list, or items between commas or line breaks. ValueError for invalid JSON."""
    if text.lstrip().startswith("["):
        return list(json.loads(text))
    return [part.strip() for part in re.split(r"[,\n]", text) if part.strip()]


def from_environment(variable: str, text: str, setting: Mapping[str, Any]) -> Any:
    """Convert an environment variable to its setting's type; raises `ConfigurationProblem` with its name."""
    kinds = kinds_of(setting)
    if "string" in kinds and "array" not in kinds:
        return text
    if "boolean" in kinds and text.strip().lower() in {"true", "1", "yes", "on", "false", "0", "no", "off"}:
        return text.strip().lower() in {"true", "1", "yes", "on"}
    if "integer" in kinds and re.fullmatch(r"\s*-?\d{1,18}\s*", text):
        return int(text)
    if "array" in kinds:
        with contextlib.suppress(ValueError, RecursionError):
            return listed(text)
    if "object" in kinds:
        with contextlib.suppress(ValueError, RecursionError):
            return json.loads(text)
    expected = " or ".join(sorted(kinds - {"null"}))
    raise ConfigurationProblem(f"The environment variable {variable} must be {expected}.")


def trimmed(config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings without whitespace around strings: files and variables often end with a line break."""
    return {name: value.strip() if isinstance(value, str) else value for name, value in config.items()}


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
    if settings.get(name, {}).get("secret"):
        shown = ""
    elif error.validator in limits:
        shown = f", not {error.instance!r}"
    elif error.validator == "enum" and isinstance(error.instance, str):
        shown = ""
    else:
        shown = f", not {_KINDS.get(type(error.instance), 'something else')}"
    return f"{name} must be {expected}{shown}"
