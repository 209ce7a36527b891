/** DuckDB's package for tests and benches, as the product loads it (proto/required.ts): a test file starts in less. */

import type * as DuckDB from '@duckdb/node-api'
import { required } from '../proto/required.ts'

export type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api'
export type DuckDBInstance = DuckDB.DuckDBInstance

export const { DuckDBArrayValue, DuckDBInstance, DuckDBListValue, DuckDBMapValue, DuckDBStructValue } =
  required<typeof DuckDB>('@duckdb/node-api')
