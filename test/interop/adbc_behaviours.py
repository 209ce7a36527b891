"""The ADBC Flight SQL driver against a cluster with TLS and users.

usage: adbc_behaviours.py HOST:PORT CA USER PASSWORD
Prints one line `ok ...` for each behaviour; ends with status 1 if one of them is not as it should be.
"""
import datetime
import decimal

import adbc_driver_flightsql.dbapi as dbapi
import pandas
import polars
import pyarrow

from behaviours import check, end, equal, refused as refused_by
from secure_door import ADDRESS, OPTIONS, PASSWORD, USER, connect


def refused(call, text):
    refused_by(call, text, dbapi.Error)


def ask(sql, parameters=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


@check("a wrong password is refused as such")
def _():
    refused(lambda: connect(password="wrong horse battery").cursor().execute("SELECT 1"), "wrong user name or password")


@check("nobody comes in without a login")
def _():
    refused(lambda: connect(user=None).cursor().execute("SELECT 1"), "log in")


@check("a certificate of an unknown CA is refused")
def _():
    try:
        with dbapi.connect(f"grpc+tls://{ADDRESS}", db_kwargs={"username": USER, "password": PASSWORD}) as c:
            c.cursor().execute("SELECT 1")
    except dbapi.Error as error:
        assert "certificate" in str(error), str(error)
        return
    raise AssertionError("it was trusted")


connection = connect()


@check("a statement gives its rows")
def _():
    equal(ask("SELECT 1 AS x, 'a' AS y"), [(1, "a")])


@check("an aggregate over a table of several files")
def _():
    [(count, people)] = ask("SELECT count(*), count(DISTINCT name) FROM people")
    equal((count, people), (48, 40))


@check("parameters by position have their types")
def _():
    values = [1, "it's", 1.5, None, datetime.date(2024, 2, 29), decimal.Decimal("12.34"), True, b"\x00\xff"]
    [row] = ask("SELECT ?, ?, ?, ?, ?, ?, ?, ?", values)
    equal(list(row), values)


@check("a parameter filters a table")
def _():
    equal(ask("SELECT id FROM people WHERE id = ? OR id = ? ORDER BY id", [3, 5]), [(3,), (5,)])


@check("a prepared statement runs again with other values")
def _():
    with connection.cursor() as cursor:
        for value in (1, 2, 3):
            cursor.execute("SELECT ? + 1", [value])
            equal(cursor.fetchone(), (value + 1,))


@check("nested values are bound and come back")
def _():
    with connection.cursor() as cursor:
        batch = pyarrow.record_batch([pyarrow.array([[1, None, 3]]), pyarrow.array([{"a": 1, "b": "x"}])], ["0", "1"])
        cursor.execute("SELECT ? AS l, ? AS s", batch)
        equal(cursor.fetch_arrow_table().to_pylist(), [{"l": [1, None, 3], "s": {"a": 1, "b": "x"}}])


@check("moments are bound to the microsecond, in their zone")
def _():
    moment = datetime.datetime(2024, 2, 29, 12, 30, 15, 123456, tzinfo=datetime.timezone.utc)
    equal(ask("SELECT ?", [moment]), [(moment,)])


@check("several rows of values run as one statement")
def _():
    with connection.cursor() as cursor:
        cursor.execute("SELECT ? * 10 AS v", pyarrow.record_batch([pyarrow.array([1, 2, 3])], ["0"]))
        equal(sorted(cursor.fetchall()), [(10,), (20,), (30,)])


@check("preparing tells the types of parameters, and runs nothing")
def _():
    with connection.cursor() as cursor:
        schema = cursor.adbc_prepare("SELECT name FROM people WHERE joined > ? AND pay < ? LIMIT ?")
        equal([str(field.type) for field in schema], ["date32[day]", "decimal128(10, 2)", "int64"])


@check("the columns of a statement are told without running it")
def _():
    with connection.cursor() as cursor:
        schema = cursor.adbc_execute_schema("SELECT id, pay FROM people")
        equal([(field.name, str(field.type)) for field in schema], [("id", "int32"), ("pay", "decimal128(10, 2)")])


@check("too few values are refused with their number")
def _():
    refused(lambda: ask("SELECT ?, ?", [1]), "1 values are bound to a statement with 2 parameters")


@check("errors of a statement are DuckDB's, with the place")
def _():
    refused(lambda: ask("SELECT nope FROM people"), 'Referenced column "nope"')
    refused(lambda: ask("SELEC 1"), "syntax error")
    refused(lambda: ask("SELECT * FROM nowhere"), "nowhere does not exist")
    refused(lambda: ask("SELECT CAST('x' AS INTEGER)"), "Could not convert")


@check("the connection goes on after an error")
def _():
    equal(ask("SELECT 2"), [(2,)])


@check("the server tells its name, version and Arrow's")
def _():
    info = connection.adbc_get_info()
    equal(info["vendor_name"], "Skein")
    assert info["vendor_version"] and info["vendor_arrow_version"]


@check("catalogs, schemas, tables and columns are listed")
def _():
    objects = connection.adbc_get_objects(depth="all").read_all().to_pylist()
    equal(sorted(entry["catalog_name"] for entry in objects), ["csvs", "jsons", "lake", "skein", "work"])
    [lake] = [entry for entry in objects if entry["catalog_name"] == "lake"]
    [people] = [table for table in lake["catalog_db_schemas"][0]["db_schema_tables"] if table["table_name"] == "people"]
    equal([column["column_name"] for column in people["table_columns"]][:2], ["id", "name"])


@check("tables are found by pattern")
def _():
    objects = connection.adbc_get_objects(depth="tables", catalog_filter="lake", table_name_filter="peo%").read_all()
    [lake] = [entry for entry in objects.to_pylist() if entry["catalog_db_schemas"]]
    equal([table["table_name"] for table in lake["catalog_db_schemas"][0]["db_schema_tables"]], ["people"])


@check("the schema of a table is told")
def _():
    schema = connection.adbc_get_table_schema("people", catalog_filter="lake", db_schema_filter="main")
    equal(schema.field("pay").type, pyarrow.decimal128(10, 2))


@check("table types are listed")
def _():
    assert "TABLE" in connection.adbc_get_table_types()


@check("a result is read by its partition, on another connection too")
def _():
    with connection.cursor() as cursor:
        partitions, schema = cursor.adbc_execute_partitions("SELECT count(*) AS n FROM sales")
        equal((len(partitions), schema.names), (1, ["n"]))
        with connect() as other, other.cursor() as reader:
            reader.adbc_read_partition(partitions[0])
            equal(reader.fetchall(), [(12000,)])


@check("a partition is read again: the statement ran once")
def _():
    with connection.cursor() as cursor:
        partitions, _ = cursor.adbc_execute_partitions("SELECT random() AS r")
        values = set()
        for _ in range(2):
            cursor.adbc_read_partition(partitions[0])
            values.add(cursor.fetchone())
        equal(len(values), 1)


@check("a statement is followed while it runs")
def _():
    with connection.cursor() as cursor:
        cursor.adbc_statement.set_options(**{"adbc.statement.exec.incremental": "true"})
        found = []
        for _ in range(600):
            partitions, _ = cursor.adbc_execute_partitions("SELECT count(*) FROM range(300000000) t(i) WHERE i % 7 = 3")
            if not partitions:
                break
            found += partitions
        equal(len(found), 1)


@check("a million rows arrive whole")
def _():
    with connection.cursor() as cursor:
        cursor.execute("SELECT i, i * 2 AS d, 'row ' || i AS s FROM range(1000000) t(i)")
        table = cursor.fetch_arrow_table()
        equal((table.num_rows, pyarrow.compute.sum(table["i"]).as_py()), (1000000, 499999500000))


@check("a statement is cancelled, and the connection goes on")
def _():
    import threading
    with connect() as slow, slow.cursor() as cursor:
        timer = threading.Timer(1.0, cursor.adbc_cancel)
        timer.start()
        try:
            cursor.execute("SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE a.range % 7 = b.range % 5")
            cursor.fetchall()
        except dbapi.Error as error:
            assert "cancel" in str(error).lower(), str(error)
        else:
            raise AssertionError("it was not cancelled")
        finally:
            timer.cancel()
    equal(ask("SELECT 3"), [(3,)])


@check("pandas reads a query")
def _():
    frame = pandas.read_sql("SELECT team, count(*) AS n FROM people WHERE team IS NOT NULL GROUP BY team ORDER BY team", connection)
    equal(list(frame["team"]), ["blue", "green", "grey", "red", "white"])


@check("polars reads a query")
def _():
    frame = polars.read_database("SELECT id, pay FROM people ORDER BY id", connection)
    equal((frame.height, frame.columns), (48, ["id", "pay"]))


@check("the batches are valid Arrow")
def _():
    with connection.cursor() as cursor:
        cursor.execute("FROM sales")
        cursor.fetch_arrow_table().validate(full=True)


def table_of(*rows):
    return pyarrow.table({"a": pyarrow.array([a for a, _ in rows], pyarrow.int32()), "b": [b for _, b in rows]})


@check("a table is made, and rows are inserted with their number")
def _():
    with connection.cursor() as cursor:
        cursor.adbc_statement.set_sql_query("CREATE TABLE memory.written (a INTEGER PRIMARY KEY, b VARCHAR)")
        cursor.adbc_statement.execute_update()
        cursor.adbc_statement.set_sql_query("INSERT INTO memory.written VALUES (1, 'x'), (2, 'y')")
        equal(cursor.adbc_statement.execute_update(), 2)
    equal(ask("SELECT count(*) FROM memory.written"), [(2,)])


@check("executemany runs once for each row")
def _():
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO memory.written VALUES (?, ?)", [(3, "z"), (4, None), (5, "it's")])
        equal(cursor.rowcount, 3)
        cursor.executemany("UPDATE memory.written SET b = ? WHERE a = ?", [("p", 3), ("q", 4), ("r", 99)])
        equal(cursor.rowcount, 2)
    equal(ask("SELECT a, b FROM memory.written WHERE a > 2 ORDER BY a"), [(3, "p"), (4, "q"), (5, "it's")])


@check("an executemany that fails in one row has done nothing")
def _():
    with connection.cursor() as cursor:
        refused(lambda: cursor.executemany("INSERT INTO memory.written VALUES (?, ?)", [(10, "a"), (1, "b")]),
                "Duplicate key")
    equal(ask("SELECT count(*) FROM memory.written WHERE a >= 10"), [(0,)])


@check("a change with RETURNING gives its rows")
def _():
    equal(ask("INSERT INTO memory.written VALUES (?, ?) RETURNING a + 1", [20, "x"]), [(21,)])
    equal(ask("DELETE FROM memory.written WHERE a = 20 RETURNING b"), [("x",)])


def ingest(table, mode, rows, on=None, **options):
    with (on or connection).cursor() as cursor:
        return cursor.adbc_ingest(table, rows, mode=mode, **options)


@check("tables are loaded in every mode")
def _():
    memory = {"catalog_name": "memory"}
    equal(ingest("loaded", "create", table_of((1, "x"), (2, None)), **memory), 2)
    refused(lambda: ingest("loaded", "create", table_of((1, "x")), **memory), "is there already")
    equal(ingest("loaded", "append", table_of((3, "z")), **memory), 1)
    equal(ask("SELECT a, b FROM memory.loaded ORDER BY a"), [(1, "x"), (2, None), (3, "z")])
    equal(ingest("loaded", "replace", table_of((9, "r")), **memory), 1)
    equal(ingest("loaded", "create_append", table_of((8, "s")), **memory), 1)
    equal(ask("SELECT a FROM memory.loaded ORDER BY a"), [(8,), (9,)])
    refused(lambda: ingest("missing", "append", table_of((1, "x")), **memory), "is not there")


@check("a temporary table is loaded, and joined with one of the cluster")
def _():
    equal(ingest("wanted", "create", table_of((3, "x"), (5, "y")), temporary=True), 2)
    equal(ask("SELECT p.id, w.b FROM people p JOIN wanted w ON p.id = w.a ORDER BY 1"), [(3, "x"), (5, "y")])


@check("a reader of many batches is loaded whole")
def _():
    batches = [pyarrow.record_batch({"a": list(range(i * 1000, i * 1000 + 1000))}) for i in range(100)]
    reader = pyarrow.RecordBatchReader.from_batches(batches[0].schema, batches)
    equal(ingest("many", "create", reader, catalog_name="memory"), 100000)
    equal(ask("SELECT count(*), sum(a)::BIGINT FROM memory.many"), [(100000, 4999950000)])


@check("views, UUIDs and words are loaded as texts, bytes, UUIDs and texts")
def _():
    words = ["of twelve by", "of thirteen b", None]
    columns = {
        "t": pyarrow.array(words, pyarrow.string_view()), "d": pyarrow.array(words).dictionary_encode(),
        "b": pyarrow.array([b"\xff", b"\x00" * 20, None], pyarrow.binary_view()),
        "l": pyarrow.array([words, None, []], pyarrow.list_(pyarrow.string_view())),
        "u": pyarrow.array([bytes(range(16)), None, bytes(16)], pyarrow.uuid()),
    }
    equal(ingest("many_kinds", "create", pyarrow.table(columns), catalog_name="memory"), 3)
    with connection.cursor() as cursor:
        cursor.execute("FROM memory.many_kinds")
        table = cursor.fetch_arrow_table()
    equal([str(field.type) for field in table.schema],
          ["string", "string", "binary", "list<item: string>", "extension<arrow.uuid>"])
    equal(table.to_pydict(), {name: array.to_pylist() for name, array in columns.items()})


@check("a batch of more than the driver's 16 MiB is loaded with a larger limit, or in parts")
def _():
    large = pyarrow.table({"b": [bytes(1 << 20)] * 20})
    refused(lambda: ingest("large", "create", large, catalog_name="memory"), "larger than max")
    equal(ingest("large", "create", large.to_reader(10), catalog_name="memory"), 20)
    with connect(db_kwargs={OPTIONS.WITH_MAX_MSG_SIZE.value: str(64 << 20)}) as other:
        equal(ingest("large", "create", large, on=other, catalog_name="memory"), 20)


@check("catalogs of the cluster are not loaded into")
def _():
    refused(lambda: ingest("x", "create", table_of((1, "x"))), "read-only")


@check("a catalog that is kept is loaded, and read by another connection")
def _():
    equal(ingest("kept", "create", table_of((1, "x")), catalog_name="work"), 1)
    with connect() as other, other.cursor() as cursor:
        cursor.execute("SELECT a, b FROM work.kept")
        equal(cursor.fetchall(), [(1, "x")])


@check("transactions are committed and rolled back, with what was loaded in them")
def _():
    with connect(autocommit=False) as other:
        ingest("kept", "append", table_of((2, "y")), on=other, catalog_name="work")
        with other.cursor() as cursor:
            cursor.executemany("INSERT INTO work.kept VALUES (?, ?)", [(3, "z"), (4, "w")])
            cursor.execute("SELECT count(*) FROM work.kept")
            equal(cursor.fetchone(), (4,))
        other.rollback()
        ingest("kept", "append", table_of((5, "v")), on=other, catalog_name="work")
        other.commit()
    equal(ask("SELECT a FROM work.kept ORDER BY a"), [(1,), (5,)])


@check("pandas writes a table")
def _():
    frame = pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    with connection.cursor() as cursor:
        equal(cursor.adbc_ingest("frame", pyarrow.Table.from_pandas(frame, preserve_index=False), catalog_name="memory"), 2)
    equal(list(pandas.read_sql("SELECT b FROM memory.frame ORDER BY a", connection)["b"]), ["x", "y"])


connection.close()
end()
