"""pyarrow.flight, which speaks Flight and leaves Flight SQL to us, against a cluster with TLS and users.

usage: pyarrow_behaviours.py HOST:PORT CA USER PASSWORD
Prints one line `ok ...` for each behaviour; ends with status 1 if one of them is not as it should be.
"""
import base64
import datetime
import decimal
import uuid

import pyarrow as pa
import pyarrow.flight as flight

from behaviours import check, end, equal, refused
from flight_sql import (
    APPEND, COMMIT, CREATE, FAIL_MISSING, FAIL_THERE, REPLACE, ROLLBACK, act, ask, begin, bind, client, connect, finish,
    header, info_of, ingest, options, prepare, put, query, read, run, update)
from messages import field, fields, packed, unpacked
from secure_door import ADDRESS, PASSWORD, USER

SLOW = "SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE a.range % 7 = b.range % 5"


@check("a wrong password is refused as such")
def _():
    refused(lambda: connect().authenticate_basic_token(USER, "a guess"), "wrong user name or password",
            flight.FlightUnauthenticatedError)


@check("nobody comes in without a login, or with a token that is none")
def _():
    descriptor = flight.FlightDescriptor.for_command(query("SELECT 1"))
    refused(lambda: client.get_flight_info(descriptor), "log in", flight.FlightUnauthenticatedError)
    false = flight.FlightCallOptions(headers=[(b"authorization", b"Bearer a.guess.AAAA")])
    refused(lambda: client.get_flight_info(descriptor, false), "token", flight.FlightUnauthenticatedError)
    for call in (lambda: list(client.do_action("Nonsense")), lambda: list(client.list_actions()),
                 lambda: list(client.list_flights())):
        refused(call, "log in", flight.FlightUnauthenticatedError)


@check("a certificate of an unknown CA is refused")
def _():
    stranger = flight.connect(f"grpc+tls://{ADDRESS}")
    refused(lambda: list(stranger.list_actions()), "certificate", flight.FlightUnavailableError)


@check("a login gives a token; the password does on every call, too")
def _():
    equal((header[0], header[1].startswith(b"Bearer ")), (b"authorization", True))
    basic = b"Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode())
    own = flight.FlightCallOptions(headers=[(b"authorization", basic)])
    info = client.get_flight_info(flight.FlightDescriptor.for_command(query("SELECT 7 AS x")), own)
    equal(client.do_get(info.endpoints[0].ticket, own).read_all().to_pylist(), [{"x": 7}])


class MessageLogin(flight.ClientAuthHandler):
    """Flight's older way: name and password in the handshake's message."""

    def authenticate(self, outgoing, incoming):
        outgoing.write(flight.BasicAuth(USER, PASSWORD).serialize())
        self.token = incoming.read()

    def get_token(self):
        return self.token


@check("a login by message has its user's tickets")
def _():
    older = connect()
    older.authenticate(MessageLogin())
    info = older.get_flight_info(flight.FlightDescriptor.for_command(query("SELECT 7 AS x")))
    equal(older.do_get(info.endpoints[0].ticket).read_all().to_pylist(), [{"x": 7}])


@check("actions are listed")
def _():
    equal(sorted(action.type for action in client.list_actions(options)), [
        "BeginTransaction", "CancelFlightInfo", "CancelQuery", "ClosePreparedStatement", "CloseSession",
        "CreatePreparedStatement", "EndTransaction", "GetSessionOptions", "RenewFlightEndpoint", "SetSessionOptions"])


@check("tables of several files are grouped and joined")
def _():
    equal(ask("SELECT k, count(*), sum(v) FROM solid GROUP BY k ORDER BY k LIMIT 2"), [(0, 3, 15), (1, 2, 7)])
    equal(ask("SELECT count(*) FROM people p JOIN people b ON p.boss = b.id"), [(47,)])


