"""polars through the ADBC Flight SQL driver, against a cluster with TLS and users.

usage: polars_behaviours.py HOST:PORT CA USER PASSWORD
Prints one line `ok ...` for each behaviour; ends with status 1 if one of them is not as it should be.
"""
import datetime
import decimal

import polars
import pyarrow
from polars.testing import assert_frame_equal

from behaviours import check, end, equal, refused
from secure_door import connect

# polars commits by itself
connection = connect(autocommit=False)
LONG = "a text that is longer than twelve bytes"
FRAME = polars.DataFrame({"a": [1, 2, 3], "b": ["x", None, "it's"]})


def read(sql, **options):
    return polars.read_database(sql, connection, **options)


def write(frame, table, mode="fail"):
    return frame.write_database(table, connection, if_table_exists=mode, engine="adbc")


@check("a query gives a frame with its names")
def _():
    equal(read("SELECT 42 AS answer, 'a' AS \"größe 🦆\"").to_dicts(), [{"answer": 42, "größe 🦆": "a"}])


@check("a table of several files is grouped")
def _():
    frame = read("SELECT k, count(*) AS n, sum(v)::BIGINT AS total FROM solid GROUP BY k ORDER BY k")
    equal(frame.rows(), [(0, 3, 15), (1, 2, 7), (2, 2, 9), (3, 2, 11), (4, 2, 13)])


@check("whole numbers have the widths of their columns")
def _():
    frame = read("SELECT tiny, small, id, big, utiny, usmall, uint, ubig FROM kinds ORDER BY id")
    equal([str(kind) for kind in frame.dtypes],
          ["Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64"])
    equal(frame["ubig"][9], 9 * 1844674407370955161)


@check("fractions, truth and bytes")
def _():
    frame = read("SELECT f4, f8, yes, bytes FROM kinds ORDER BY id LIMIT 4")
    equal([str(kind) for kind in frame.dtypes], ["Float32", "Float64", "Boolean", "Binary"])
    equal((repr(frame["f8"].to_list()), frame["bytes"][1]), ("[0.0, nan, inf, -inf]", b"a\x01z"))


@check("decimals to the last digit")
def _():
    frame = read("SELECT 12345678901234567890.12345678::DECIMAL(38,8) AS d, -0.01::DECIMAL(4,2) AS cents")
    equal(frame.row(0), (decimal.Decimal("12345678901234567890.12345678"), decimal.Decimal("-0.01")))


@check("days, times and moments, in their zone")
def _():
    frame = read("SELECT DATE '2024-02-29' d, TIME '12:34:56.789' t, TIMESTAMP '2024-02-29 12:00:00.123456' s, "
                 "TIMESTAMPTZ '2024-02-29 12:00:00+02' z")
    zoned = datetime.datetime(2024, 2, 29, 10, tzinfo=datetime.timezone.utc)
    equal(frame.row(0), (datetime.date(2024, 2, 29), datetime.time(12, 34, 56, 789000),
                         datetime.datetime(2024, 2, 29, 12, 0, 0, 123456), zoned))


@check("lists and structs, with what is NULL in them")
def _():
    frame = read("SELECT [1, NULL, 3] AS l, {'a': 1, 'b': ['x']} AS s")
    equal(frame.to_dicts(), [{"l": [1, None, 3], "s": {"a": 1, "b": ["x"]}}])


@check("NULL in columns of every type")
def _():
    frame = read("SELECT NULL::INTEGER i, NULL::VARCHAR s, NULL::DATE d, NULL::BIGINT[] l, NULL::DECIMAL(9,2) m, NULL n")
    equal(frame.row(0), (None,) * 6)


@check("no row leaves the columns and their types")
def _():
    equal(dict(read("SELECT id, name FROM people WHERE false").schema), {"id": polars.Int32, "name": polars.String})


@check("parameters are bound by position")
def _():
    frame = read("SELECT id FROM people WHERE id = ? OR id = ? ORDER BY id", execute_options={"parameters": [3, 5]})
    equal(frame["id"].to_list(), [3, 5])


@check("a result is read in batches")
def _():
    batches = list(read("SELECT i FROM range(1000000) t(i)", iter_batches=True))
    assert len(batches) > 1, len(batches)
    equal((sum(batch.height for batch in batches), sum(batch["i"].sum() for batch in batches)), (1000000, 499999500000))


@check("a million rows come whole, in order")
def _():
    frame = read("SELECT i, 'row ' || i AS s FROM range(1000000) t(i) ORDER BY i")
    equal((frame.height, frame["i"].is_sorted(), frame["s"][999999]), (1000000, True, "row 999999"))


@check("types are those that are asked for")
def _():
    equal(read("SELECT id FROM solid, people LIMIT 1", schema_overrides={"id": polars.Int64}).dtypes, [polars.Int64])


