/** The configuration as operators see it: one line a value, `node.memory_bytes`, and nothing that is secret. */

import type { Config } from '../proto/config.ts'

/** Names of what is not shown, whatever it holds. */
const SECRET = /secret|token|password|credential|access_?key/i
const MASK = '***'

export interface Setting {
  readonly name: string
  readonly value: string
}

export function settingsOf(config: Config): Setting[] {
  return flat([], config).sort((a, b) => a.name < b.name ? -1 : 1)
}

function flat(path: readonly string[], value: unknown): Setting[] {
  const name = path.join('.')
  if (path.some(part => SECRET.test(part)) && value !== null) return [{ name, value: MASK }]
  if (typeof value !== 'object' || value === null) return [{ name, value: String(value) }]
  if (Array.isArray(value) && value.every(item => typeof item === 'string')) return [{ name, value: value.join(', ') }]
  const children = Array.isArray(value) ? value.map(named) : Object.entries(value)
  return children.flatMap(([key, child]) => flat([...path, snake(key)], child))
}

/** Of a list of things that have names, the name is the key. */
function named(item: unknown, i: number): [string, unknown] {
  const isNamed = typeof item === 'object' && item !== null && 'name' in item && typeof item.name === 'string'
  return [isNamed ? String(item.name) : String(i), item]
}

/** Ours are in camel case; names of buckets and the like have no capital after a small letter but by their own will. */
function snake(key: string): string {
  return key.replace(/([a-z])([A-Z])/g, (_, before: string, after: string) => `${before}_${after.toLowerCase()}`)
}
