/** Names that a dialect tells apart and DuckDB does not. */

import type { Dialect } from './dialect.ts'
import { refused } from './refusal.ts'
import type { Source } from './source.ts'

/** DuckDB's names mean the same in any case: two that differ by case alone would become one. */
export function checkNames({ tokens }: Source, { foldsNames }: Dialect): void {
  if (foldsNames === undefined) return
  const seen = new Map<string, string>()
  for (const { kind, value, word, start } of tokens) {
    if (kind !== 'name' && kind !== 'word') continue
    const meant = kind === 'word' ? word : value
    const key = meant.toUpperCase()
    const before = seen.get(key)
    if (before !== undefined && before !== meant) throw refused(`the name ${meant} beside ${before}`, start)
    seen.set(key, meant)
  }
}
