"""pyarrow.flight against a running server: log in, list actions, catalogs and tables, run a statement, read its rows.

usage: flight_pyarrow.py HOST:PORT SQL ROWS    ROWS: the expected rows as a JSON array of arrays, values as str() gives them
Prints one line `ok ...` for each thing that works, and ends with status 1 at the first that does not.
"""
import json
import sys

import pyarrow.flight as flight

SQL = "type.googleapis.com/arrow.flight.protocol.sql."


def field(number, data):
    """A length-delimited protobuf field."""
    length, prefix = len(data), bytes([number << 3 | 2])
    while length >= 128:
        prefix += bytes([length & 127 | 128])
        length >>= 7
    return prefix + bytes([length]) + data


def command(name, body=b""):
    return flight.FlightDescriptor.for_command(field(1, (SQL + name).encode()) + field(2, body))


def expect(what, actual, expected):
    if actual != expected:
        sys.exit(f"not ok {what}: {actual!r} instead of {expected!r}")
    print(f"ok {what}")


class Login(flight.ClientAuthHandler):
    """Flight's older way: name and password in the handshake's message."""

    def authenticate(self, outgoing, incoming):
        outgoing.write(flight.BasicAuth("interop", "any").serialize())
        self.token = incoming.read()

    def get_token(self):
        return self.token


def main(address, sql, rows):
    client = flight.connect(f"grpc://{address}")
    header = client.authenticate_basic_token("interop", "any")
    expect("handshake gives a token", (header[0], header[1].startswith(b"Bearer ")), (b"authorization", True))
    options = flight.FlightCallOptions(headers=[header])
    expect("actions are listed", "CreatePreparedStatement" in [action.type for action in client.list_actions(options)], True)

    def read(descriptor):
        info = client.get_flight_info(descriptor, options)
        expect("one endpoint without a location", [len(endpoint.locations) for endpoint in info.endpoints], [0])
        table = client.do_get(info.endpoints[0].ticket, options).read_all()
        table.validate(full=True)
        expect("the schema is the same before and after", table.schema.equals(info.schema), True)
        return info, table

    for name in ("CommandGetCatalogs", "CommandGetDbSchemas", "CommandGetTables", "CommandGetTableTypes", "CommandGetSqlInfo",
                 "CommandGetXdbcTypeInfo"):
        _, table = read(command(name))
        expect(f"{name} has rows", table.num_rows > 0, True)
    info, table = read(command("CommandStatementQuery", field(1, sql.encode())))
    actual = [[str(value) for value in row.values()] for row in table.to_pylist()]
    expect("the rows are right", actual, [[str(value) for value in row] for row in json.loads(rows)])
    again = client.do_get(info.endpoints[0].ticket, options).read_all()
    expect("a ticket is read again", again.equals(table), True)
    older = flight.connect(f"grpc://{address}")
    older.authenticate(Login())
    mine = older.get_flight_info(command("CommandStatementQuery", field(1, b"SELECT current_user")))
    expect("a login by message has its user's tickets", older.do_get(mine.endpoints[0].ticket).read_all().num_rows, 1)
    try:
        client.get_flight_info(command("CommandStatementQuery", field(1, b"SELECT nope")), options)
        sys.exit("not ok a wrong statement was taken")
    except Exception as error:  # INVALID_ARGUMENT is pyarrow.lib.ArrowInvalid
        expect("an error tells what DuckDB says", "Binder Error" in str(error), True)


if __name__ == "__main__":
    main(*sys.argv[1:4])
