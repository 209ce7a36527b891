/**
 * Which of DuckDB's scalar functions no statement may call. The lists are of DuckDB 1.5.6, whose version is pinned; a
 * test compares them with what the pinned version has.
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
