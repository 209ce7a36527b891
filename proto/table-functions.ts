/** Functions in FROM that statements may call; DuckDB has others, which read files or tell of the machine. */

/** Those that only compute. */
export const allowedTableFunctions: ReadonlySet<string> = new Set([
  'range', 'generate_series', 'unnest', 'repeat', 'repeat_row', 'json_each', 'json_tree',
])

/**
 * Those that tell of the catalog. What tells of the machine (settings, memory, files, secrets, extensions, logs) is not
 * among them.
 */
export const metadataFunctions: ReadonlySet<string> = new Set([
  'duckdb_databases', 'duckdb_schemas', 'duckdb_tables', 'duckdb_views', 'duckdb_columns', 'duckdb_constraints',
  'duckdb_indexes', 'duckdb_sequences', 'duckdb_types', 'duckdb_functions', 'duckdb_keywords', 'pragma_table_info',
  'pragma_show', 'pragma_version', 'show_tables', 'show_databases',
])
