/** Tables for the planner made of small Parquet files, which stand for skeletons: planning reads their footers only. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PlannerTable, PlanRequest, PruneScans } from '../../planner/planned-query.ts'
import { DuckDBInstance } from '../duckdb.ts'

export interface Tables {
  readonly folder: string
  readonly tables: readonly PlannerTable[]
  remove(): Promise<void>
}

/** `selects`: what fills each table, by its name in lake.main. */
export async function makeTables(selects: Readonly<Record<string, string>>): Promise<Tables> {
  const folder = await mkdtemp(join(tmpdir(), 'skein-planner-'))
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  const connection = await instance.connect()
  const tables: PlannerTable[] = []
  for (const [table, select] of Object.entries(selects)) {
    const skeletonPath = join(folder, `${table}.parquet`)
    await connection.run(`COPY (${select}) TO '${skeletonPath}' (FORMAT parquet)`)
    const described = (await connection.runAndReadAll(`DESCRIBE FROM '${skeletonPath}'`)).getRowsJS()
    const [counted] = (await connection.runAndReadAll(`SELECT count(*) FROM '${skeletonPath}'`)).getRowsJS()
    const rowCount = Number(counted?.[0])
    tables.push({
      name: { catalog: 'lake', schema: 'main', table }, version: 'v1', skeletonPath,
      rowCount, sizeBytes: rowCount * 100,
      columns: described.map(([name, type]) => ({ name: String(name), type: String(type) })),
    })
  }
  connection.closeSync()
  instance.closeSync()
  return { folder, tables, remove: () => rm(folder, { recursive: true }) }
}

/** Thresholds are 0: all that can be cut is cut. */
export function requestOf(
  sql: string, tables: readonly PlannerTable[], changes: Partial<PlanRequest> = {},
): PlanRequest {
  return {
    sql, tables, defaultCatalog: 'lake', defaultSchema: 'main', settings: { TimeZone: 'UTC' },
    thresholds: { wholeBytes: 0, broadcastRows: 0, replicateRows: 0, sortRows: 0 }, ...changes,
  }
}

/** Filters leave everything. */
export const pruneNothing = (tables: readonly PlannerTable[]): PruneScans => async scans =>
  scans.map(({ table }) => ({ rows: tables[table]?.rowCount ?? 0, bytes: tables[table]?.sizeBytes ?? 0 }))
