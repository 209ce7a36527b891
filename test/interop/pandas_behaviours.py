"""pandas through the ADBC Flight SQL driver, against a cluster with TLS and users.

usage: pandas_behaviours.py HOST:PORT CA USER PASSWORD
Prints one line `ok ...` for each behaviour; ends with status 1 if one of them is not as it should be.
"""
import datetime
import decimal
import uuid

import numpy
import pandas

from behaviours import check, end, equal, refused
from secure_door import connect

# pandas commits and rolls back by itself, and names no catalog when it writes
connection = connect(autocommit=False)
work = connect(autocommit=False, conn_kwargs={"adbc.connection.catalog": "work"})
FRAME = pandas.DataFrame({"a": [1, 2, 3], "b": ["x", None, "it's"], "c": [1.5, -2.25, float("nan")]})


def read(sql, on=connection, **options):
    return pandas.read_sql(sql, on, **options)


@check("a query gives a frame with its names")
def _():
    frame = read("SELECT 42 AS answer, 'a' AS \"größe 🦆\"")
    equal((list(frame.columns), frame.values.tolist()), (["answer", "größe 🦆"], [[42, "a"]]))


@check("a table of several files is grouped")
def _():
    frame = read("SELECT team, count(*) AS n FROM people WHERE team IS NOT NULL GROUP BY team ORDER BY team")
    equal(list(frame["team"]), ["blue", "green", "grey", "red", "white"])


@check("a table is read by its name")
def _():
    frame = pandas.read_sql_table("solid", connection)
    equal((frame.shape, sorted(frame["v"])), ((11, 2), list(range(11))))
    equal(list(pandas.read_sql_table("solid", connection, columns=["v"]).columns), ["v"])


@check("a table is read by its name and schema")
def _():
    equal(pandas.read_sql_table("solid", connection, schema="main").shape, (11, 2))


@check("whole numbers and truth have the widths of their columns")
def _():
    frame = read("SELECT tiny, small, big, utiny, usmall, uint, ubig FROM kinds ORDER BY id")
    equal([str(kind) for kind in frame.dtypes], ["int8", "int16", "int64", "uint8", "uint16", "uint32", "uint64"])
    equal(int(frame["ubig"].iloc[9]), 9 * 1844674407370955161)
    equal(read("SELECT true AS yes")["yes"].dtype, numpy.dtype(bool))


@check("fractions, with what is no number and what is infinite")
def _():
    frame = read("SELECT f4, f8 FROM kinds ORDER BY id LIMIT 4")
    equal([str(kind) for kind in frame.dtypes], ["float32", "float64"])
    equal(repr(list(map(float, frame["f8"]))), "[0.0, nan, inf, -inf]")


@check("days, times and moments")
def _():
    row = read("SELECT DATE '2024-02-29' d, TIME '12:34:56.789' t, TIMESTAMP '2024-02-29 12:00:00.123456' s, "
               "TIMESTAMPTZ '2024-02-29 12:00:00+02' z, INTERVAL 3 DAY AS i").iloc[0]
    equal((row["d"], row["t"]), (datetime.date(2024, 2, 29), datetime.time(12, 34, 56, 789000)))
    equal((row["s"], row["z"]), (pandas.Timestamp("2024-02-29 12:00:00.123456"), pandas.Timestamp("2024-02-29 10:00Z")))


@check("decimals to the last digit, and bytes")
def _():
    row = read("SELECT 12345678901234567890.12345678::DECIMAL(38,8) AS d, '\\x00\\xFF'::BLOB AS b").iloc[0]
    equal((row["d"], row["b"]), (decimal.Decimal("12345678901234567890.12345678"), b"\x00\xff"))


@check("lists, structs and maps")
def _():
    row = read("SELECT [1, NULL, 3] AS l, {'a': 1, 'b': ['x']} AS s, MAP {'k': 7} AS m").iloc[0]
    equal(repr(list(map(float, row["l"]))), "[1.0, nan, 3.0]")
    equal((row["s"]["a"], list(row["s"]["b"]), list(row["m"])), (1, ["x"], [("k", 7)]))


@check("UUIDs are Python's")
def _():
    frame = read("SELECT '00112233-4455-6677-8899-aabbccddeeff'::UUID AS u, NULL::UUID AS n")
    equal(frame.iloc[0].tolist(), [uuid.UUID("00112233-4455-6677-8899-aabbccddeeff"), None])


@check("NULL in columns of every type, and types of Arrow if they are asked for")
def _():
    frame = read("SELECT NULL::INTEGER i, NULL::VARCHAR s, NULL::DATE d, NULL::DECIMAL(9,2) m, NULL n")
    assert frame.isna().all().all(), frame
    typed = read("SELECT age, joined FROM people", dtype_backend="pyarrow")
    equal([str(kind) for kind in typed.dtypes], ["int16[pyarrow]", "date32[day][pyarrow]"])


