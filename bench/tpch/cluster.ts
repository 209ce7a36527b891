/** The TPC-H tables as a catalog of a cluster, and as views of one plain DuckDB. */

import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mkdtemp, rm } from 'node:fs/promises'
import { Skein } from '../../test/cluster/skein.ts'
import { Oracle } from '../../test/sql/oracle.ts'
import { generatedGlobs, type TpchData } from './data.ts'
import { tableNames } from './tables.ts'

const CATALOG = 'tpch'

/** The catalog of a folder of tables, as parts of a configuration. */
export function tpchConfig(
  folder: string, globs: TpchData['globs'] = generatedGlobs,
  bucket: Readonly<Record<string, unknown>> = { provider: 'local', path: folder },
): Record<string, unknown> {
  return {
    buckets: { data: bucket },
    catalogs: { [CATALOG]: { type: 'bucket_tables', bucket: 'data', file_format: 'parquet', tables: globs } },
    default_catalog: CATALOG,
  }
}

export function tpchOracle(folder: string, globs: TpchData['globs'] = generatedGlobs): Promise<Oracle> {
  return Oracle.open(folder, tableNames.map(name => ({
    catalog: CATALOG, name, glob: globs[name], reader: 'read_parquet',
  })), CATALOG)
}

export interface ClusterOptions {
  readonly data: TpchData
  readonly executors: number
  /** Of each executor; absent: the machine's, shared out. */
  readonly threadsEach?: number
  readonly environment?: Readonly<Record<string, string>>
  /** What DuckDB may take in each executor. */
  readonly memoryEachGb?: number
  /** Where the files are besides their folder, as in the configuration; absent: the folder itself. */
  readonly bucket?: Readonly<Record<string, unknown>>
}

/** Enough for scale 1 without spilling, and not all of the machine. */
const MEMORY_EACH_GB = 2

/** Runs `use` beside a cluster in a folder of its own, and stops it. */
export async function withCluster<T>(
  { data, executors, threadsEach, environment = {}, memoryEachGb = MEMORY_EACH_GB, bucket }: ClusterOptions,
  use: (skein: Skein) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'skein-bench-'))
  const node = {
    // every answer is made
    result_cache: 0, memory: `${memoryEachGb * executors}GB`,
    ...threadsEach === undefined ? {} : { threads: threadsEach * executors },
  }
  const config = { ...tpchConfig(data.folder, data.globs, bucket), node }
  try {
    const skein = await Skein.start({ folder, executors, config, environment })
    try {
      return await use(skein)
    } finally {
      await skein.stop()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/**
 * Reads the answer as bytes only: this process shares the cores with the measured ones. In columns, as the plain side
 * gets them; a failure is a status, or breaks the connection.
 */
export async function ask(skein: Skein, sql: string): Promise<void> {
  const response = await skein.request('POST', '/query', { statement: sql, format: 'arrow' })
  let first = ''
  for await (const piece of response.setEncoding('latin1')) first ||= String(piece)
  if (response.statusCode !== 200 || !response.complete) throw new Error(`status ${response.statusCode}: ${first}`)
}
