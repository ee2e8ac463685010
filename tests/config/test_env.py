"""Reading the environment: what is wrong is named, all at once, with what to do."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trials
from hypothesis import strategies as st

from config.env import Environment, is_local


def env_of(tmp_path, **values):
    return Environment(tmp_path, values)


def told(env):
    """Every problem found, with its fix, in one text."""
    return " ".join(str(one) for one in env.findings)


def from_dotenv(tmp_path, monkeypatch, content):
    """An environment read from a `.env`, without touching the process's own."""
    monkeypatch.delenv("OFFPRINT_DOTENV", raising=False)
    monkeypatch.setattr("environ.Env.ENVIRON", {})
    (tmp_path / ".env").write_bytes(content if isinstance(content, bytes) else content.encode())
    return Environment(tmp_path)


@pytest.mark.parametrize(
    ("read", "value", "says"),
    [
        (lambda e: e.flag("X"), "maybe", "true or false"),
        (lambda e: e.picture_url("X"), "http://papers.example.org/logo.png", "not the address of a picture"),
        (lambda e: e.picture_url("X"), "https:///logo.png", "not the address of a picture"),
        (lambda e: e.number("X", 1, 0, 23), "24", "a whole number from 0 to 23"),
        (lambda e: e.number("X", 1, 0, 23), "seven", "a whole number from 0 to 23"),
        (lambda e: e.choice("X", "a", ("a", "b")), "c", "one of a, b"),
        (lambda e: e.base_url("X", "http://localhost"), "papers.example.org", "not a web address"),
        (lambda e: e.base_url("X", "http://localhost"), "ftp://papers.example.org", "not a web address"),
        (lambda e: e.base_url("X", "http://localhost"), "https://papers.example.org:port", "not a web address"),
        (lambda e: e.base_url("X", "http://localhost"), "https://[::1", "not a web address"),
        (lambda e: e.base_url("X", "http://localhost"), "https://two words", "not a web address"),
        (lambda e: e.base_url("X", "http://localhost"), "https://example.org/app", "Drop '/app'"),
        (lambda e: e.base_url("X", "http://localhost"), "https://me@example.org", "Drop 'me'"),
        (lambda e: e.database("X", "sqlite:///a"), "mysql://h/db", "sqlite:/// or postgresql://"),
        (lambda e: e.database("X", "sqlite:///a"), "postgresql://h:port/db", "cannot be read"),
        (lambda e: e.database("X", "sqlite:///a"), "postgresql://u:s3cr/et#@h/db", "cannot be read"),
        (lambda e: e.database("X", "sqlite:///a"), "postgresql://h", "names no database"),
        (lambda e: e.database("X", "sqlite:///a"), "sqlite://", "names no database"),
    ],
)
def test_what_is_wrong_is_named_with_what_to_do(read, value, says, tmp_path):
    env = env_of(tmp_path, X=value)
    read(env)
    assert says in told(env)
    assert told(env).startswith("X")


def test_a_password_is_not_repeated(tmp_path):
    env = env_of(tmp_path, X="postgresql://offprint:hunter2/x@h/db")
    env.database("X", "sqlite:///a")
    assert "hunter2" not in told(env)


def test_every_problem_is_named_at_once(tmp_path):
    env = env_of(tmp_path, A="maybe", B="99")
    env.flag("A")
    env.number("B", 1, 0, 23)
    assert len(env.findings) == 2


@pytest.mark.parametrize("word", ["1", "true", "YES", "On"])
def test_yes_is_said_in_several_ways(word, tmp_path):
    assert env_of(tmp_path, X=word).flag("X") is True


def test_an_empty_setting_is_an_unset_one(tmp_path):
    assert env_of(tmp_path, X="").number("X", 7, 0, 23) == 7


def test_a_dollar_sign_is_not_a_reference(tmp_path):
    assert env_of(tmp_path, X="$SECRET", SECRET="leak").text("X") == "$SECRET"


