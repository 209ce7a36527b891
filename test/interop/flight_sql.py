"""Flight SQL's calls by pyarrow.flight, over TLS, as the user of the door."""
import pyarrow as pa
import pyarrow.flight as flight

from behaviours import equal
from messages import field, fields, packed, unpacked
from secure_door import ADDRESS, PASSWORD, TRUSTED, USER

CREATE, FAIL_MISSING, FAIL_THERE, APPEND, REPLACE = 1, 2, 1, 2, 3
COMMIT, ROLLBACK = 1, 2


def connect(**options):
    return flight.connect(f"grpc+tls://{ADDRESS}", tls_root_certs=TRUSTED, **options)


client = connect()
header = client.authenticate_basic_token(USER, PASSWORD)
options = flight.FlightCallOptions(headers=[header])


def query(sql, transaction=None):
    named = b"" if transaction is None else field(2, transaction)
    return packed("CommandStatementQuery", field(1, sql) + named)


def info_of(command):
    return client.get_flight_info(flight.FlightDescriptor.for_command(command), options)


def read(command, transaction=None):
    """A statement, or a command's bytes."""
    info = info_of(command if isinstance(command, bytes) else query(command, transaction))
    equal([len(endpoint.locations) for endpoint in info.endpoints], [0])
    table = client.do_get(info.endpoints[0].ticket, options).read_all()
    table.validate(full=True)
    assert table.schema.equals(info.schema, check_metadata=True), f"{table.schema} instead of {info.schema}"
    return table


def ask(sql, transaction=None):
    return [tuple(row.values()) for row in read(sql, transaction).to_pylist()]


def act(name, body=b""):
    return [result.body.to_pybytes() for result in client.do_action((name, body), options)]


def put(command, table):
    """The answer to an upload, as a message."""
    writer, answers = client.do_put(flight.FlightDescriptor.for_command(command), table.schema, options)
    with writer:
        for batch in table.to_batches():
            writer.write_batch(batch)
        writer.done_writing()
        answer = answers.read()
        return fields(answer.to_pybytes())


def update(sql, transaction=None):
    named = b"" if transaction is None else field(2, transaction)
    return put(packed("CommandStatementUpdate", field(1, sql) + named), pa.table({})).get(1, 0)


def prepare(sql):
    [body] = act("CreatePreparedStatement", packed("ActionCreatePreparedStatementRequest", field(1, sql)))
    return unpacked(body)


def bind(handle, table):
    return put(packed("CommandPreparedStatementQuery", field(1, handle)), table)


def run(handle):
    return read(packed("CommandPreparedStatementQuery", field(1, handle)))


def ingest(table, missing, there, rows, temporary=False, transaction=None):
    place = field(5, True) if temporary else field(3, "main") + field(4, "work")
    named = b"" if transaction is None else field(6, transaction)
    options = field(1, field(1, missing) + field(2, there))
    return put(packed("CommandStatementIngest", options + field(2, table) + place + named), rows)[1]


def begin():
    [body] = act("BeginTransaction", packed("ActionBeginTransactionRequest"))
    return unpacked(body)[1]


def finish(transaction, how):
    equal(act("EndTransaction", packed("ActionEndTransactionRequest", field(1, transaction) + field(2, how))), [])
