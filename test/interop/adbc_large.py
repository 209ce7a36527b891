"""A large result through the ADBC Flight SQL driver.

usage: adbc_large.py HOST:PORT ROWS [hold]
Counts the rows and prints `rows N sum S`. With `hold` it prints `begun` at the first batch, and takes no other.
"""
import sys
import time

import adbc_driver_flightsql.dbapi as dbapi
import pyarrow.compute as pc

ADDRESS, ROWS = sys.argv[1:3]
with dbapi.connect(f"grpc://{ADDRESS}", autocommit=True) as connection, connection.cursor() as cursor:
    cursor.execute(f"SELECT i, 'row ' || i AS text FROM range({ROWS}) AS r(i)")
    rows, total = 0, 0
    for batch in cursor.fetch_record_batch():
        if len(sys.argv) > 3:
            print("begun", flush=True)
            time.sleep(600)
        rows += batch.num_rows
        total += pc.sum(batch["i"]).as_py()
    print(f"rows {rows} sum {total}")
