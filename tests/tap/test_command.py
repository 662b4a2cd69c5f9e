"""The command: its help, and one clear line for errors that users can fix."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from singer_xero.objects import OBJECTS, STREAMS
from xero_sandbox import AdminClient, apps

from .company import HARBOUR, HARBOUR_NAME, TIDE, TIDE_NAME
from .runs import Done, command, last_state, records_of, state_at

SECRET = apps.CUSTOM_CONNECTION.client_secret or ""
VERSION = version("singer-xero")


def assert_one_line(done: Done, *words: str, secrets: tuple[str, ...] = (SECRET,)) -> None:
    """It ended with an error of one line that contains these words, without a traceback."""
    assert done.code != 0
    assert len(done.errors) == 1, done.err
    for word in words:
        assert word in done.errors[0]
    assert_quiet(done, *secrets)


def assert_quiet(done: Done, *secrets: str) -> None:
    """There is no traceback and no secret in the output."""
    assert "Traceback" not in done.err
    for secret in secrets:
        assert secret not in done.err
        assert secret not in done.out


def only(path: Path, *streams: str) -> str:
    """A file with a catalog of these streams."""
    entries = [
        {"tap_stream_id": name, "schema": OBJECTS[name].schema(with_tenant=True), "metadata": [
            {"breadcrumb": [], "metadata": {"selected": True}}]}
        for name in streams
    ]  # fmt: skip
    (path / "catalog.json").write_text(json.dumps({"streams": entries}), encoding="utf-8")
    return "catalog.json"


# Help and version


def test_version_prints_the_version_of_the_distribution(tmp_path: Path) -> None:
    done = command("--version", at=tmp_path)
    assert (done.code, done.out) == (0, f"tap-xero v{VERSION}, Meltano SDK v{version('singer-sdk')}\n")


def test_about_prints_version_settings_and_capabilities(tmp_path: Path) -> None:
    done = command("--about", "--format", "json", at=tmp_path)
    told = json.loads(done.out)
    assert (told["name"], told["version"]) == ("tap-xero", VERSION)
    assert "batch" not in told["capabilities"]
    assert {"catalog", "state", "discover", "activate-version"} <= set(told["capabilities"])
    secrets = {name for name, setting in told["settings"]["properties"].items() if setting.get("secret")}
    assert secrets == {"client_secret", "refresh_token", "token_path"}
    assert "batch_config" not in told["settings"]["properties"]


def test_discover_needs_no_credentials(tmp_path: Path) -> None:
    done = command("--discover", at=tmp_path)
    assert done.code == 0
    assert {entry["tap_stream_id"] for entry in json.loads(done.out)["streams"]} >= set(OBJECTS)


def test_test_reads_one_record_of_each_stream(
    config: dict[str, Any], admin: AdminClient, tmp_path: Path
) -> None:
    done = command("--test", config=config, at=tmp_path)
    assert done.code == 0, done.err
    records = records_of(done.messages)
    assert {len(found) for found in records.values()} == {1}
    assert {"contacts", "journals", "quotes", "budgets", "contact_groups"} <= set(records)
    assert len([call for call in admin.calls() if "/Contacts" in call["path"]]) == 1
    assert_quiet(done, SECRET)


def test_settings_limit_the_time_and_size_of_a_request(
    config: dict[str, Any], admin: AdminClient, tmp_path: Path
) -> None:
    admin.fault("slow", path="connections", seconds=3, count=0)
    done = command(config={**config, "request_timeout": 1}, at=tmp_path)
    assert_one_line(done, "no complete answer", "within 1 s", "request_timeout")
    admin.clear_faults()
    admin.fault("status", path="connections", status=200, body=" " * 2_000_000, count=0)
    done = command(config={**config, "max_response_mb": 1}, at=tmp_path)
    assert_one_line(done, "takes more than 1 MB of memory", "max_response_mb")


@pytest.mark.parametrize("name", ["api_url", "identity_url"])
def test_plain_http_to_another_machine_is_refused(config: dict[str, Any], tmp_path: Path, name: str) -> None:
    done = command(config={**config, name: "http://xero.example"}, at=tmp_path)
    assert_one_line(done, f"{name} is 'http://xero.example'", "allow_insecure_http")


def test_test_fails_if_the_credentials_are_wrong(config: dict[str, Any], tmp_path: Path) -> None:
    wrong = "w" * 40
    done = command("--test", config={**config, "client_secret": wrong}, at=tmp_path)
    assert_one_line(done, "invalid_client", "Check client_id and client_secret", secrets=(wrong, SECRET))


def test_a_whole_run_ends_with_0_and_writes_singer_messages_only(
    config: dict[str, Any], tmp_path: Path
) -> None:
    done = command(config=config, at=tmp_path)
    assert done.code == 0, done.err
    assert {message["type"] for message in done.messages} == {"SCHEMA", "RECORD", "STATE", "ACTIVATE_VERSION"}
    assert len(records_of(done.messages)["journals"]) == 230
    assert_quiet(done, SECRET, "eyJ")


def test_settings_come_from_the_environment(config: dict[str, Any], tmp_path: Path) -> None:
    names = {f"TAP_XERO_{name.upper()}": str(value) for name, value in config.items()}
    more = {
        "TAP_XERO_TENANT_IDS": f'["{HARBOUR}"]',
        "TAP_XERO_INCLUDE_ARCHIVED": "false",
        "TAP_XERO_PAGE_SIZE": "3",
    }
    catalog = only(tmp_path, "contacts")
    done = command("--config=ENV", "--catalog", catalog, at=tmp_path, **names, **more)
    assert done.code == 0, done.err
    assert len(records_of(done.messages)["contacts"]) == 7


def test_a_second_run_from_the_printed_state_reads_nothing(config: dict[str, Any], tmp_path: Path) -> None:
    catalog = only(tmp_path, "contacts", "journals")
    first = command("--catalog", catalog, config=config, at=tmp_path)
    (tmp_path / "state.json").write_text(json.dumps(last_state(first.messages)), encoding="utf-8")
    second = command("--catalog", catalog, "--state", "state.json", config=config, at=tmp_path)
    assert len(records_of(first.messages)) == 2
    assert records_of(second.messages) == {}
    assert second.code == 0


# Bad input


def test_without_credentials_the_error_names_both_fixes(tmp_path: Path) -> None:
    assert_one_line(command(at=tmp_path), "client_id", "sandbox")


def test_credentials_in_the_environment_need_the_option_config_env(tmp_path: Path) -> None:
    assert_one_line(command(at=tmp_path, TAP_XERO_CLIENT_ID="x"), "client_id")


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"page_size": "many"}, ("page_size must be integer", "not text")),
        ({"page_size": 5000}, ("page_size must be at most 1000",)),
        ({"page_size": 0}, ("page_size must be at least 1",)),
        ({"tenant_ids": 5}, ("tenant_ids must be array or string",)),
        ({"tenant_ids": "[broken"}, ("tenant_ids begins like a JSON list",)),
        ({"start_date": "last week"}, ("start_date must be a day like 2024-07-01", "'last week'")),
        ({"start_date": 2024}, ("start_date must be string",)),
        ({"client_secret": 12345}, ("client_secret must be string",)),
        ({"on_missing_scope": "shrug"}, ("on_missing_scope must be", "skip", "fail")),
        ({"include_archived": "perhaps"}, ("include_archived must be boolean",)),
    ],
    ids=str,
)
def test_an_invalid_setting_is_named_with_its_valid_values(
    setting: dict[str, Any], words: tuple[str, ...], tmp_path: Path
) -> None:
    done = command(config={"client_id": "x", "client_secret": SECRET, **setting}, at=tmp_path)
    assert_one_line(done, *words, secrets=(SECRET, "12345"))


def test_several_invalid_settings_are_named_together(tmp_path: Path) -> None:
    done = command(config={"client_id": 5, "page_size": "x"}, at=tmp_path)
    assert_one_line(done, "client_id must be string", "page_size must be integer")


def test_an_unknown_setting_is_reported_with_its_likely_name(config: dict[str, Any], tmp_path: Path) -> None:
    done = command("--discover", config={**config, "tenantids": ["x"]}, at=tmp_path)
    assert done.code == 0
    assert "The setting tenantids is unknown and ignored; did you mean tenant_ids?" in done.err


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("TAP_XERO_PAGE_SIZE", "abc"),
        ("TAP_XERO_INCLUDE_ARCHIVED", "maybe"),
        ("TAP_XERO_TENANT_IDS", "[broken"),
    ],
)
def test_a_variable_that_cannot_be_read_is_named(tmp_path: Path, variable: str, text: str) -> None:
    done = command("--config=ENV", at=tmp_path, **{variable: text, "TAP_XERO_CLIENT_SECRET": SECRET})
    assert_one_line(done, variable)


def test_an_unknown_organisation_is_reported_with_the_connected_ones(
    web: dict[str, Any], tmp_path: Path
) -> None:
    done = command(config={**web, "tenant_ids": ["Nobody"]}, at=tmp_path)
    assert_one_line(done, "'Nobody'", f"{HARBOUR_NAME} = {HARBOUR}", f"{TIDE_NAME} = {TIDE}")


def test_an_expired_refresh_token_is_reported_with_the_fix(
    web: dict[str, Any], admin: AdminClient, tmp_path: Path
) -> None:
    admin.revoke(apps.WEB_APP.client_id)
    done = command(config={**web, "tenant_ids": [HARBOUR]}, at=tmp_path)
    assert_one_line(done, "already used, expired or revoked", "xero-login", secrets=(web["refresh_token"],))


def test_a_host_that_does_not_answer_is_named(config: dict[str, Any], tmp_path: Path) -> None:
    """The server cannot be reached at all, so the client does not wait for a retry."""
    done = command(config={**config, "identity_url": "not-a-url"}, at=tmp_path)
    assert_one_line(done, "not-a-url")


@pytest.mark.parametrize("name", ["api_url", "identity_url"])
@pytest.mark.parametrize("more", ["/api.xro/2.0", "/api.xro/2.0/", "?region=nz", "/#here"])
def test_an_address_with_a_path_is_refused(
    config: dict[str, Any], admin: AdminClient, tmp_path: Path, name: str, more: str
) -> None:
    admin.forget_calls()
    done = command(config={**config, name: config[name] + more}, at=tmp_path)
    assert_one_line(done, f"{name} must be scheme and host only")
    assert admin.calls() == []


def test_an_address_may_end_with_a_slash(config: dict[str, Any], tmp_path: Path) -> None:
    settings = {**config, "api_url": config["api_url"] + "/"}
    assert command("--catalog", only(tmp_path, "items"), config=settings, at=tmp_path).code == 0


def test_one_line_has_the_number_of_selected_streams(config: dict[str, Any], tmp_path: Path) -> None:
    done = command("--catalog", only(tmp_path, "items", "contacts"), config=config, at=tmp_path)
    assert [line for line in done.err.splitlines() if "streams are" in line] == [
        line for line in done.err.splitlines() if f"2 of {len(STREAMS)} streams are read." in line
    ]


BROKEN = {
    "no JSON": "{nonsense",
    "a list": "[]",
    "text": '"bookmarks"',
    "bookmarks that are a list": '{"bookmarks": []}',
    "a stream that is text": '{"bookmarks": {"contacts": "yesterday"}}',
    "partitions that are no list": '{"bookmarks": {"contacts": {"partitions": {"a": 1}}}}',
    "a partition without its organisation": '{"bookmarks": {"contacts": {"partitions": [{"x": 1}]}}}',
    "a bookmark that is no time": json.dumps(state_at("yesterday")),
    "a bookmark that is a number": json.dumps(state_at(5)),
    "a journal number that is none": json.dumps(state_at("many", "journals")),
    "an organisation twice": json.dumps(
        {"bookmarks": {"contacts": {"partitions": [{"context": {"tenant_id": HARBOUR}}] * 2}}}
    ),
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_state_that_cannot_be_read_is_refused(config: dict[str, Any], tmp_path: Path, text: str) -> None:
    (tmp_path / "state.json").write_text(text, encoding="utf-8")
    catalog = only(tmp_path, "contacts", "journals")
    done = command("--state", "state.json", "--catalog", catalog, config=config, at=tmp_path)
    assert_one_line(done, "state")
    assert records_of(done.messages) == {}


@pytest.mark.parametrize(
    "text",
    [
        "{nonsense",
        "[]",
        "{}",
        '{"streams": {}}',
        '{"streams": [{"stream": "contacts"}]}',
        '{"streams": [{"tap_stream_id": "contacts", "metadata": {"a": 1}}]}',
        '{"streams": [{"tap_stream_id": "contacts", "metadata": [1]}]}',
        '{"streams": [{"tap_stream_id": "contacts", "schema": [1]}]}',
    ],
)
def test_a_catalog_that_cannot_be_read_is_refused(config: dict[str, Any], tmp_path: Path, text: str) -> None:
    (tmp_path / "catalog.json").write_text(text, encoding="utf-8")
    assert_one_line(command("--catalog", "catalog.json", config=config, at=tmp_path), "catalog")


@pytest.mark.parametrize("text", ["{nonsense", "[1, 2]", "", '{"client_secret": "' + SECRET + '"'])
def test_a_config_file_that_cannot_be_read_is_refused_without_repeating_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text, encoding="utf-8")
    assert_one_line(command("--config", "config.json", at=tmp_path), "config file config.json")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("contact", ["did you mean contacts?"]),
        ("nobody", ["--discover"]),
        ("invoice_line_items", ["nested_tables: true"]),
    ],
)
def test_a_catalog_that_selects_an_unknown_stream_is_refused(
    config: dict[str, Any], admin: AdminClient, tmp_path: Path, name: str, words: list[str]
) -> None:
    entry = {"tap_stream_id": name, "metadata": [{"breadcrumb": [], "metadata": {"selected": True}}]}
    (tmp_path / "catalog.json").write_text(json.dumps({"streams": [entry]}), encoding="utf-8")
    assert_one_line(
        command("--catalog", "catalog.json", config=config, at=tmp_path), f"stream {name},", *words
    )
    assert admin.calls() == []


def test_a_catalog_may_contain_an_unknown_stream_that_is_not_selected(
    config: dict[str, Any], tmp_path: Path
) -> None:
    entries = json.loads((tmp_path / only(tmp_path, "users")).read_text(encoding="utf-8"))["streams"]
    left = {"tap_stream_id": "nobody", "metadata": [{"breadcrumb": [], "metadata": {"selected": False}}]}
    (tmp_path / "catalog.json").write_text(json.dumps({"streams": [left, *entries]}), encoding="utf-8")
    done = command("--catalog", "catalog.json", config=config, at=tmp_path)
    assert (done.code, set(records_of(done.messages))) == (0, {"users"})


@pytest.mark.parametrize("option", ["--config", "--state", "--catalog"])
def test_a_missing_file_is_named(option: str, tmp_path: Path) -> None:
    done = command(option, "missing.json", at=tmp_path)
    assert done.code != 0
    assert "missing.json" in done.err
    assert_quiet(done)


@pytest.mark.parametrize("option", ["--config", "--state", "--catalog"])
def test_a_file_that_is_not_text_is_refused(option: str, tmp_path: Path) -> None:
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00\x01")
    assert_one_line(command(option, "bytes.json", at=tmp_path), "not UTF-8")


def test_an_invalid_stream_map_is_refused_in_one_line(config: dict[str, Any], tmp_path: Path) -> None:
    maps = {"stream_maps": {"contacts": {"loud": "Name.upper("}}}
    assert_one_line(command(config={**config, **maps}, at=tmp_path), "Name.upper(")


# Exit codes


def test_a_failing_stream_makes_the_exit_code_1_and_is_named_at_the_end(
    config: dict[str, Any], admin: AdminClient, tmp_path: Path
) -> None:
    admin.fault("status", path="Contacts", status=400, body='{"Message": "No"}', count=0)
    done = command("--catalog", only(tmp_path, "accounts", "contacts", "items"), config=config, at=tmp_path)
    assert done.code == 1
    assert set(records_of(done.messages)) == {"accounts", "items"}
    assert done.errors[-1].startswith(
        f"Not complete: contacts of {HARBOUR_NAME}. GET Contacts page 1: 400 No"
    )
    assert done.messages[-1]["type"] == "STATE"
    assert_quiet(done, SECRET)


def test_the_day_s_limit_makes_the_exit_code_1_and_names_the_reset_once(
    config: dict[str, Any], admin: AdminClient, tmp_path: Path
) -> None:
    admin.fault("rate_limit", problem="day", retry_after=5000, count=0)
    admin.fault("rate_limit", problem="day", retry_after=5000, count=0, path="Organisation")
    admin.clear_faults()
    admin.fault("rate_limit", problem="day", retry_after=5000, count=0, path="[!O]*", tenant=HARBOUR)
    done = command("--catalog", only(tmp_path, "accounts", "contacts", "items"), config=config, at=tmp_path)
    assert done.code == 1
    closing = [line for line in done.errors if line.startswith("Not complete")]
    assert len(closing) == 1
    assert "accounts, contacts, items of" in closing[0]
    assert "Run again after" in closing[0]
    assert_quiet(done, SECRET)


def test_a_failing_scope_check_comes_before_the_first_call(
    config: dict[str, Any], admin: AdminClient, tmp_path: Path
) -> None:
    strict = {**config, "scopes": ["accounting.contacts.read"], "on_missing_scope": "fail"}
    done = command(config=strict, at=tmp_path)
    assert_one_line(done, "accounting.invoices.read (for", "on_missing_scope")
    assert [call for call in admin.calls() if "/api.xro/" in call["path"]] == []


def test_the_embedded_sandbox_needs_only_a_setting(tmp_path: Path) -> None:
    done = command(
        "--catalog", only(tmp_path, "tax_rates", "organisation"), config={"sandbox": True}, at=tmp_path
    )
    assert done.code == 0, done.err
    assert len(records_of(done.messages)["organisation"]) == 1
    assert "sandbox's demo company" in done.err


# Tokens


def test_a_rotated_token_works_in_the_second_run_and_is_printed_nowhere(
    web: dict[str, Any], tmp_path: Path
) -> None:
    settings = {**web, "tenant_ids": [HARBOUR], "token_path": "$HOME/secrets/tokens.json"}
    catalog = only(tmp_path, "contacts")
    first = command("--catalog", catalog, config=settings, at=tmp_path)
    store = tmp_path / "secrets" / "tokens.json"
    kept = store.read_text(encoding="utf-8")
    # The seed is used and the access token is gone, so the second run must refresh with the stored token.
    content = json.loads(kept)
    for entry in content["clients"].values():
        entry["expires_at"] = 0.0
    store.write_text(json.dumps(content), encoding="utf-8")
    second = command("--catalog", catalog, config=settings, at=tmp_path, TAP_XERO_LOGLEVEL="DEBUG")
    assert (first.code, second.code) == (0, 0), second.err
    assert store.stat().st_mode & 0o777 == 0o600
    tokens = [
        value
        for text in (kept, store.read_text(encoding="utf-8"))
        for entry in json.loads(text)["clients"].values()
        for name, value in entry.items()
        if "token" in name and value
    ]
    assert len(set(tokens)) >= 3
    for done in (first, second):
        assert len(records_of(done.messages)["contacts"]) == 7
        assert_quiet(done, web["refresh_token"], str(web["client_secret"]), *tokens, "eyJ")


def test_an_unwritable_token_file_is_noticed_before_a_token_is_used(
    web: dict[str, Any], admin: AdminClient, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    settings = {**web, "tenant_ids": [HARBOUR], "token_path": str(tmp_path / "file" / "tokens.json")}
    done = command(config=settings, at=tmp_path)
    assert_one_line(done, "the tokens in", "tokens.json", "token_path", secrets=(web["refresh_token"],))
    assert admin.calls("/connect/token") == []