@check("lists of the catalog are as their schemas say, to the nullability")
def _():
    filters = {"CommandGetTables": field(5, True), "CommandGetPrimaryKeys": field(3, "x"),
               "CommandGetExportedKeys": field(3, "x"), "CommandGetImportedKeys": field(3, "x"),
               "CommandGetCrossReference": field(3, "x") + field(6, "y")}
    rows = {}
    for name in ("Catalogs", "DbSchemas", "Tables", "TableTypes", "SqlInfo", "XdbcTypeInfo", "PrimaryKeys",
                 "ExportedKeys", "ImportedKeys", "CrossReference"):
        command = packed(f"CommandGet{name}", filters.get(f"CommandGet{name}", b""))
        table = read(command)
        told = client.get_schema(flight.FlightDescriptor.for_command(command), options).schema
        assert told.equals(table.schema, check_metadata=True), told
        rows[name] = table.num_rows
    equal([name for name, count in rows.items() if count == 0],
          ["PrimaryKeys", "ExportedKeys", "ImportedKeys", "CrossReference"])


@check("SqlInfo has every code of the standard")
def _():
    table = read(packed("CommandGetSqlInfo"))
    substrait = {6, 7}
    equal(table["info_name"].to_pylist(), [*sorted({*range(12)} - substrait), 100, 101, *range(500, 577)])
    assert table["value"].null_count == 0
    values = dict(zip(table["info_name"].to_pylist(), table["value"].to_pylist()))
    equal([values[code] for code in (3, 8, 9, 10, 11, 100, 101)], [False, 1, True, True, True, 3_600_000, 3_600_000])


@check("types are told, and found by their code")
def _():
    table = read(packed("CommandGetXdbcTypeInfo"))
    names = set(table["type_name"].to_pylist())
    assert {"BIGINT", "DECIMAL", "VARCHAR", "BLOB", "DATE", "TIMESTAMP WITH TIME ZONE", "INTERVAL", "UUID"} <= names
    equal(read(packed("CommandGetXdbcTypeInfo", field(1, 93)))["type_name"].to_pylist(),
          ["TIMESTAMP", "TIMESTAMP WITH TIME ZONE"])


@check("a statement's columns are the same told, prepared, begun and read")
def _():
    update("CREATE OR REPLACE TABLE work.main.narrow (a INTEGER NOT NULL PRIMARY KEY, b VARCHAR, c DECIMAL(9,2) NOT NULL)")
    for sql in ("FROM kinds", "FROM nested", "FROM work.main.narrow", "SELECT count(*) AS n, 1 AS one FROM people",
                "SELECT a, max(c) AS c FROM work.main.narrow GROUP BY a", "SELECT DISTINCT team FROM people",
                "SELECT NULL AS n, 'a' AS t"):
        told = client.get_schema(flight.FlightDescriptor.for_command(query(sql)), options).schema
        statement = prepare(sql)
        prepared = pa.ipc.read_schema(pa.py_buffer(statement[2]))
        read_by_text, read_prepared = read(sql).schema, run(statement[1]).schema
        for schema in (prepared, read_by_text, read_prepared):
            assert schema.equals(told, check_metadata=True), f"{sql}: {schema} instead of {told}"
        act("ClosePreparedStatement", packed("ActionClosePreparedStatementRequest", field(1, statement[1])))


U = uuid.UUID("00112233-4455-6677-8899-aabbccddeeff")
MOMENT = datetime.datetime(2024, 2, 29, 12, 30, 15, 123456)
LONG = "a text that is longer than twelve bytes"


