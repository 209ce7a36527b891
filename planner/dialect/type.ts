/** The name of a type in a foreign text: what DuckDB is to cast to. */

import type { CastType, Dialect } from './dialect.ts'
import { refused } from './refusal.ts'
import type { Source } from './source.ts'

/** Types of several words. */
const longNames: readonly (readonly string[])[] = [
  ['TIMESTAMP', 'WITH', 'TIME', 'ZONE'], ['TIMESTAMP', 'WITHOUT', 'TIME', 'ZONE'], ['DOUBLE', 'PRECISION'],
  ['CHARACTER', 'VARYING'], ['SIGNED', 'INTEGER'], ['UNSIGNED', 'INTEGER'],
]

/** Begins at `from`; `to` of the answer is the token after it. */
export function readType(
  source: Source, from: number, to: number, { types }: Dialect,
): { readonly type: CastType; readonly to: number } {
  const words = longNames.find(words => source.is(from, ...words)) ?? [source.word(from)]
  const name = words.join(' ')
  let at = from + words.length
  const sizes: string[] = []
  let isSized = false
  if (at < to && source.is(at, '(')) {
    const close = source.close(at)
    for (const size of source.split({ from: at + 1, to: close })) {
      const { value = '', kind } = source.tokens[size.from] ?? {}
      const isMax = source.is(size.from, 'MAX')
      if (size.to !== size.from + 1 || !(isMax || (kind === 'number' && /^\d{1,9}$/.test(value)))) {
        throw source.unexpected(size.from)
      }
      if (!isMax) sizes.push(value)
    }
    isSized = true
    at = close + 1
  }
  const rule = Object.hasOwn(types, name) ? types[name] : undefined
  if (rule === undefined) throw refused(`the type ${name === '' ? 'here' : name}`, source.place(from))
  const form = isSized ? rule.sized : rule.plain
  if (form === null) {
    throw refused(`the type ${name} ${isSized ? 'with' : 'without'} a size`, source.place(from))
  }
  const isText = rule.kind === 'text'
  if (isText && sizes.length > 1) throw source.unexpected(at - 2)
  const sql = form.replace('$', sizes.join(', '))
  return { type: { sql, kind: rule.kind, length: isText && sizes[0] !== undefined ? Number(sizes[0]) : null }, to: at }
}