def test_words_are_split_at_commas(tmp_path):
    assert env_of(tmp_path, X=" a, b ,,c").words("X") == ["a", "b", "c"]


@pytest.mark.thorough
@given(text=st.text(max_size=60))
@trials(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
def test_no_value_whatever_breaks_the_reading(text, tmp_path):
    env = env_of(tmp_path, X=text)
    env.flag("X")
    env.number("X", 1, 0, 2)
    env.base_url("X", "http://localhost")
    env.database("X", "sqlite:////tmp/a")
    assert all(one.sentence.startswith("X") for one in env.findings)


def test_the_dotenv_is_read_below_the_environment(tmp_path, monkeypatch):
    monkeypatch.delenv("OFFPRINT_DOTENV", raising=False)
    monkeypatch.setattr("environ.Env.ENVIRON", {"A": "outer"})
    (tmp_path / ".env").write_text("A=inner\nB='from the file'\n")
    env = Environment(tmp_path)
    assert (env.text("A"), env.text("B")) == ("outer", "from the file")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("SITE NAME=x\n", "line 1 is not NAME=value"),
        ('SITE_NAME="unclosed\n', "line 1 opens a quote and does not close it"),
        ("SITE_NAME='unclosed\n", "line 1 opens a quote and does not close it"),
        ("# fine\nSECRET = hunter2\n", "line 2 is not NAME=value"),
        (b"\xff\xfe\x00", "readable UTF-8"),
        ("SITE_NAM=x\n", "Did you mean SITE_NAME?"),
        ("WHOLLY_ELSE=x\n", "Remove it"),
    ],
)
def test_a_line_that_would_do_nothing_is_named(content, says, tmp_path, monkeypatch):
    env = from_dotenv(tmp_path, monkeypatch, content)
    env.text("SITE_NAME")
    env.misspelt()
    assert says in told(env)
    assert "hunter2" not in told(env)


@pytest.mark.parametrize(
    "content", ["SITE_NAME=x\n", "﻿SITE_NAME=x\n", "POSTGRES_PASSWORD=x\n", "export SITE_NAME=x", ""]
)
def test_a_good_dotenv_passes(content, tmp_path, monkeypatch):
    env = from_dotenv(tmp_path, monkeypatch, content)
    env.text("SITE_NAME")
    env.misspelt()
    assert env.findings == []


def test_a_public_site_keeps_no_key(tmp_path):
    assert env_of(tmp_path).secret_key("SECRET_KEY", tmp_path / "key", public=True) == ""
    assert not (tmp_path / "key").exists()


def test_a_kept_key_stays_the_same_and_private(tmp_path):
    first = env_of(tmp_path).secret_key("SECRET_KEY", tmp_path / "var" / "key", public=False)
    second = env_of(tmp_path).secret_key("SECRET_KEY", tmp_path / "var" / "key", public=False)
    assert first == second
    assert len(first) >= 50
    assert stat.S_IMODE((tmp_path / "var" / "key").stat().st_mode) == 0o600


def test_processes_that_start_at_once_agree_on_the_key(tmp_path):
    def start(_):
        return env_of(tmp_path).secret_key("SECRET_KEY", tmp_path / "key", public=False)

    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(start, range(64)))
    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_an_empty_kept_key_is_a_problem_not_an_empty_key(tmp_path):
    (tmp_path / "key").write_text("")
    env = env_of(tmp_path)
    env.secret_key("SECRET_KEY", tmp_path / "key", public=False)
    assert "Delete it" in told(env)


def test_a_folder_that_cannot_be_made_is_a_problem(tmp_path):
    (tmp_path / "file").write_text("")
    env = env_of(tmp_path)
    env.secret_key("SECRET_KEY", tmp_path / "file" / "key", public=False)
    assert "cannot be kept" in told(env)


