/** Where the eight tables lie: generated at a scale, or given by whoever runs the bench, in either usual layout. */

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { quoteText } from '../../proto/sql-text.ts'
import { DuckDBInstance } from '../../test/duckdb.ts'
import { generate, globOf } from './generate.ts'
import { sizesAt, tableNames, type TableName } from './tables.ts'

export interface TpchData {
  readonly folder: string
  /** Scale factor; Q11 depends on it. */
  readonly scale: number
  /** Of each table's files, relative to the folder. */
  readonly globs: Readonly<Record<TableName, string>>
}

export const generatedGlobs = globsBy(globOf)

/** Made unless it is there. */
export async function generatedData(scale: number, folder: string): Promise<TpchData> {
  const own = join(folder, `tpch-${scale}`)
  await generate({ scale, folder: own })
  return { folder: own, scale, globs: generatedGlobs }
}

/** `<table>/*.parquet` or `<table>.parquet`; throws for a table that has neither. The suppliers tell the scale. */
export async function givenData(folder: string): Promise<TpchData> {
  const globs = globsBy(table => globIn(folder, table))
  const instance = await DuckDBInstance.create(':memory:')
  try {
    const connection = await instance.connect()
    const path = quoteText(join(folder, globs.supplier))
    const [[suppliers] = []] = (await connection.runAndReadAll(`SELECT count(*) FROM read_parquet(${path})`)).getRows()
    return { folder, globs, scale: Number(suppliers) / sizesAt(1).suppliers }
  } finally {
    instance.closeSync()
  }
}

function globIn(folder: string, table: TableName): string {
  const inside = join(folder, table)
  if (existsSync(inside) && readdirSync(inside).some(name => name.endsWith('.parquet'))) return globOf(table)
  if (existsSync(`${inside}.parquet`)) return `${table}.parquet`
  throw new Error(`no table ${table} in ${folder}: neither ${globOf(table)} nor ${table}.parquet`)
}

function globsBy(glob: (table: TableName) => string): Readonly<Record<TableName, string>> {
  return Object.fromEntries(tableNames.map(name => [name, glob(name)])) as Record<TableName, string>
}
