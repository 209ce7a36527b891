/**
 * A CommonJS package, required. Imported, Node would first read every file that the package passes on for the names it
 * exports: 0.1 s of CPU for DuckDB's in each process and thread, 0.06 s for the S3 client.
 */

import { createRequire } from 'node:module'

const load = createRequire(import.meta.url)

/** `T`: the package's own types, as `typeof import(name)` has them. */
export function required<T>(name: string): T {
  return load(name) as T
}
