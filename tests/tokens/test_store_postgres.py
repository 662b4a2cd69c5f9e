"""Tokens in a database: accounts, broken connections and servers that refuse."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from singer_xero.api.errors import TokenStoreError
from singer_xero.api.tokens import Kept, TokenStore, open_store
from singer_xero.api.tokens import postgres as tokens_postgres
from singer_xero.api.tokens.postgres import PostgresTokenStore
from xero_sandbox import Sandbox

from .conftest import APP, Job
from .test_store_shared import hit

Jobs = Callable[..., Job]
Consent = Callable[..., str]
Refreshes = Callable[[], list[int]]


def ask(database: str, query: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(query)


def test_a_first_run_creates_the_table(database: str, jobs: Jobs, consent: Consent) -> None:
    assert open_store(database).read(APP.client_id) is None
    assert jobs(database, refresh_token=consent()).go().end()[:2] == (0, "1")
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT client_id FROM xero_tokens").fetchall() == [(APP.client_id,)]


def test_concurrent_first_runs_create_one_table_and_make_one_refresh(
    database: str, jobs: Jobs, consent: Consent, refreshes: Refreshes
) -> None:
    seed = consent()
    started = [jobs(database, refresh_token=seed) for _ in range(4)]
    for job in started:
        job.go()
    assert [job.end()[:2] for job in started] == [(0, "1")] * 4
    assert refreshes() == [200]


def test_concurrent_creations_of_the_table_do_not_fail(database: str) -> None:
    def keep(number: int) -> None:
        store = open_store(database)
        with store.locked(f"app {number}"), store.successor(f"app {number}") as put:
            put(Kept(refresh_token=f"r-{number}"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(keep, range(8)))
    for number in range(8):
        assert open_store(database).read(f"app {number}") == Kept(refresh_token=f"r-{number}")


def test_a_refresh_of_one_app_does_not_wait_for_another(database: str) -> None:
    one, two = open_store(database), open_store(database)
    with one.locked("one"), two.locked("two"), two.successor("two") as keep:
        keep(Kept(refresh_token="r"))
    assert one.read("two") == Kept(refresh_token="r")


@pytest.mark.parametrize("end", ["pg_terminate_backend", "pg_cancel_backend"])
def test_a_connection_that_breaks_while_xero_answers_loses_no_token(
    end: str, database: str, xero: Sandbox, jobs: Jobs, consent: Consent, refreshes: Refreshes
) -> None:
    before = consent(database)
    held = xero.admin.fault("hold", path="connect/token")
    job = jobs(database).go()
    hit(xero, held)
    ask(database, f"SELECT {end}(pid) FROM pg_stat_activity WHERE application_name = 'singer-xero'")
    xero.admin.release()
    assert job.end()[:2] == (0, "1")
    assert open_store(database).read(APP.client_id).previous_refresh_token == before
    assert refreshes() == [200]


def test_tokens_that_another_process_stored_meanwhile_are_not_overwritten(
    database: str, consent: Consent
) -> None:
    consent(database)
    store, other = open_store(database), open_store(database)
    theirs = Kept(refresh_token="theirs")
    with store.locked(APP.client_id), store.successor(APP.client_id) as keep:
        ask(
            database,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'singer-xero'",
        )
        with other.locked(APP.client_id), other.successor(APP.client_id) as put:
            put(theirs)
        with pytest.raises(TokenStoreError, match="changed by another process"):
            keep(Kept(refresh_token="ours"))
    assert store.read(APP.client_id) == theirs


def test_a_refresh_survives_a_server_that_ends_idle_transactions(
    database: str, xero: Sandbox, jobs: Jobs, consent: Consent
) -> None:
    impatient = f"{database}%20-cidle_in_transaction_session_timeout%3D50%20-cstatement_timeout%3D5000"
    consent(database)
    xero.admin.fault("slow", path="connect/token", seconds=0.2)
    code, said, complained = jobs(impatient).go().end()
    assert (code, said, complained) == (0, "1", "")


def test_a_commit_is_on_the_disk_even_with_synchronous_commit_off(database: str) -> None:
    store = open_store(f"{database}%20-csynchronous_commit%3Doff")
    with store.locked("app"):
        connection = store._mine.connection
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)
    careful = open_store(f"{database}%20-csynchronous_commit%3Dremote_apply")
    with careful.locked("app"):
        assert careful._mine.connection.execute("SHOW synchronous_commit").fetchone() == ("remote_apply",)


# Refusals before a token is used


@pytest.fixture
def still_good(jobs: Jobs, consent: Consent, refreshes: Refreshes, database: str) -> Iterator[None]:
    """Tokens that must be refreshed; after the test, they must not have been."""
    consent(database)
    yield
    assert refreshes() == []
    assert jobs(database).go().end()[:2] == (0, "1")


@pytest.mark.usefixtures("still_good")
def test_a_read_only_database_is_named_and_the_token_stays_valid(database: str, jobs: Jobs) -> None:
    code, _, complained = jobs(f"{database}%20-cdefault_transaction_read_only%3Don").go().end()
    assert code == 1
    assert "the tokens can't be stored in postgresql://" in complained
    assert "read-only transaction" in complained


@pytest.mark.usefixtures("still_good")
def test_a_database_whose_disk_is_full_is_named_and_the_token_stays_valid(database: str, jobs: Jobs) -> None:
    ask(
        database,
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$",
    )
    ask(
        database,
        "CREATE TRIGGER full_disk BEFORE UPDATE ON xero_tokens FOR EACH ROW EXECUTE FUNCTION full_disk()",
    )
    code, _, complained = jobs(database).go().end()
    ask(database, "DROP TRIGGER full_disk ON xero_tokens")
    assert code == 1
    assert "No space left on device" in complained


@pytest.mark.usefixtures("still_good")
def test_a_user_who_may_only_read_is_named_and_the_token_stays_valid(database: str, jobs: Jobs) -> None:
    schema = database.rpartition("%3D")[2]
    role = f"reader_{schema}"
    ask(database, f"CREATE ROLE {role} LOGIN PASSWORD 'a-password-to-read'")
    try:
        ask(database, f"GRANT USAGE ON SCHEMA {schema} TO {role}")
        ask(database, f"GRANT SELECT ON xero_tokens TO {role}")
        parts = psycopg.conninfo.conninfo_to_dict(database)
        reader = database.replace(f"{parts['user']}:{parts['password']}@", f"{role}:a-password-to-read@")
        code, _, complained = jobs(reader).go().end()
    finally:
        ask(database, f"DROP OWNED BY {role}")
        ask(database, f"DROP ROLE {role}")
    assert code == 1
    assert "permission denied for table xero_tokens" in complained
    assert "a-password-to-read" not in complained


@pytest.mark.parametrize("damage", ["{}", "no json", '{"version": 2, "tokens": {"refresh_token": "r"}}'])
def test_a_damaged_row_is_neither_used_nor_overwritten(damage: str, database: str, consent: Consent) -> None:
    consent(database)
    ask(database, f"UPDATE xero_tokens SET tokens = '{damage}'")
    with pytest.raises(TokenStoreError, match="damaged, or of another version"):
        open_store(database).read(APP.client_id)


def test_a_lock_that_is_not_released_is_reported_with_its_holder(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens_postgres, "_LOCK_WAIT", 0.001)
    one, two = open_store(database), open_store(database)
    refused = pytest.raises(TokenStoreError, match="another process has held the tokens")
    with one.locked("app"), refused, two.locked("app"):
        pytest.fail("the lock was given twice")


# Addresses


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://user:s3cret/with-slash@127.0.0.1/db",
        "postgresql://user:s3cret@with-at@127.0.0.1/db",
        "postgresql://user:s3cret@127.0.0.1:port/db",
        "postgresql://user:s3cret@127.0.0.1/db?no_such_option=s3cret",
        "postgresql://user:s3cret%zz@127.0.0.1/db",
        "postgresql://user:s3cret$tail@127.0.0.1/db",
    ],
)
def test_an_invalid_address_is_reported_without_its_password(address: str) -> None:
    with pytest.raises(TokenStoreError) as caught:
        open_store(address)
    assert "%40" in str(caught.value) or "%24" in str(caught.value)
    for part in ("s3cret", "with-", "tail"):
        assert part not in str(caught.value)


def test_a_wrong_password_is_reported_without_showing_it(postgres_url: str) -> None:
    password = psycopg.conninfo.conninfo_to_dict(postgres_url)["password"]
    store = open_store(postgres_url.replace(password, "not%2Fthe%2Fpassword"))
    with pytest.raises(TokenStoreError, match="password authentication failed") as caught:
        store.read("app")
    assert "not/the/password" not in str(caught.value)
    assert "%2F" not in str(caught.value)


def test_an_unreachable_server_is_reported_without_the_password(jobs: Jobs) -> None:
    code, _, complained = jobs("postgresql://user:s3cret@127.0.0.1:1/db").go().end()
    assert code == 1
    assert "the tokens can't be stored in postgresql://127.0.0.1:1/db" in complained
    assert "s3cret" not in complained


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_every_form_of_the_scheme_is_accepted(scheme: str, database: str) -> None:
    store = open_store(database.replace("postgresql", scheme))
    assert isinstance(store, PostgresTokenStore)
    assert store.read("app") is None


def test_variables_in_the_address_are_expanded(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_DATABASE", database)
    assert isinstance(open_store("$THE_DATABASE"), PostgresTokenStore)
    assert isinstance(open_store("/tmp/tokens.json"), TokenStore)


def test_without_psycopg_the_error_names_the_fix() -> None:
    script = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from singer_xero.api.errors import TokenStoreError\n"
        "from singer_xero.api.tokens import open_store\n"
        "try: open_store('postgresql://user:s3cret@host/db')\n"
        "except TokenStoreError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "pip install 'singer-xero[postgres]'" in done.stdout
    assert "s3cret" not in done.stdout
