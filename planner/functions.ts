/**
 * Which of DuckDB's functions give another answer each time. The lists are of DuckDB 1.5.6, whose version is pinned; a
 * test compares them with what the pinned version has.
 */

/** Another answer over the same files: by clock, chance, session or transaction. DuckDB's stability misses some. */
export const volatileFunctions: ReadonlySet<string> = new Set([
  'now', 'today', 'current_date', 'get_current_time', 'get_current_timestamp', 'transaction_timestamp',
  'current_localtime', 'current_localtimestamp',
  'random', 'setseed', 'uuid', 'gen_random_uuid', 'uuidv4', 'uuidv7', 'sleep_ms', 'stats',
  'current_connection_id', 'current_query_id', 'current_transaction_id', 'txid_current', 'current_query',
  'current_database', 'current_schema', 'current_schemas', 'current_setting', 'in_search_path', 'getvariable',
  'nextval', 'currval', 'write_log',
])

/** What they answer depends on the very statement and connection that runs: only the original text will do. */
export const statementFunctions: ReadonlySet<string> = new Set([
  'current_query', 'current_connection_id', 'current_query_id', 'current_transaction_id', 'txid_current', 'stats',
])
