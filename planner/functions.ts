/**
 * Which of DuckDB's functions a statement may call, and which give another answer each time. The lists are of DuckDB
 * 1.5.6, whose version is pinned; a test compares them with what the pinned version has.
 */

const deniedScalarFunctions: ReadonlySet<string> = new Set([
  'getenv', // the process's environment
  'json_serialize_plan', // binds any text, which reads the files it names
  'json_deserialize_sql', 'json_execute_serialized_sql',
  'write_log', 'set_config', 'nextval', 'currval',
  'read_text', 'read_blob', 'which_secret',
])

/** Engine-internal functions trust their arguments: a made-up one can read memory. */
const INTERNAL_PREFIX = '__internal'

export function isDeniedScalarFunction(name: string): boolean {
  return deniedScalarFunctions.has(name) || name.startsWith(INTERNAL_PREFIX)
}

/** The settings that `current_setting` may tell; others hold paths and limits of the machine. */
export const readableSettings: ReadonlySet<string> = new Set([
  'timezone', 'calendar', 'default_null_order', 'default_order', 'default_collation', 'integer_division',
  'ieee_floating_point_ops', 'scalar_subquery_error_on_multiple_rows', 'order_by_non_integer_literal', 'schema',
  'search_path',
])

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
