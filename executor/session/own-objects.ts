/** The query for the names of everything that a session has made on its instance. */

const OWN = `database_name IN ('temp', 'memory')`
export const OBJECTS = [
  `SELECT lower(table_name) FROM duckdb_tables() WHERE ${OWN}`,
  `SELECT lower(view_name) FROM duckdb_views() WHERE ${OWN} AND NOT internal`,
  `SELECT lower(function_name) FROM duckdb_functions() WHERE ${OWN} AND NOT internal`,
  `SELECT lower(type_name) FROM duckdb_types() WHERE ${OWN} AND NOT internal`,
  `SELECT lower(sequence_name) FROM duckdb_sequences() WHERE ${OWN}`,
  `SELECT lower(schema_name) FROM duckdb_schemas() WHERE ${OWN} AND NOT internal`,
  `SELECT 'getvariable' FROM duckdb_variables()`, // what a text reads one by
].join(' UNION ')
