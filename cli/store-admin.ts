/** `skein admin store backup FILE` and `store restore FILE [--replace]`: the metadata store as a file, and back. */

import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { QueryError } from '../proto/errors.ts'
import type { AdminService } from '../proto/gen/admin_pb.js'
import type { ServiceClient } from '../proto/grpc-channel.ts'

/** Some thousand writes of a restore take some seconds on etcd. */
const DEADLINE_MS = 120_000

export type StoreCommand =
  | { readonly kind: 'store-backup'; readonly file: string }
  | { readonly kind: 'store-restore'; readonly file: string; readonly replace: boolean }

export const storeUsage = ['store backup FILE', 'store restore FILE [--replace]']

/** undefined: no such words. */
export function storeCommand(
  verb: string | undefined, [file, ...more]: readonly string[], replace: boolean,
): StoreCommand | undefined {
  if (file === undefined || more.length > 0) return undefined
  switch (verb) {
    case 'backup': return { kind: 'store-backup', file }
    case 'restore': return { kind: 'store-restore', file, replace }
    default: return undefined
  }
}

/** A text that says what was done. */
export async function runStore(command: StoreCommand, service: ServiceClient<typeof AdminService>): Promise<string> {
  const options = { deadlineMs: DEADLINE_MS }
  const { file } = command
  switch (command.kind) {
    case 'store-backup': {
      const { content } = await service.backupStore({}, options)
      writeWhole(file, content)
      return `the store is in ${file}, ${content.length} bytes\n`
    }
    case 'store-restore': {
      const { replace } = command
      const restored = await service.restoreStore({ content: read(file), replace }, options)
      const { keys, removed, revision } = restored
      return `${keys} keys of revision ${revision} are restored${removed === 0 ? '' : `, ${removed} others removed`}\n`
    }
  }
}

/** For its owner alone. Nothing is written over, and what is there under the name is whole. */
function writeWhole(file: string, content: Uint8Array): void {
  const unfinished = `${file}.unfinished`
  try {
    const descriptor = openSync(unfinished, 'w', 0o600)
    try {
      for (let at = 0; at < content.length;) at += writeSync(descriptor, content, at)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    linkSync(unfinished, file)
  } catch (cause) {
    throw new QueryError('INVALID_REQUEST', `${file} cannot be written: ${reason(cause)}`, { cause })
  } finally {
    rmSync(unfinished, { force: true })
  }
}

function read(file: string): Uint8Array {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new QueryError('INVALID_REQUEST', `${file} cannot be read: ${reason(cause)}`, { cause })
  }
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