@check("values of every type are bound by DoPut, in several rows, with NULLs")
def _():
    columns = {
        **{f"{kind}": pa.array([1, None, 100], kind) for kind in (
            pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64())},
        "float": pa.array([0.5, None, -1], pa.float32()), "double": pa.array([0.1, None, float("inf")]),
        "yes": pa.array([True, None, False]),
        "text": pa.array(["日本語 🦆", None, "it's"]), "large": pa.array([LONG, None, ""], pa.large_string()),
        "bytes": pa.array([b"\x00\xff", None, b""]),
        "fixed": pa.array([b"abc", None, b"xyz"], pa.binary(3)), "words": pa.array([LONG, None, LONG]).dictionary_encode(),
        "small": pa.array(["1.25", None, "-9.75"], pa.string()).cast(pa.decimal128(5, 2)),
        "wide": pa.array([decimal.Decimal("9" * 36 + ".99"), None, decimal.Decimal(-1)], pa.decimal128(38, 2)),
        "day": pa.array([MOMENT.date(), None, datetime.date(1969, 12, 31)]),
        "date64": pa.array([MOMENT.date(), None, datetime.date(1969, 12, 31)], pa.date64()),
        "time_s": pa.array([86399, None, 0], pa.time32("s")), "time_us": pa.array([1, None, 0], pa.time64("us")),
        **{f"moment_{unit}": pa.array([1709209815, None, -1], pa.timestamp(unit)) for unit in ("s", "ms", "us", "ns")},
        "zoned": pa.array([MOMENT, None, MOMENT], pa.timestamp("us", tz="UTC")),
        "uuid": pa.array([U.bytes, None, bytes(16)], pa.uuid()),
        "interval": pa.array([(14, 3, 1000), None, (0, 0, 0)], pa.month_day_nano_interval()),
        "duration": pa.array([1500, None, -1], pa.duration("ms")),
        "list": pa.array([[1, None], None, []], pa.list_(pa.int32())),
        "struct": pa.array([{"a": 1, "b": [LONG]}, None, {"a": None, "b": []}]),
        "text_view": pa.array([LONG, None, "of twelve by"], pa.string_view()),
        "byte_view": pa.array([b"\x00" * 20, None, b"\xff"], pa.binary_view()),
        "view_list": pa.array([[LONG, None, ""], None, []], pa.list_(pa.string_view())),
        "map": pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int64())),
        "array": pa.array([[1.5, None], None, [3, 4]], pa.list_(pa.float32(), 2)), "nothing": pa.nulls(3),
    }
    for name, values in columns.items():
        statement = prepare("SELECT ? AS v")
        bind(statement[1], pa.table({"v": values}))
        actual = run(statement[1])["v"].to_pylist()
        expected = values.to_pylist()
        if name == "duration":
            actual = [value and (value.months, value.days, value.nanoseconds) for value in actual]
            expected = [(0, 0, 1_500_000_000), None, (0, 0, -1_000_000)]
        assert repr(actual) == repr(expected), f"{name}: {actual!r} instead of {expected!r}"


@check("values of a type that is not taken are refused with its name, and so are too many bytes")
def _():
    handle = prepare("SELECT ? AS v")[1]
    for kind, name in ((pa.list_view(pa.int32()), "ListView"), (pa.float16(), "HalfFloat")):
        refused(lambda: bind(handle, pa.table({"v": pa.array([None], kind)})), f"{name} is not supported", pa.ArrowInvalid)
    million = pa.DictionaryArray.from_arrays(pa.array([0] * 300), pa.array(["x" * 1000000]))
    refused(lambda: bind(handle, pa.table({"v": million})), "bound values of more than 268435456 bytes", pa.ArrowInvalid)
    bind(handle, pa.table({"v": ["x"]}))
    equal(run(handle).to_pylist(), [{"v": "x"}])


@check("a UUID is one: bound, in a list, and told of a table's column")
def _():
    handle = prepare("SELECT ? AS v, [gen_random_uuid()] AS l")[1]
    bind(handle, pa.table({"v": pa.array([U.bytes], pa.uuid())}))
    table = run(handle)
    equal((table["v"].type, table["l"].type.value_type, table["v"].to_pylist()), (pa.uuid(), pa.uuid(), [U]))
    ingest("uuids", CREATE, REPLACE, table)
    equal(ask("SELECT typeof(v), typeof(l) FROM work.main.uuids"), [("UUID", "UUID[]")])


@check("values are bound before or after GetFlightInfo, each time for one execution")
def _():
    handle = prepare("SELECT ?::BIGINT * 10 AS v")[1]
    for value in (1, 2):
        bind(handle, pa.table({"v": [value]}))
        equal(run(handle).to_pylist(), [{"v": value * 10}])
    info = info_of(packed("CommandPreparedStatementQuery", field(1, handle)))
    bind(handle, pa.table({"v": [3]}))
    equal(client.do_get(info.endpoints[0].ticket, options).read_all().to_pylist(), [{"v": 30}])


