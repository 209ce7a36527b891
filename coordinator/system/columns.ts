/**
 * The tables of the catalog `skein`: what the cluster knows of itself. Each has one schema, `main`, and the columns
 * that stand here; BIGINT columns without a unit are counts.
 */

import type { Row, RowCell, RowColumn, RowType } from '../../catalog/row-file.ts'

export const SYSTEM_CATALOG = 'skein'
export const SYSTEM_SCHEMA = 'main'

export type SystemTableName = 'queries' | 'tasks' | 'executors' | 'cache' | 'settings' | 'events'

export interface SystemTable {
  readonly columns: readonly RowColumn[]
  /** False: every coordinator would say the same. True: each has its own rows. */
  readonly ofEach: boolean
  /** True: operators alone may read it. False: users see what is theirs. */
  readonly isAdmins: boolean
}

export const systemTables: Readonly<Record<SystemTableName, SystemTable>> = {
  queries: {
    ofEach: true, isAdmins: false,
    columns: columns({
      coordinator: 'VARCHAR', id: 'VARCHAR', state: 'VARCHAR', principal: 'VARCHAR', client_interface: 'VARCHAR',
      session_id: 'VARCHAR', sql: 'VARCHAR', started_at: 'TIMESTAMP WITH TIME ZONE',
      ended_at: 'TIMESTAMP WITH TIME ZONE', elapsed_ms: 'DOUBLE', plan_ms: 'DOUBLE', stages: 'BIGINT',
      tasks: 'BIGINT', executors: 'BIGINT', whole_reason: 'VARCHAR', result_cache: 'VARCHAR',
      bytes_fetched: 'BIGINT', bytes_cached: 'BIGINT', exchange_bytes: 'BIGINT', progress: 'DOUBLE',
      error_code: 'VARCHAR', error: 'VARCHAR',
    }),
  },
  tasks: {
    ofEach: true, isAdmins: false,
    columns: columns({
      coordinator: 'VARCHAR', query: 'VARCHAR', stage: 'BIGINT', partition: 'BIGINT', attempt: 'BIGINT',
      executor: 'VARCHAR', state: 'VARCHAR', rows: 'BIGINT', output_bytes: 'BIGINT', bytes_fetched: 'BIGINT',
      bytes_cached: 'BIGINT', exchange_bytes: 'BIGINT', run_ms: 'DOUBLE', progress: 'DOUBLE', peak_bytes: 'BIGINT',
      spilled: 'BOOLEAN',
    }),
  },
  executors: {
    ofEach: false, isAdmins: true,
    columns: columns({
      id: 'VARCHAR', address: 'VARCHAR', pid: 'BIGINT', state: 'VARCHAR', slots: 'BIGINT', running_tasks: 'BIGINT',
      memory_bytes: 'BIGINT', version: 'VARCHAR', duckdb_version: 'VARCHAR', labels: 'VARCHAR',
    }),
  },
  cache: {
    ofEach: false, isAdmins: true,
    columns: columns({
      executor: 'VARCHAR', budget_bytes: 'BIGINT', used_bytes: 'BIGINT', files: 'BIGINT', chunks: 'BIGINT',
      bytes_fetched: 'BIGINT', bytes_cached: 'BIGINT', damaged: 'BIGINT', results: 'BIGINT', result_bytes: 'BIGINT',
      result_budget_bytes: 'BIGINT', result_hits: 'BIGINT', bytes_from_peers: 'BIGINT',
    }),
  },
  settings: {
    ofEach: true, isAdmins: true,
    columns: columns({ coordinator: 'VARCHAR', name: 'VARCHAR', value: 'VARCHAR' }),
  },
  events: {
    ofEach: true, isAdmins: false,
    columns: columns({
      coordinator: 'VARCHAR', happened_at: 'TIMESTAMP WITH TIME ZONE', kind: 'VARCHAR', id: 'VARCHAR', state: 'VARCHAR',
      principal: 'VARCHAR', address: 'VARCHAR', error_code: 'VARCHAR', elapsed_ms: 'DOUBLE',
    }),
  },
}

export function isSystemTable(name: string): name is SystemTableName {
  return Object.hasOwn(systemTables, name)
}

/** Values by the names of their columns; what is not given is NULL. */
export function rowOf(table: SystemTableName, values: Readonly<Record<string, RowCell>>): Row {
  return systemTables[table].columns.map(({ name }) => values[name] ?? null)
}

/** The row that stands for those of a coordinator that cannot be had. */
export function silentRow(table: SystemTableName, coordinator: string, reason: string): Row {
  const told = { queries: 'error', tasks: 'query', settings: 'value', events: 'id', executors: 'id', cache: 'executor' }
  return rowOf(table, { coordinator, state: UNREACHABLE, name: UNREACHABLE, [told[table]]: reason })
}

/** In the place of a state. */
export const UNREACHABLE = 'unreachable'

function columns(types: Readonly<Record<string, RowType>>): readonly RowColumn[] {
  return Object.entries(types).map(([name, type]) => ({ name, type }))
}
