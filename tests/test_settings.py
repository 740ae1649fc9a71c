"""Settings come from the command line, the environment and a file, in that order, and are refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from deskhand.settings import NAMES, Listen, Settings, SettingsError, SmtpServer, read

NOWHERE = Path("/nonexistent/deskhand.toml")


def test_without_anything_given_there_are_defaults():
    assert read({}, NOWHERE) == Settings(
        data_dir=Path("data"),
        database_url="",
        base_url="http://127.0.0.1:8080",
        host="127.0.0.1",
        port=8080,
        workers=1,
        worker="inside",
        log_format="json",
        log_level="info",
        trusted_proxies=("127.0.0.1", "::1"),
        webhook_private_addresses=False,
    )


def test_options_win_over_the_environment_and_the_environment_over_the_file(tmp_path: Path):
    file = tmp_path / "deskhand.toml"
    file.write_text('port = 1001\nworkers = 2\nlog_format = "text"\ntrusted_proxies = ["10.0.0.0/8"]\n')
    settings = read({"DESKHAND_PORT": "1002", "DESKHAND_WORKERS": "3"}, file, {"port": 1003})
    assert (settings.port, settings.workers, settings.log_format) == (1003, 3, "text")
    assert settings.trusted_proxies == ("10.0.0.0/8",)


def test_every_setting_can_be_given_in_the_environment():
    environ = {
        "DESKHAND_DATA_DIR": "/srv/desk",
        "DESKHAND_DATABASE_URL": "postgresql://desk:secret@db:5432/desk?sslmode=require",
        "DESKHAND_BASE_URL": "https://desk.example.com/",
        "DESKHAND_HOST": "::",
        "DESKHAND_PORT": "80",
        "DESKHAND_WORKERS": "4",
        "DESKHAND_WORKER": "separate",
        "DESKHAND_LOG_FORMAT": "text",
        "DESKHAND_LOG_LEVEL": "debug",
        "DESKHAND_TRUSTED_PROXIES": "10.1.2.3, 10.9.0.0/16",
        "DESKHAND_SMTP_URL": "smtp+starttls://desk%40x.example:p%3Aw%2F@smtp.example",
        "DESKHAND_SMTP_BY_INBOX": "A@x.example=smtps://u:p@[fe80::1]:4650  b@x.example=smtp://127.0.0.1?verify=no",
        "DESKHAND_MAIL_SMTP_LISTEN": "[::]:25",
        "DESKHAND_MAIL_LMTP_LISTEN": "/run/deskhand/lmtp",
        "DESKHAND_MAIL_TLS_CERTIFICATE": "/etc/ssl/desk.pem",
        "DESKHAND_MAIL_TLS_KEY": "/etc/ssl/desk.key",
        "DESKHAND_MAIL_IMAP_EVERY_S": "5",
        "DESKHAND_MAIL_TRUSTED_SERVER": "mx.desk.example",
        "DESKHAND_WEBHOOK_PRIVATE_ADDRESSES": "true",
        "DESKHAND_SECRET_KEY": "k" * 32,
        "DESKHAND_AUDIT_DAYS": "90",
        "DESKHAND_AUDIT_ARGUMENTS": "true",
        "DESKHAND_OIDC_ISSUER": "https://login.example.com/",
        "DESKHAND_OIDC_CLIENT_ID": "deskhand",
        "DESKHAND_OIDC_CLIENT_SECRET": "hidden",
        "DESKHAND_OIDC_NAME": "Example",
        "DESKHAND_UPSTREAM_URL": "https://api.helpscout.net",
        "DESKHAND_UPSTREAM_CLIENT_ID": "client",
        "DESKHAND_UPSTREAM_CLIENT_SECRET": "secret",
    }
    assert {name.upper() for name in NAMES} == {name.removeprefix("DESKHAND_") for name in environ}
    assert read(environ, NOWHERE) == Settings(
        data_dir=Path("/srv/desk"),
        database_url="postgresql://desk:secret@db:5432/desk?sslmode=require",
        base_url="https://desk.example.com",
        host="::",
        port=80,
        workers=4,
        worker="separate",
        log_format="text",
        log_level="debug",
        trusted_proxies=("10.1.2.3", "10.9.0.0/16"),
        smtp_url=SmtpServer("smtp.example", 587, "starttls", "desk@x.example", "p:w/"),
        smtp_by_inbox={
            "a@x.example": SmtpServer("fe80::1", 4650, "implicit", "u", "p"),
            "b@x.example": SmtpServer("127.0.0.1", 25, verify=False),
        },
        mail_smtp_listen=Listen("::", 25),
        mail_lmtp_listen=Listen(path="/run/deskhand/lmtp"),
        mail_tls_certificate=Path("/etc/ssl/desk.pem"),
        mail_tls_key=Path("/etc/ssl/desk.key"),
        mail_imap_every_s=5,
        mail_trusted_server="mx.desk.example",
        webhook_private_addresses=True,
        secret_key="k" * 32,
        audit_days=90,
        audit_arguments=True,
        oidc_issuer="https://login.example.com/",
        oidc_client_id="deskhand",
        oidc_client_secret="hidden",
        oidc_name="Example",
        upstream_url="https://api.helpscout.net",
        upstream_client_id="client",
        upstream_client_secret="secret",
    )


@pytest.mark.parametrize("text", ["2525", "host:", "host:0", "host:65536", "::1:25", "a b:25", "/run/x", "host:２５"])
def test_what_is_no_place_to_listen_at_is_refused(text: str):
    with pytest.raises(SettingsError, match="mail_smtp_listen .* must be like 127.0.0.1:2525"):
        read({"DESKHAND_MAIL_SMTP_LISTEN": text}, NOWHERE)


def test_passwords_for_commands_are_no_settings():
    assert read({"DESKHAND_IMAP_PASSWORD": "x", "DESKHAND_SMTP_PASSWORD": "y"}, NOWHERE) == read({}, NOWHERE)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("10.1.2.3", "http://10.1.2.3:8123"),
        ("0.0.0.0", "http://127.0.0.1:8123"),
        ("::", "http://127.0.0.1:8123"),
        ("fe80::1", "http://[fe80::1]:8123"),
        ("desk.local", "http://desk.local:8123"),
    ],
)
def test_links_begin_with_host_and_port_unless_told_otherwise(host: str, url: str):
    assert read({"DESKHAND_HOST": host, "DESKHAND_PORT": "8123"}, NOWHERE).base_url == url


def test_an_empty_variable_counts_as_not_given():
    assert read({"DESKHAND_PORT": "", "DESKHAND_LOG_LEVEL": " "}, NOWHERE) == Settings()


def test_an_empty_database_url_means_sqlite_even_over_the_file(tmp_path: Path):
    file = tmp_path / "deskhand.toml"
    file.write_text('database_url = "postgresql:///desk"\n')
    assert read({}, file).database_url == "postgresql:///desk"
    assert read({"DESKHAND_DATABASE_URL": ""}, file).database_url == ""


def test_other_variables_are_nobodys_business():
    assert read({"PATH": "/bin", "DESKHANDY": "1", "DESKHAND_TEST_POSTGRESQL": "x"}, NOWHERE) == Settings()


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("DESKHAND_PROT", "1", "DESKHAND_PROT (in the environment) is not a setting: did you mean DESKHAND_PORT?"),
        ("DESKHAND_PORT", "http", "port (from DESKHAND_PORT) must be a whole number from 1 to 65535, not 'http'"),
        ("DESKHAND_PORT", "0", "port (from DESKHAND_PORT) must be"),
        ("DESKHAND_PORT", "٣", "port (from DESKHAND_PORT) must be"),
        ("DESKHAND_WORKERS", "-1", "workers (from DESKHAND_WORKERS) must be"),
        ("DESKHAND_LOG_LEVEL", "loud", "must be debug or info or warning or error, not 'loud'"),
        ("DESKHAND_LOG_FORMAT", "xml", "must be json or text, not 'xml'"),
        ("DESKHAND_BASE_URL", "desk.example.com", "base_url (from DESKHAND_BASE_URL) must be a URL like"),
        ("DESKHAND_BASE_URL", "https://", "must be a URL like"),
        ("DESKHAND_BASE_URL", "https://desk.example.com/?a=1", "must be a URL like"),
        ("DESKHAND_BASE_URL", "https://desk:80a/", "must be a URL like"),
        ("DESKHAND_BASE_URL", "https://[::1", "must be a URL like"),
        ("DESKHAND_DATABASE_URL", "mysql://db/desk", "must be empty (SQLite) or like postgresql://"),
        ("DESKHAND_DATABASE_URL", "postgresql+psycopg://db/desk", "must be empty (SQLite) or like postgresql://"),
        ("DESKHAND_DATABASE_URL", "postgresql:db", "must be empty (SQLite) or like postgresql://"),
        ("DESKHAND_WEBHOOK_PRIVATE_ADDRESSES", "1", "must be true or false, not '1'"),
        ("DESKHAND_HOST", "http://x", "host (from DESKHAND_HOST) must be an address"),
        ("DESKHAND_TRUSTED_PROXIES", "10.0.0.0/8, proxy", "must hold addresses, networks or *, not 'proxy'"),
        ("DESKHAND_SMTP_URL", "mail.example:25", "smtp_url (from DESKHAND_SMTP_URL) must be like smtp://host:25"),
        ("DESKHAND_SMTP_URL", "smtp://", "must be like smtp://host:25"),
        ("DESKHAND_SMTP_URL", "smtps://user@mail.example", "must be like smtp://host:25"),
        ("DESKHAND_SMTP_URL", "smtps://u:a/b@mail.example", "must be like smtp://host:25"),
        ("DESKHAND_SMTP_URL", "smtps://u:p@mail.example:0", "must be like smtp://host:25"),
        ("DESKHAND_SMTP_URL", "smtps://u:p@mail.example/inbox", "with / # @ and : in user and password written as %2F"),
        ("DESKHAND_SMTP_URL", "smtp://u:p@mail.example", "would send the password in the clear"),
        ("DESKHAND_SMTP_URL", "smtps://mail.example?verify=no", "verify=no only for a server on this machine"),
        ("DESKHAND_SMTP_URL", "smtps://mail.example?tls=1.0", "knows no option but verify=no"),
        ("DESKHAND_SMTP_BY_INBOX", "smtp://mail.example", "must be a table of inbox addresses and URLs"),
        ("DESKHAND_SMTP_BY_INBOX", "a@x.example=ftp://y", "has a URL for a@x.example that must be like smtp://host:25"),
    ],
)
def test_a_bad_variable_is_named_with_what_is_wrong(variable: str, value: str, words: str):
    with pytest.raises(SettingsError) as caught:
        read({variable: value}, NOWHERE)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('port = "8080x"', "must be a whole number from 1 to 65535, not '8080x'"),
        ("port = true", "must be a whole number from 1 to 65535, not True"),
        ("port = 80.5", "must be a whole number from 1 to 65535, not 80.5"),
        ("data_dir = 7", "data_dir (from {file}) must be a text, not 7"),
        ("trusted_proxies = 7", "must be a list of addresses, not 7"),
        ("trusted_proxies = [7]", "must hold addresses, networks or *, not 7"),
        ("data_folder = 'x'", "data_folder (in {file}) is not a setting"),
        ("smtp_url = 7", "must be like smtp://host:25"),
        ("smtp_by_inbox = 7", "must be a table of inbox addresses and URLs"),
        ("[smtp_by_inbox]\n'a@x.example' = 7", "has a URL for a@x.example that must be like smtp://host:25"),
        ("port = ", "{file} can't be read: "),
    ],
)
def test_a_bad_file_is_named_with_what_is_wrong(tmp_path: Path, content: str, words: str):
    file = tmp_path / "deskhand.toml"
    file.write_text(content)
    with pytest.raises(SettingsError) as caught:
        read({}, file)
    assert words.format(file=file) in str(caught.value)


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(SettingsError) as caught:
        read({"DESKHAND_PORT": "x", "DESKHAND_WORKERS": "y", "DESKHAND_NONSENSE": "z"}, NOWHERE)
    assert len(caught.value.problems) == 3


def test_a_password_in_the_database_url_is_never_shown():
    url = "postgresql://desk:hunter2@db/desk"
    assert "hunter2" not in repr(read({"DESKHAND_DATABASE_URL": url}, NOWHERE))
    with pytest.raises(SettingsError) as caught:
        read({"DESKHAND_DATABASE_URL": "postgresql://desk:hunter2@db:port/desk"}, NOWHERE)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("url", ["smtps://desk:hunter2@mail.example", "smtps://desk:hunter2@mail.example:port"])
@pytest.mark.parametrize("form", ["{}", "a@x.example={}"])
def test_a_password_in_an_smtp_url_is_never_shown(url: str, form: str):
    variable = "DESKHAND_SMTP_BY_INBOX" if "=" in form else "DESKHAND_SMTP_URL"
    try:
        settings = read({variable: form.format(url)}, NOWHERE)
    except SettingsError as problem:
        assert "port" in url
        assert "hunter2" not in str(problem)
    else:
        server = settings.smtp_url or settings.smtp_by_inbox["a@x.example"]
        assert server.password == "hunter2"
        assert "hunter2" not in repr(settings) + repr(server) + str(server)


def test_servers_of_inboxes_are_a_table_in_the_file(tmp_path: Path):
    file = tmp_path / "deskhand.toml"
    file.write_text('[smtp_by_inbox]\n"Sales@x.example" = "smtp://localhost:2525"\n')
    assert read({}, file).smtp_by_inbox == {"sales@x.example": SmtpServer("localhost", 2525)}


def test_a_secret_that_can_not_be_used_is_not_repeated(tmp_path: Path):
    file = tmp_path / "deskhand.toml"
    file.write_text("upstream_client_secret = 12345678\n")
    with pytest.raises(SettingsError) as caught:
        read({"DESKHAND_SECRET_KEY": "hunter2"}, file)
    assert "at least 32" in str(caught.value) and "hunter2" not in str(caught.value) and "1234" not in str(caught.value)


def test_the_documentation_names_every_setting():
    documented = (Path(__file__).parents[1] / "docs" / "running.md").read_text()
    assert [name for name in NAMES if f"DESKHAND_{name.upper()}" not in documented] == []