@check("a change is done once, however often its ticket is read and renewed")
def _():
    update("CREATE OR REPLACE TABLE work.main.once (a INTEGER)")
    info = info_of(query("INSERT INTO work.main.once VALUES (1), (2)"))
    [endpoint] = info.endpoints
    for _ in range(2):
        equal(client.do_get(endpoint.ticket, options).read_all().to_pylist(), [{"Count": 2}])
    [renewed] = act("RenewFlightEndpoint", field(1, endpoint.serialize()))
    later = flight.FlightEndpoint.deserialize(renewed)
    assert later.expiration_time.value >= endpoint.expiration_time.value
    equal(client.do_get(later.ticket, options).read_all().to_pylist(), [{"Count": 2}])
    made = info_of(query("CREATE TABLE work.main.made AS SELECT random() AS r"))
    for _ in range(2):
        client.do_get(made.endpoints[0].ticket, options).read_all()
    equal(ask("SELECT (SELECT count(*) FROM work.main.once), (SELECT count(*) FROM work.main.made)"), [(2, 1)])
    told = client.get_schema(flight.FlightDescriptor.for_command(query("DELETE FROM work.main.once")), options)
    equal((told.schema.names, ask("SELECT count(*) FROM work.main.once")), (["Count"], [(2,)]))


@check("a change with several rows of values is done for all or for none")
def _():
    update("CREATE OR REPLACE TABLE work.main.many (a INTEGER PRIMARY KEY, b VARCHAR)")
    handle = prepare("INSERT INTO work.main.many VALUES (?, ?)")[1]
    change = packed("CommandPreparedStatementUpdate", field(1, handle))
    equal(put(change, pa.table({"a": [1, 2, 3], "b": ["x", None, "z"]})), {1: 3})
    refused(lambda: put(change, pa.table({"a": [4, 1], "b": ["x", "y"]})), "Duplicate key", pa.ArrowInvalid)
    equal(ask("SELECT count(*) FROM work.main.many"), [(3,)])


@check("rows are loaded as the mode says, in batches")
def _():
    batches = pa.Table.from_batches([pa.record_batch({"a": range(i * 10, i * 10 + 10)}) for i in range(10)])
    refused(lambda: ingest("loaded", FAIL_MISSING, APPEND, batches), "is not there", KeyError)
    equal(ingest("loaded", CREATE, FAIL_THERE, batches), 100)
    refused(lambda: ingest("loaded", CREATE, FAIL_THERE, batches), "is there already", Exception)
    equal(ingest("loaded", FAIL_MISSING, APPEND, batches), 100)
    equal(ask("SELECT count(*), sum(a)::BIGINT FROM work.main.loaded"), [(200, 9900)])
    equal(ingest("loaded", CREATE, REPLACE, batches.slice(0, 5)), 5)
    equal(ingest("own", CREATE, FAIL_THERE, batches, temporary=True), 100)
    equal(ask("SELECT count(*) FROM own JOIN solid ON v = a"), [(11,)])


@check("a transaction is kept or undone as a whole, with what is loaded in it")
def _():
    update("CREATE OR REPLACE TABLE work.main.account (a BIGINT)")
    for how, left in ((ROLLBACK, 0), (COMMIT, 3)):
        transaction = begin()
        equal(update("INSERT INTO work.main.account VALUES (1)", transaction), 1)
        equal(ingest("account", FAIL_MISSING, APPEND, pa.table({"a": [2, 3]}), transaction=transaction), 2)
        equal(ask("SELECT count(*) FROM work.main.account", transaction), [(3,)])
        finish(transaction, how)
        equal(ask("SELECT count(*) FROM work.main.account"), [(left,)])
    refused(lambda: finish(transaction, COMMIT), "unknown transaction", KeyError)


@check("a stream that is cancelled ends its statement")
def _():
    reader = client.do_get(info_of(query("SELECT i FROM range(1000000000) t(i)")).endpoints[0].ticket, options)
    reader.read_chunk()
    reader.cancel()
    refused(lambda: [reader.read_chunk() for _ in range(1000)], "", flight.FlightCancelledError)
    equal(ask("SELECT 1"), [(1,)])