@check("no row leaves the columns and their types")
def _():
    frame = read("SELECT id, pay FROM people WHERE false")
    equal((frame.shape, str(frame["id"].dtype)), ((0, 2), "int32"))


@check("dates are parsed and a column becomes the index")
def _():
    frame = read("SELECT id, joined FROM people ORDER BY id", index_col="id", parse_dates=["joined"])
    equal((frame.index.name, frame["joined"].dtype.kind), ("id", "M"))


@check("a million rows come whole, in order")
def _():
    frame = read("SELECT i, 'row ' || i AS s FROM range(1000000) t(i) ORDER BY i")
    equal((len(frame), int(frame["i"].sum()), bool(frame["i"].is_monotonic_increasing)), (1000000, 499999500000, True))


@check("errors are DuckDB's, and the connection goes on")
def _():
    refused(lambda: read("SELECT nope FROM people"), 'Referenced column "nope"', Exception)
    refused(lambda: read("SELECT 'x'::INTEGER"), "Could not convert", Exception)
    equal(read("SELECT 2 AS x")["x"].tolist(), [2])


@check("a frame becomes a table, value for value")
def _():
    equal(FRAME.to_sql("frame", work, index=False), 3)
    back = read("SELECT * FROM work.frame ORDER BY a", on=work)
    equal((list(back["a"]), list(back["b"])[0::2], repr(list(map(float, back["c"])))),
          ([1, 2, 3], ["x", "it's"], "[1.5, -2.25, nan]"))


@check("a table that is there is told, appended to, emptied or replaced")
def _():
    refused(lambda: FRAME.to_sql("frame", work, index=False), "already exists", ValueError)
    equal(FRAME.to_sql("frame", work, index=False, if_exists="append"), 3)
    equal(read("SELECT count(*) AS n FROM work.frame", on=work)["n"].tolist(), [6])
    equal(FRAME[:1].to_sql("frame", work, index=False, if_exists="delete_rows"), 1)
    equal(read("SELECT a FROM work.frame", on=work)["a"].tolist(), [1])
    equal(FRAME[["a"]].to_sql("frame", work, index=False, if_exists="replace"), 3)
    equal(list(read("SELECT * FROM work.frame", on=work).columns), ["a"])


@check("what is written is there for another connection, with its index")
def _():
    FRAME.set_index("a").to_sql("indexed", work, schema="main")
    frame = read("SELECT a, b FROM work.main.indexed ORDER BY a", index_col="a")
    connection.rollback()  # its transaction has the catalog
    equal((list(frame.index), frame["b"].iloc[0]), ([1, 2, 3], "x"))


@check("a frame of many types is written and read back the same")
def _():
    frame = pandas.DataFrame({
        "i8": numpy.array([1, -1], numpy.int8), "u64": numpy.array([0, 2**64 - 1], numpy.uint64),
        "f4": numpy.array([0.5, -1], numpy.float32), "yes": [True, False],
        "moment": pandas.to_datetime(["2024-02-29 12:00:00.123456", None]),
        "zoned": pandas.to_datetime(["2024-02-29 12:00:00Z", "1969-12-31 23:59:59Z"]),
        "day": [datetime.date(2024, 2, 29), None], "bytes": [b"\x00\xff", b""],
        "amount": [decimal.Decimal("1.25"), decimal.Decimal("-3.50")], "list": [[1, 2], []],
        "kind": pandas.Categorical(["a", "b"]),
    })
    frame.to_sql("typed", work, index=False)
    back = read("SELECT * FROM work.typed", on=work)
    for name in frame.columns:
        actual, expected = back[name].tolist(), frame[name].tolist()
        equal(str([v.tolist() if name == "list" else v for v in actual]), str(expected))


@check("a large frame is written in one piece")
def _():
    large = pandas.DataFrame({"i": numpy.arange(500_000), "s": ["row %d" % i for i in range(500_000)]})
    equal(large.to_sql("large", work, index=False), 500_000)
    row = read("SELECT count(*) AS n, sum(i)::BIGINT AS s, count(DISTINCT s) AS d FROM work.large", on=work).iloc[0]
    equal(list(map(int, row)), [500_000, 124999750000, 500_000])


@check("what cannot be written leaves nothing")
def _():
    refused(lambda: FRAME.to_sql("nowhere", connection, index=False), "Failed to insert", Exception)
    refused(lambda: pandas.DataFrame({"nope": [1]}).to_sql("frame", work, index=False, if_exists="append"), "", Exception)
    work.rollback()
    equal(read("SELECT count(*) AS n FROM work.frame", on=work)["n"].tolist(), [3])


connection.close()
work.close()
end()
