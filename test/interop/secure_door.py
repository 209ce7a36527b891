"""The door that a script is called with: HOST:PORT CA USER PASSWORD of a cluster with TLS and users."""
import sys

import adbc_driver_flightsql
import adbc_driver_flightsql.dbapi as dbapi

ADDRESS, CA, USER, PASSWORD = sys.argv[1:5]
OPTIONS = adbc_driver_flightsql.DatabaseOptions
with open(CA) as file:
    TRUSTED = file.read()


def connect(user=USER, password=PASSWORD, autocommit=True, db_kwargs={}, **options):
    """Through ADBC; without a login if there is no user."""
    login = {"username": user, "password": password} if user else {}
    return dbapi.connect(f"grpc+tls://{ADDRESS}", db_kwargs={OPTIONS.TLS_ROOT_CERTS.value: TRUSTED, **login, **db_kwargs},
                         autocommit=autocommit, **options)
