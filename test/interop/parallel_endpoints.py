"""Large results read part by part from executors, by pyarrow and by the ADBC driver, over TLS, as a user.

usage: parallel_endpoints.py HOST:PORT CA USER PASSWORD SQL ROWS SUM EXECUTORS    SUM: of the column id
Prints one line `ok ...` for each behaviour; ends with status 1 if one of them is not as it should be.
"""
import sys

import pyarrow
import pyarrow.compute
import pyarrow.flight as flight

import secure_door
from behaviours import check, end
from messages import field, packed
from secure_door import ADDRESS, OPTIONS, PASSWORD, TRUSTED, USER

SQL = sys.argv[5]
ROWS, SUM, EXECUTORS = (int(word) for word in sys.argv[6:9])
HEADER = "skein-parallel-endpoints"


def exact(table):
    ids = table.column("id")
    actual = (table.num_rows, pyarrow.compute.sum(ids).as_py(), pyarrow.compute.count_distinct(ids).as_py())
    assert actual == (ROWS, SUM, ROWS), actual


def info_of(client, options):
    command = packed("CommandStatementQuery", field(1, SQL))
    return client.get_flight_info(flight.FlightDescriptor.for_command(command), options)


def peers():
    """Ports to which connections are open, of whatever process."""
    with open("/proc/self/net/tcp") as file:
        rows = [line.split() for line in file][1:]
    return {int(row[2].split(":")[1], 16) for row in rows if row[3] == "01"}


ports = set()


def connect(location=f"grpc+tls://{ADDRESS}"):
    return flight.connect(location, tls_root_certs=TRUSTED)


coordinator = connect()
token = coordinator.authenticate_basic_token(USER, PASSWORD)
own = flight.FlightCallOptions(headers=[token, (HEADER.encode(), b"true")])


@check("pyarrow reads each part at its executor")
def _():
    info = info_of(coordinator, own)
    places = [[location.uri.decode() for location in endpoint.locations] for endpoint in info.endpoints]
    assert all(second == "arrow-flight-reuse-connection://?" for _, second in places), places
    executors = {first: connect(first) for first, _ in places}
    assert len(executors) == EXECUTORS, places
    assert all(first.startswith("grpc+tls://") and ADDRESS not in first for first in executors), places
    parts = [executors[first].do_get(endpoint.ticket, flight.FlightCallOptions(headers=[token])).read_all()
             for (first, _), endpoint in zip(places, info.endpoints)]
    assert all(part.schema.equals(info.schema) for part in parts)
    for first, executor in executors.items():
        ports.add(int(first.rsplit(":", 1)[1]))
        executor.close()
    assert not ports & peers(), peers()
    exact(pyarrow.concat_tables(parts))


@check("an executor lets nobody read without a login, or with another's ticket")
def _():
    info = info_of(coordinator, own)
    endpoint = info.endpoints[0]
    executor = connect(endpoint.locations[0].uri.decode())
    try:
        executor.do_get(endpoint.ticket).read_all()
    except flight.FlightUnauthenticatedError as error:
        assert "log in" in str(error), error
    else:
        raise AssertionError("it was read")
    exact(pyarrow.concat_tables(coordinator.do_get(each.ticket, own).read_all() for each in info.endpoints))


@check("a client that does not ask has one endpoint without a location")
def _():
    endpoints = info_of(coordinator, flight.FlightCallOptions(headers=[token])).endpoints
    assert [len(endpoint.locations) for endpoint in endpoints] == [0], endpoints


@check("ADBC reads all parts at once, asked by a header")
def _():
    asking = {OPTIONS.RPC_CALL_HEADER_PREFIX.value + HEADER: "true"}
    with secure_door.connect(db_kwargs=asking) as connection:
        with connection.cursor() as cursor:
            cursor.execute(SQL)
            exact(cursor.fetch_arrow_table())
            assert ports <= peers(), (ports, peers())


@check("ADBC gives partitions, which another connection reads, asked by the session option")
def _():
    with secure_door.connect() as connection, secure_door.connect() as other:
        connection.adbc_connection.set_options(**{"adbc.flight.sql.session.option.parallel_endpoints": "true"})
        with connection.cursor() as cursor, other.cursor() as reader:
            partitions, schema = cursor.adbc_execute_partitions(SQL)
            assert len(partitions) >= EXECUTORS, len(partitions)
            tables = []
            for partition in partitions:
                reader.adbc_read_partition(partition)
                tables.append(reader.fetch_arrow_table())
            exact(pyarrow.concat_tables(tables))
            assert tables[0].schema.equals(schema), schema


end()
