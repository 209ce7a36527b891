"""The ADBC Flight SQL driver (Go) against a running server, through Python's DB API.

usage: flight_adbc.py HOST:PORT SQL ROWS    ROWS: the expected rows as a JSON array of arrays, values as str() gives them
Prints one line `ok ...` for each thing that works, and ends with status 1 at the first that does not.
"""
import json
import sys

import adbc_driver_flightsql.dbapi as dbapi


def expect(what, actual, expected):
    if actual != expected:
        sys.exit(f"not ok {what}: {actual!r} instead of {expected!r}")
    print(f"ok {what}")


def main(address, sql, rows):
    expected = [[str(value) for value in row] for row in json.loads(rows)]
    for login in ({"username": "interop", "password": "any"}, {}):
        with dbapi.connect(f"grpc://{address}", db_kwargs=login, autocommit=True) as connection:
            who = "logged in" if login else "without a login"
            with connection.cursor() as cursor:
                cursor.execute(sql)
                expect(f"the rows are right, {who}", [[str(value) for value in row] for row in cursor.fetchall()], expected)
                cursor.execute(sql)
                cursor.fetch_arrow_table().validate(full=True)
                print("ok the Arrow data is valid")
                try:
                    cursor.execute("SELECT nope")
                    sys.exit("not ok a wrong statement was taken")
                except dbapi.ProgrammingError as error:
                    expect("an error tells what DuckDB says", "Binder Error" in str(error), True)
            expect("the server names itself", connection.adbc_get_info()["vendor_name"], "Skein")
            expect("table types", "TABLE" in connection.adbc_get_table_types(), True)
            objects = connection.adbc_get_objects(depth="columns").read_all().to_pylist()
            columns = [column for catalog in objects for schema in catalog["catalog_db_schemas"] or []
                       for table in schema["db_schema_tables"] or [] for column in table["table_columns"] or []]
            expect("columns are listed", len(columns) > 0, True)


if __name__ == "__main__":
    main(*sys.argv[1:4])
