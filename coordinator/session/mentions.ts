/**
 * Which names a text may hold: too many rather than too few, for they only decide which tables are brought near and
 * which instance is asked. What a statement reads DuckDB's plan says.
 */

import { identifier, meaningfulTokens } from '../../proto/sql-tokens.ts'

/** Chains of one to three names, as `a`, `a.b`, `a.b.c`; of strings, their words too (`query('…')`). */
export function chainsIn(sql: string): readonly (readonly string[])[] {
  const chains = new Map<string, readonly string[]>()
  const add = (chain: readonly string[]): void => { chains.set(chain.join('\n').toLowerCase(), chain) }
  const tokens = meaningfulTokens(sql)
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]
    if (token === undefined) break
    if (token.kind === 'text') for (const chain of chainsIn(token.text.slice(1, -1))) add(chain)
    const first = identifier(token)
    if (first === undefined) continue
    const chain = [first]
    add([...chain])
    while (chain.length < MAX_PARTS && tokens[i + 1]?.text === '.') {
      const next = tokens[i + 2]
      const name = next === undefined ? undefined : identifier(next)
      if (name === undefined) break
      chain.push(name)
      add([...chain])
      i += 2
    }
  }
  return [...chains.values()]
}

/** Catalog, schema, table. */
const MAX_PARTS = 3

/** `names` in lower case. */
export function mentions(sql: string, names: ReadonlySet<string>): boolean {
  return chainsIn(sql).some(chain => chain.some(part => names.has(part.toLowerCase())))
}

/** The name after INSERT INTO and its like; null: it has none. For the words of a refusal. */
export function targetOf(sql: string): readonly string[] | null {
  const words = /\b(?:insert\s+(?:or\s+\w+\s+)?into|update|delete\s+from|merge\s+into|truncate(?:\s+table)?)\b/iy
  const tokens = meaningfulTokens(sql)
  for (const { kind, start } of tokens) {
    words.lastIndex = start
    if (kind !== 'word' || !words.test(sql)) continue
    return startsWithChain(sql.slice(words.lastIndex))
  }
  return null
}

function startsWithChain(sql: string): readonly string[] | null {
  const chain: string[] = []
  for (const [i, token] of meaningfulTokens(sql).entries()) {
    const name = i % 2 === 0 ? identifier(token) : undefined
    if (i % 2 === 0 ? name === undefined : token.text !== '.') break
    if (name !== undefined) chain.push(name)
  }
  return chain.length === 0 ? null : chain
}
