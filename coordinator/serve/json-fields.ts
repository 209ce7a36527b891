/** The fields of a request's JSON body, checked. */

import { QueryError } from '../../proto/errors.ts'

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i

/** Throws INVALID_REQUEST for what is none. */
export function jsonObject(body: Buffer): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(body.toString('utf8'))
  } catch (cause) {
    throw new QueryError('INVALID_REQUEST', `the body is not JSON: ${(cause as Error).message}`, { cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new QueryError('INVALID_REQUEST', 'the body must be a JSON object')
  }
  return value as Record<string, unknown>
}

/** Reads typed fields; null counts as absent. */
export class Fields {
  readonly #fields: Record<string, unknown>

  constructor(fields: Record<string, unknown>) {
    this.#fields = fields
  }

  has(name: string): boolean {
    return (this.#fields[name] ?? null) !== null
  }

  text(name: string): string | undefined {
    const value = this.#fields[name] ?? undefined
    if (value === undefined || typeof value === 'string') return value
    throw new QueryError('INVALID_REQUEST', `${name} must be a string`)
  }

  id(name: string): string | undefined {
    const text = this.text(name)
    if (text === undefined || UUID.test(text)) return text
    throw new QueryError('INVALID_REQUEST', `${name} must be a UUID, not '${text}'`)
  }

  flag(name: string): boolean | undefined {
    const value = this.#fields[name] ?? undefined
    if (value === undefined || typeof value === 'boolean') return value
    throw new QueryError('INVALID_REQUEST', `${name} must be true or false`)
  }

  count(name: string): number | null {
    const value = this.#fields[name] ?? null
    if (value === null) return null
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
    throw new QueryError('INVALID_REQUEST', `${name} must be a whole number, 0 or more`)
  }
}
