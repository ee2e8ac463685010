from __future__ import annotations

import pytest

from subscriptions import tables

KNOWN = ("email", "topics", "hour", "papers_per_day")


def read(content: str | bytes) -> tables.Table:
    body = content if isinstance(content, bytes) else content.encode()
    return tables.read(body, KNOWN, "email", {"e_mail_address": "email"})


@pytest.mark.parametrize(
    "content",
    [
        "email,hour\nlou@example.net,7\n",
        "email;hour\nlou@example.net;7\n",
        "email\thour\nlou@example.net\t7\n",
        "sep=;\nemail;hour\nlou@example.net;7\n",
        "sep=,\r\nemail,hour\r\nlou@example.net,7\r\n",
        '"sep=\t"\nemail\thour\nlou@example.net\t7\n',
        "sep=\t\nemail\thour\nlou@example.net\t7\n",
        "email,hour\rlou@example.net,7\r",
        "\n\nemail,hour\n\nlou@example.net,7\n\n",
        "email,hour,,\nlou@example.net,7,,\n,,,\n",
        "\ufeffemail,hour\nlou@example.net,7\n",
        "\ufeffsep=;\n email ; Hour \nlou@example.net;7\n",
        "E-Mail,HOUR\nlou@example.net,7\n",
        "E-mail address,Hour\nlou@example.net,7\n",
        '"email","hour"\n"lou@example.net","7"',
        "email;hour\nlou@example.net;7\n".encode("utf-16"),
        "email\thour\nlou@example.net\t7\n".encode("utf-16-le"),
        "email\thour\nlou@example.net\t7\n".encode("utf-16-be"),
        "email,hour,nom\nlou@example.net,7,Zoé\n".encode("cp1252"),
    ],
)
def test_every_shape_a_spreadsheet_saves_gives_the_same_row(content: str | bytes) -> None:
    (row,) = read(content).rows
    assert (row.cells["email"].strip(), row.cells["hour"]) == ("lou@example.net", "7")


def test_columns_nobody_knows_are_named_and_passed_over() -> None:
    table = read("Name,email,,Papers per day,phone\nLou,lou@example.net,x,5,1,2\n")
    assert table.passed_over == ("Name", "column 3, which has no name", "phone", "column 6, which has no name")
    assert table.rows[0].cells == {"email": "lou@example.net", "papers_per_day": "5"}


def test_a_row_that_is_too_short_lacks_its_last_cells() -> None:
    assert [row.cells for row in read("email,topics,hour\nlou@example.net\n").rows] == [{"email": "lou@example.net"}]


def test_rows_are_numbered_as_in_the_file() -> None:
    table = read('sep=,\nemail,topics\nlou@example.net,"two\nlines"\n\nkim@example.net,\n')
    assert [row.number for row in table.rows] == [4, 6]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "no column called 'email'"),
        ("address\nlou@example.net\n", "no column called 'email'"),
        ("em\x00ail\nlou@example.net\n", "no column called 'email'"),
        ("email,E-Mail\na@example.net,b@example.net\n", "Two columns are called 'email'"),
        ("email\n" + "x" * 200_000 + "\n", "no CSV file"),
        (b"PK\x03\x04\x00\x00\x08\x00\x00\x00!\x00", "no column called 'email'"),
    ],
)
def test_what_is_no_table_of_readers_is_refused_in_a_sentence(content: str | bytes, words: str) -> None:
    with pytest.raises(tables.TableError, match=words):
        read(content)


def test_a_row_with_a_nul_is_told_from_the_others() -> None:
    table = read(b"email,hour\nl\x00ou@example.net,7\nkim@example.net,7\nmo@example.net,\x00\n")
    assert [row.is_readable for row in table.rows] == [False, True, False]
