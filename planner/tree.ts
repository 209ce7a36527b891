/** Reading nodes of DuckDB's syntax trees; what is empty there is left out. */

import { positionOf } from './duckdb-error.ts'
import type { Tree } from './syntax.ts'

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value as unknown[] : []
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** It stands in the text. */
export function isPlaced(node: Tree): boolean {
  return Number.isSafeInteger(node['query_location'])
}

/** In characters of the text; undefined: DuckDB does not tell. */
export function placeOf(node: Tree, sql: string): number | undefined {
  const at = node['query_location']
  return positionOf(typeof at === 'number' ? at : null, sql)
}
