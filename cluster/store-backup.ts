/**
 * The lasting part of a metadata store as one text, read at one revision, and back. What lives under leases (members,
 * offices) makes itself anew and is left out, and so is the cluster's secret: a store without one makes another.
 *
 *   {"skein_store":1,"revision":"42","keys":2}
 *   {"key":"users/ann","value":"…"}         values in base64
 *   {"key":"users/bob","value":"…"}
 *   {"sha256":"…"}                          of all the lines before
 */

import { createHash } from 'node:crypto'
import { QueryError } from '../proto/errors.ts'
import { COORDINATORS, ELECTIONS, HOUSEKEEPING, MEMBERS, SECRET } from './keys.ts'
import { MAX_VALUE_BYTES, type Entry, type MetadataStore } from './store.ts'

/** It travels as one message of 64 MiB at most. A user takes some 300 bytes. */
const MAX_BACKUP_BYTES = 60 * 1024 * 1024
const FORMAT = 1
const passing = [MEMBERS, COORDINATORS, ELECTIONS, HOUSEKEEPING, SECRET]

export interface Restored {
  readonly keys: number
  /** Keys that were there and are not in the backup. */
  readonly removed: number
  /** Of the store that was backed up. */
  readonly revision: string
}

export async function backupStore(store: MetadataStore): Promise<Uint8Array> {
  const { entries, revision } = await lasting(store)
  const lines = [
    { skein_store: FORMAT, revision: String(revision), keys: entries.length },
    ...entries.map(({ key, value }) => ({ key, value: Buffer.from(value).toString('base64') })),
  ].map(line => `${JSON.stringify(line)}\n`).join('')
  const bytes = Buffer.from(`${lines}${JSON.stringify({ sha256: digest(lines) })}\n`)
  if (bytes.length <= MAX_BACKUP_BYTES) return bytes
  throw new QueryError('RESULT_TOO_LARGE',
    `the store has ${bytes.length} bytes, more than the ${MAX_BACKUP_BYTES} of a backup`)
}

/**
 * Nothing is written unless all of the backup is whole, and the store has no lasting key or `replace` is true: then it
 * has those of the backup and no others. UNAVAILABLE, with how far it came, if the store fails meanwhile or another
 * writes: then it is to be done again, with `replace`.
 */
export async function restoreStore(store: MetadataStore, backup: Uint8Array, replace: boolean): Promise<Restored> {
  const { revision, wanted } = readBackup(backup)
  const { entries } = await lasting(store)
  if (entries.length > 0 && !replace) {
    throw new QueryError('INVALID_REQUEST', `the store is not empty: it has ${entries.length} keys, ${entries[0]?.key} `
      + 'among them; --replace gives them up')
  }
  const there = new Map(entries.map(entry => [entry.key, entry]))
  const removed = entries.filter(({ key }) => !wanted.has(key))
  const changes = [...wanted, ...removed.map(({ key }) => [key, null] as const)]
  for (const [i, [key, value]] of changes.entries()) {
    const before = there.get(key)
    if (before !== undefined && value !== null && Buffer.compare(before.value, value) === 0) continue
    await write(store, key, before, value).catch((cause: unknown) => {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new QueryError('UNAVAILABLE', `${i} of ${changes.length} keys are restored: ${why}; do it again with `
        + '--replace', { cause })
    })
  }
  return { keys: wanted.size, removed: removed.length, revision }
}

async function write(
  store: MetadataStore, key: string, before: Entry | undefined, value: Uint8Array | null,
): Promise<void> {
  const swapped = await store.compareAndSwap(key, before?.revision ?? 0n, value)
  if (swapped === null) throw new Error(`another has changed ${key} meanwhile`)
}

async function lasting(store: MetadataStore): Promise<Awaited<ReturnType<MetadataStore['list']>>> {
  const { entries, revision } = await store.list('')
  return { revision, entries: entries.filter(({ key }) => !isPassing(key)) }
}

function isPassing(key: string): boolean {
  return passing.some(one => one.endsWith('/') ? key.startsWith(one) : key === one)
}

/** INVALID_REQUEST for what is not whole. */
function readBackup(backup: Uint8Array): { readonly revision: string; readonly wanted: Map<string, Uint8Array> } {
  const text = Buffer.from(backup).toString('utf8')
  const end = text.lastIndexOf('\n', text.length - 2) + 1
  const [before, last] = [text.slice(0, end), text.slice(end)]
  const lines = before.split('\n').slice(0, -1)
  const head = object(lines[0])
  if (head['skein_store'] === undefined) throw damaged('it is no backup of a store')
  if (head['skein_store'] !== FORMAT) throw damaged(`its format is ${String(head['skein_store'])}, not ${FORMAT}`)
  if (object(last)['sha256'] !== digest(before)) throw damaged('its checksum is not that of its content')
  const wanted = new Map(lines.slice(1).map(line => {
    const { key, value } = object(line)
    if (typeof key !== 'string' || key === '' || isPassing(key) || typeof value !== 'string') {
      throw damaged('a line of it is no key')
    }
    const bytes = Buffer.from(value, 'base64')
    if (bytes.length > MAX_VALUE_BYTES) throw damaged(`the value of ${key} has ${bytes.length} bytes`)
    return [key, bytes] as const
  }))
  if (wanted.size !== head['keys']) throw damaged(`it has ${wanted.size} keys, not ${String(head['keys'])}`)
  return { revision: String(head['revision']), wanted }
}

function object(line: string | undefined): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line ?? '')
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

function damaged(why: string): QueryError {
  return new QueryError('INVALID_REQUEST', `this backup cannot be restored: ${why}`)
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
