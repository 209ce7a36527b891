/** The index of a table's files: it gives back what it was made of, and pruning by it loses no row. */

import t from 'tap'
import type { StatValue } from '../../cache/statistics.ts'
import { FileIndex, IndexedFile } from '../../catalog/file-index.ts'
import { type PruneFilter, type PruneOp, pruneFiles } from '../../catalog/prune.ts'
import type { RowGroup, Table } from '../../catalog/table.ts'
import { mulberry32 } from '../random.ts'

const COLUMNS = ['int', 'huge', 'float', 'text', 'mixed', 'odd']
const ROWS = 6
const FILES = 40

type Cell = StatValue | null

/** Rows of one column; small ranges, so that filters hit. */
function cellsOf(column: string, random: () => number): Cell[] {
  const low = Math.floor(random() * 40)
  return Array.from({ length: ROWS }, () => {
    if (random() < 0.15) return null
    const n = low + Math.floor(random() * 5)
    switch (column) {
      case 'int': return BigInt(n)
      case 'huge': return 2n ** 60n + BigInt(n)
      case 'float': return n / 4
      case 'text': return `k${n}`
      case 'mixed': return random() < 0.3 ? `${n}\u{1f986}` : `${n}`
      default: return n % 2 === 0
    }
  })
}

function less(a: StatValue, b: StatValue): boolean {
  return typeof a === 'string' && typeof b === 'string' ? Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0 : a < b
}

function chunkOf(cells: readonly Cell[], random: () => number) {
  const values = cells.filter(cell => cell !== null)
  const known = values.length > 0 && random() < 0.9
  const min = values.reduce<Cell>((least, value) => least === null || less(value, least) ? value : least, null)
  const max = values.reduce<Cell>((most, value) => most === null || less(most, value) ? value : most, null)
  return {
    offset: 4, sizeBytes: 10, min: known ? min : null, max: known ? max : null,
    nullCount: random() < 0.8 ? cells.length - values.length : null,
  }
}

function holds(op: PruneOp, a: StatValue, b: StatValue): boolean {
  switch (op) {
    case '=': return a === b
    case '<': return less(a, b)
    case '<=': return !less(b, a)
    case '>': return less(b, a)
    case '>=': return !less(a, b)
  }
}

function satisfies(row: readonly Cell[], filter: PruneFilter): boolean {
  switch (filter.kind) {
    case 'and': return filter.filters.every(child => satisfies(row, child))
    case 'or': return filter.filters.some(child => satisfies(row, child))
    default: break
  }
  const cell = row[filter.column] ?? null
  switch (filter.kind) {
    case 'is-null': return cell === null
    case 'is-not-null': return cell !== null
    case 'compare': return cell !== null && holds(filter.op, cell, filter.value)
    case 'in': return cell !== null && filter.values.includes(cell)
  }
}

const OPS: readonly PruneOp[] = ['=', '<', '<=', '>', '>=']

function filterOf(rows: readonly (readonly Cell[])[], random: () => number, depth = 0): PruneFilter {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T // not empty
  const column = Math.floor(random() * COLUMNS.length)
  const values = rows.map(row => row[column] ?? null).filter(cell => cell !== null)
  const kind = pick(depth < 2 ? ['compare', 'compare', 'in', 'null', 'and', 'or'] : ['compare', 'in'])
  if (kind === 'compare') return { kind, column, op: pick(OPS), value: pick(values) }
  if (kind === 'in') return { kind, column, values: [pick(values), pick(values)] }
  if (kind === 'null') return { kind: random() < 0.5 ? 'is-null' : 'is-not-null', column }
  return { kind: kind === 'and' ? 'and' : 'or', filters: [0, 1].map(() => filterOf(rows, random, depth + 1)) }
}

t.test('row groups come back as they went in', async t => {
  const random = mulberry32(1)
  const groups: RowGroup[][] = Array.from({ length: FILES }, (_, i) => Array.from({ length: i % 3 }, () => ({
    rowCount: ROWS, columns: COLUMNS.map(column => chunkOf(cellsOf(column, random), random)),
  })))
  const index = new FileIndex(groups.map(rowGroups => ({ rowGroups, rowCount: rowGroups.length * ROWS })))
  const file = { bucket: 'b', key: 'k', etag: 'e', sizeBytes: 1 }
  groups.forEach((rowGroups, i) => {
    t.strictSame(new IndexedFile({ file, shape: 0, hiveValues: [], rowCount: 0 }, index, i).rowGroups, rowGroups)
  })
})

t.test('no row that satisfies a filter is in what was pruned, and much is pruned', async t => {
  let pruned = 0
  for (let seed = 1; seed <= 60; seed++) {
    const random = mulberry32(seed)
    const data = Array.from({ length: FILES }, () => {
      const cells = COLUMNS.map(column => cellsOf(column, random))
      const rows = Array.from({ length: ROWS }, (_, row) => cells.map(column => column[row] ?? null))
      return { rows, group: { rowCount: ROWS, columns: cells.map(column => chunkOf(column, random)) } }
    })
    const table: Table = {
      name: { catalog: 'c', schema: 'm', table: 't' }, version: '1', format: 'parquet', hiveKeys: [], readOptions: {},
      columns: COLUMNS.map(name => ({ name, type: 'X' })), rowCount: 0, sizeBytes: 0, skeletonPath: '',
      distinctCounts: [], shapes: [], filename: null,
      files: data.map(({ group }, i) => ({
        file: { bucket: 'b', key: `${i}`, etag: '', sizeBytes: 1 }, shape: 0, hiveValues: [], rowGroups: [group],
        rowCount: ROWS,
      })),
    }
    for (let i = 0; i < 40; i++) {
      const filter = filterOf(data.flatMap(({ rows }) => rows), random)
      const kept = new Set(pruneFiles(table, [filter]).map(({ file }) => file.file.key))
      const lost = data.filter(({ rows }, file) => !kept.has(`${file}`) && rows.some(row => satisfies(row, filter)))
      if (lost.length > 0) t.fail(`seed ${seed}`, { filter, lost: lost.length })
      pruned += FILES - kept.size
    }
  }
  t.ok(pruned > 60 * 40 * FILES / 4, `${pruned} files`)
})
