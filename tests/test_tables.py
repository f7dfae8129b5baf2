"""One writer of CSV."""

import csv
import io

import pytest

from memwall.core.tables import read_csv, write_csv


def text(*given, **options):
    file = io.StringIO()
    write_csv(file, *given, **options)
    return file.getvalue()


def test_rows_are_dictionaries_or_sequences():
    assert text([{"a": 1, "b": "x,y"}]) == 'a,b\n1,"x,y"\n'
    assert text([(1, "x")], ["a", "b"]) == "a,b\n1,x\n"


def test_columns_choose_order_and_leave_out():
    assert text([{"a": 1, "b": 2, "c": 3}], ["c", "a", "d"]) == "c,a,d\n3,1,\n"


def test_no_rows_are_a_header_alone():
    assert text([], ["a", "b"]) == "a,b\n"
    assert text([]) == "\n"


def test_a_path_is_written_and_read_back(tmp_path):
    path = tmp_path / "x.csv"
    write_csv(path, [{"a": "é", "b": "two\nlines"}], delimiter=";")
    assert path.read_bytes() == 'a;b\né;"two\nlines"\n'.encode()
    with path.open(encoding="utf-8", newline="") as file:
        assert list(csv.DictReader(file, delimiter=";")) == [{"a": "é", "b": "two\nlines"}]


def test_a_file_inside_the_library_is_read():
    assert read_csv("memwall.core", "data/chips.csv")[0]["source"]
    with pytest.raises(FileNotFoundError):
        read_csv("memwall.core", "data/nothing.csv")


def test_floats_are_printed_as_asked():
    assert text([{"a": 1 / 3, "b": 2}]) == "a,b\n0.3333333333333333,2\n"
    assert text([(1 / 3, 2)], ["a", "b"], number="{:.3g}".format) == "a,b\n0.333,2\n"
