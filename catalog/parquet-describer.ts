/** What DuckDB makes of the schemas of a table's Parquet files: asked once for the same schemas, by stubs of them. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Footer, FooterSchema } from '../cache/footer.ts'
import type { FileKey } from '../cache/key.ts'
import { QueryError } from '../proto/errors.ts'
import { type DescribedShapes, MAX_FILE_SHAPES, fileShapes, tooManyShapes } from './column-shapes.ts'
import type { TableDefinition } from './definitions.ts'
import type { HiveLayout } from './hive.ts'
import { distinctSchemas } from './parquet-files.ts'
import { schemaSkeleton } from './skeleton.ts'
import type { DescribeFiles } from './table-loader.ts'
import type { FileShape } from './table.ts'

/** Then all are forgotten: it only costs a question to DuckDB. */
const MAX_KNOWN = 1000

export class ParquetDescriber {
  readonly #describe: DescribeFiles
  readonly #known = new Map<string, DescribedShapes>()

  constructor(describe: DescribeFiles) {
    this.#describe = describe
  }

  /** The examples are the distinct schemas of `footers`, which are those of `files`. */
  async describe(
    { label, options }: TableDefinition, files: readonly FileKey[], footers: readonly Footer[], hive: HiveLayout,
  ): Promise<{ readonly described: DescribedShapes; readonly shapes: readonly FileShape[] }> {
    const schemas = distinctSchemas(footers)
    if (schemas.length > MAX_FILE_SHAPES) throw tooManyShapes(label)
    const unionByName = options.unionByName !== false
    const described = await this.#ask(schemas, unionByName)
    const nameOf = (example: number): string =>
      files[footers.findIndex(({ schema }) => schema.fingerprint === schemas[example]?.fingerprint)]?.key ?? ''
    const hiveKeys = new Set(hive.keys.map(key => key.toLowerCase()))
    const shapes = fileShapes(described, { unionByName, first: files[0]?.key ?? '', name: nameOf, hiveKeys })
    return { described, shapes }
  }

  async #ask(schemas: readonly FooterSchema[], unionByName: boolean): Promise<DescribedShapes> {
    const id = JSON.stringify([unionByName, ...schemas.map(({ fingerprint }) => fingerprint)])
    const known = this.#known.get(id)
    if (known !== undefined) return known
    const folder = await mkdtemp(join(tmpdir(), 'skein-schemas-'))
    try {
      const paths = schemas.map((_, i) => join(folder, `${i}.parquet`))
      for (const [i, schema] of schemas.entries()) {
        await writeFile(paths[i] ?? '', schemaSkeleton(schema), { mode: 0o600 })
      }
      const union = { union_by_name: String(unionByName) }
      const options: Readonly<Record<string, string>> = schemas.length > 1 ? union : {}
      const { columns, examples } = await this.#describe({ format: 'parquet', paths, options, each: true })
      schemas.forEach((schema, i) => sameWidth(schema, examples[i]?.columns.length))
      if (this.#known.size >= MAX_KNOWN) this.#known.clear()
      this.#known.set(id, { columns, examples })
      return { columns, examples }
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
}

/** Columns are taken by position from here on. */
function sameWidth({ columns }: FooterSchema, bound: number | undefined): void {
  if (columns.length === bound) return
  throw new QueryError('FILE_CORRUPT', `DuckDB reads ${bound} of the ${columns.length} columns of a file's schema`)
}