@check("errors are DuckDB's, and the connection goes on")
def _():
    refused(lambda: read("SELECT nope FROM people"), 'Referenced column "nope"')
    connection.rollback()
    equal(read("SELECT 2 AS x")["x"].to_list(), [2])


@check("a frame becomes a table, value for value")
def _():
    equal(write(FRAME, "work.main.polar"), 3)
    assert_frame_equal(read("SELECT * FROM work.polar ORDER BY a"), FRAME)


@check("a table that is there is told, appended to and replaced")
def _():
    refused(lambda: write(FRAME, "work.main.polar"), "is there already")
    connection.rollback()
    equal(write(FRAME, "work.main.polar", "append"), 3)
    equal(read("SELECT count(*) AS n FROM work.polar")["n"].to_list(), [6])
    equal(write(FRAME.select("a"), "work.main.polar", "replace"), 3)
    equal(read("SELECT * FROM work.polar").columns, ["a"])


@check("appending makes a table that is not there")
def _():
    equal(write(FRAME, "work.main.fresh", "append"), 3)
    equal(read("SELECT count(*) AS n FROM work.fresh")["n"].to_list(), [3])


@check("a frame of many types is written and read back the same")
def _():
    frame = polars.DataFrame({
        "i8": polars.Series([1, None], dtype=polars.Int8), "u64": polars.Series([0, 2**64 - 1], dtype=polars.UInt64),
        "f4": polars.Series([0.5, None], dtype=polars.Float32), "yes": [True, None], "text": ["日本語 🦆", None],
        "long": [LONG, ""], "bytes": [b"\x00\xff", None],
        "day": [datetime.date(2024, 2, 29), None], "time": [datetime.time(12, 34, 56, 789000), None],
        "moment": [datetime.datetime(2024, 2, 29, 12, 0, 0, 123456), None],
        "zoned": polars.Series([datetime.datetime(2024, 2, 29), None]).dt.replace_time_zone("UTC"),
        "amount": polars.Series([decimal.Decimal("1.25"), None], dtype=polars.Decimal(18, 2)),
        "list": [[1, None], []], "struct": [{"a": 1, "b": "x"}, {"a": None, "b": None}],
        "array": polars.Series([[1, 2], [3, 4]], dtype=polars.Array(polars.Int32, 2)),
    })
    write(frame, "work.main.typed_by_polars")
    assert_frame_equal(read("SELECT * FROM work.typed_by_polars"), frame)


@check("texts and bytes of every length are written as the views that they are, in lists and structs too")
def _():
    texts = ["", "of twelve by", "of thirteen b", None, "日本語", LONG, LONG]
    frame = polars.DataFrame({
        "text": texts, "list": [[text, LONG] for text in texts],
        "struct": [{"a": text, "b": [text]} for text in texts], "deep": [[[text]] for text in texts],
        "bytes": polars.Series([None if text is None else text.encode() for text in texts], dtype=polars.Binary),
        "word": polars.Series(texts, dtype=polars.Categorical), "enum": polars.Series(["x"] * 7, dtype=polars.Enum(["x"])),
    })
    equal(str(pyarrow.RecordBatchReader.from_stream(frame).schema.field("text").type), "string_view")
    for part in (frame, frame[2:6], frame[:0]):
        with connection.cursor() as cursor:
            cursor.adbc_ingest("views", part, mode="replace", catalog_name="work", db_schema_name="main")
        back = read("SELECT * FROM work.views")
        assert_frame_equal(back, part.with_columns(polars.col("word", "enum").cast(polars.String)))
    connection.commit()


@check("UUIDs are the bytes that they are")
def _():
    frame = read("SELECT '00112233-4455-6677-8899-aabbccddeeff'::UUID AS u")
    equal((frame.dtypes, frame["u"][0].hex()), ([polars.Binary], "00112233445566778899aabbccddeeff"))


@check("categories are written as their texts")
def _():
    write(polars.DataFrame({"k": ["a", "b", "a"]}, schema={"k": polars.Categorical}), "work.main.categories")
    equal(read("SELECT k FROM work.categories")["k"].to_list(), ["a", "b", "a"])


@check("a large frame is written in one piece")
def _():
    large = polars.DataFrame({"i": range(500_000)}).with_columns(s=polars.format("row {}", "i"))
    equal(write(large, "work.main.large_of_polars"), 500_000)
    equal(read("SELECT sum(i)::BIGINT AS s, count(DISTINCT s) AS d FROM work.large_of_polars").row(0),
          (124999750000, 500_000))


@check("catalogs of the cluster are not written, and what is refused leaves nothing")
def _():
    refused(lambda: write(FRAME, "lake.main.nowhere"), "read-only")
    connection.rollback()
    refused(lambda: write(polars.DataFrame({"nope": [1]}), "work.main.fresh", "append"), "nope")
    connection.rollback()
    equal(read("SELECT count(*) AS n FROM work.fresh")["n"].to_list(), [3])


connection.close()
end()