@check("a statement is cancelled by its FlightInfo, in the words of old clients too")
def _():
    for name, request, answer in (
        ("CancelFlightInfo", lambda info: field(1, info), fields),
        ("CancelQuery", lambda info: packed("ActionCancelQueryRequest", field(1, info)), unpacked),
    ):
        info = info_of(query("SELECT i FROM range(1000000000) t(i)"))
        body = request(info.serialize())
        equal([answer(result) for result in act(name, body)], [{1: 1}])
        refused(lambda: client.do_get(info.endpoints[0].ticket, options).read_all(), "", KeyError)
        refused(lambda: act(name, body), "", KeyError)


@check("a call that takes longer than its deadline ends, and its statement with it")
def _():
    short = flight.FlightCallOptions(timeout=0.5, headers=[header])
    slow = flight.FlightDescriptor.for_command(query(SLOW))
    error = refused(lambda: client.do_get(client.get_flight_info(slow, short).endpoints[0].ticket, short).read_all(), "",
                    flight.FlightTimedOutError)
    said = ("Deadline Exceeded", "the deadline of the call has passed")  # by the client's clock, or by the server's
    assert any(words in str(error) for words in said), error
    equal(ask("SELECT 1"), [(1,)])


@check("pings of a client do not end its connection")
def _():
    pings = [("grpc.keepalive_time_ms", 100), ("grpc.keepalive_timeout_ms", 5000),
             ("grpc.keepalive_permit_without_calls", 1), ("grpc.http2.max_pings_without_data", 0),
             ("grpc.http2.min_sent_ping_interval_without_data_ms", 100)]
    own = connect(generic_options=pings)
    token = own.authenticate_basic_token(USER, PASSWORD)
    patient = flight.FlightCallOptions(headers=[token])
    command = query("SELECT count(*) AS n FROM range(600000000) t(i) WHERE i % 7 = 3")
    info = own.get_flight_info(flight.FlightDescriptor.for_command(command), patient)
    equal(own.do_get(info.endpoints[0].ticket, patient).read_all().to_pylist(), [{"n": 85714286}])


@check("a row or a message that is too large is refused with its size")
def _():
    equal(ask("SELECT length(t) FROM (SELECT repeat('abc', 1000000) AS t)"), [(3000000,)])
    refused(lambda: ask("SELECT repeat('x', 5000000) AS text"), "a row of 5000004 bytes", pa.ArrowInvalid)
    large = pa.table({"t": ["x" * (70 * 1024 * 1024)]})
    refused(lambda: ingest("large", CREATE, FAIL_THERE, large), "larger than max", Exception)
    equal(ask("SELECT 1"), [(1,)])


@check("what is no command is refused as such")
def _():
    refused(lambda: info_of(b"nonsense"), "", pa.ArrowInvalid)
    refused(lambda: info_of(packed("CommandStatementSubstraitPlan")), "", NotImplementedError)
    refused(lambda: act("Nonsense"), "Nonsense", NotImplementedError)
    refused(lambda: ask("SELECT nope"), "Binder Error", pa.ArrowInvalid)
    refused(lambda: ask("FROM nowhere"), "Catalog Error", KeyError)
    refused(lambda: client.do_get(flight.Ticket(packed("TicketStatementQuery", field(1, b"WyJx.1.AAAA"))), options)
            .read_all(), "never was", KeyError)


@check("options of a session hold until it is closed, packed and bare")
def _():
    option = field(1, field(1, "timezone") + field(2, field(1, "Asia/Tokyo")))
    own = flight.FlightCallOptions(headers=[client.authenticate_basic_token(USER, PASSWORD)])

    def zone():
        info = client.get_flight_info(flight.FlightDescriptor.for_command(query("SELECT current_setting('timezone') z")), own)
        return client.do_get(info.endpoints[0].ticket, own).read_all()["z"].to_pylist()
    equal(zone(), ["UTC"])
    for body in (option, field(1, "type.googleapis.com/arrow.flight.protocol.SetSessionOptionsRequest") + field(2, option)):
        equal([result.body.to_pybytes() for result in client.do_action(("SetSessionOptions", body), own)], [b""])
        equal(zone(), ["Asia/Tokyo"])
        [closed] = client.do_action(("CloseSession", b""), own)
        equal((fields(closed.body.to_pybytes()), zone()), ({1: 1}, ["UTC"]))


end()
