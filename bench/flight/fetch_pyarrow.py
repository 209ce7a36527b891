"""Fetches results by pyarrow.flight, as often as it is told.

usage: fetch_pyarrow.py HOST:PORT    each line of standard input is a statement; each answer is a line of JSON:
{"rows", "bytes", "check"}: bytes of Arrow, and the sum of the first column. Batches are dropped as they come.
"""
import json
import pathlib
import sys

import pyarrow.compute as compute
import pyarrow.flight as flight

sys.path.append(str(pathlib.Path(__file__).parents[2] / "test" / "interop"))
from messages import field, packed  # noqa: E402


def fetch(client, options, sql):
    command = packed("CommandStatementQuery", field(1, sql))
    info = client.get_flight_info(flight.FlightDescriptor.for_command(command), options)
    rows = size = check = 0
    for endpoint in info.endpoints:
        for chunk in client.do_get(endpoint.ticket, options):
            rows += chunk.data.num_rows
            size += chunk.data.nbytes
            check += compute.sum(chunk.data.column(0)).as_py() or 0
    return {"rows": rows, "bytes": size, "check": str(check)}


def main(address):
    client = flight.connect(f"grpc://{address}")
    options = flight.FlightCallOptions(headers=[client.authenticate_basic_token("bench", "any")])
    for line in sys.stdin:
        print(json.dumps(fetch(client, options, line.strip())), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