@pytest.mark.parametrize(
    ("url", "local"),
    [("http://localhost:8000", True), ("http://127.0.0.1", True), ("http://[::1]:80", True), ("https://a.org", False)],
)
def test_this_machine_is_known(url, local):
    assert is_local(url) is local


def test_folders_are_made(tmp_path):
    env = env_of(tmp_path)
    env.folders("VAR_DIR", tmp_path / "var", "static", "broker/queue")
    assert (tmp_path / "var" / "broker" / "queue").is_dir()
    assert env.findings == []


@pytest.mark.parametrize("inside", [(), ("static",)])
def test_a_folder_that_cannot_be_written_is_a_problem_with_its_name(inside, tmp_path):
    (tmp_path / "file").write_text("")
    env = env_of(tmp_path)
    env.folders("VAR_DIR", tmp_path / "file", *inside)
    assert "VAR_DIR: " in told(env)
    assert "cannot be written into" in told(env)


def test_a_folder_of_another_user_is_a_problem(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    env = env_of(tmp_path)
    env.folders("VAR_DIR", tmp_path)
    assert "this user may not write there" in told(env)


def test_a_folder_that_is_only_read_may_be_another_users(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    env = env_of(tmp_path)
    env.folders("VAR_DIR", tmp_path, written=False)
    assert env.findings == []


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Offprint <papers@bücher.example.org>", "Offprint <papers@xn--bcher-kva.example.org>"),
        ("Über uns <papers@EXAMPLE.org>", "Über uns <papers@example.org>"),
        ("L'Offprint: papers <papers@example.org>", '"L\'Offprint: papers" <papers@example.org>'),
        ("Offprint, Inc. <papers@example.org>", '"Offprint, Inc." <papers@example.org>'),
        ('"Offprint, Inc." <papers@example.org>', '"Offprint, Inc." <papers@example.org>'),
        ("papers@straße.example", "papers@xn--strae-oqa.example"),
        ("<papers@example.org>", "papers@example.org"),
        ("", "papers@localhost"),
    ],
)
def test_a_senders_address_is_read_as_it_will_be_sent(tmp_path, written, read):
    env = env_of(tmp_path, X=written)
    assert env.mailbox("X", "papers@localhost") == read
    assert env.findings == []


@pytest.mark.parametrize(
    "written",
    ["papers", "papers@", "Offprint papers@example.org", "x <a@b@c.org>", "x <päpers@example.org>", "x <a@-b.org>"],
)
def test_a_senders_address_that_is_none_is_named(tmp_path, written):
    env = env_of(tmp_path, X=written)
    env.mailbox("X", "papers@localhost")
    assert "X=" in told(env)
    assert "Write an address such as Offprint <papers@example.org>" in told(env)


def test_domains_and_the_sites_own_address_may_have_umlauts(tmp_path):
    env = env_of(tmp_path, D="Bücher.example.org", U="https://bücher.example.org:8443", B="ex ample.org")
    assert env.domain("D", "") == "xn--bcher-kva.example.org"
    assert env.base_url("U", "") == "https://xn--bcher-kva.example.org:8443"
    assert env.domain("B", "localhost") == "localhost"
    assert "B='ex ample.org' is not a domain" in told(env)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("", []),
        ("false", []),
        ("true", ["private"]),
        ("192.0.2.7", ["192.0.2.7/32"]),
        ("192.0.2.7, 2001:db8::/32", ["192.0.2.7/32", "2001:db8::/32"]),
        ("10.0.0.1/8", ["10.0.0.0/8"]),
    ],
)
def test_proxies_are_none_those_near_or_those_listed(tmp_path, written, read):
    assert env_of(tmp_path, X=written).proxies("X") == read


def test_proxies_that_are_no_addresses_are_named(tmp_path):
    env = env_of(tmp_path, X="nginx.example.org")
    assert env.proxies("X") == []
    assert "Write true, false, or the proxies' addresses" in told(env)
