/**
 * An append-only file of records, each a line of its checksum and its JSON. An append resolves once it is on the disk.
 * What was being written when the process or machine died is dropped when the file is opened; damage before that is
 * not repaired but refused, and so is a file that is no journal. A new file comes into its place with its first line,
 * so a journal always has one. `replace` puts a shorter file in its place, or leaves the old one.
 */

import { createHash } from 'node:crypto'
import { mkdir, open, rename, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { QueryError } from '../proto/errors.ts'

/** A journal is compacted long before; more is not ours. */
const MAX_BYTES = 1024 * 1024 * 1024

const FIRST_LINE = 'skein journal 1\n'

export class Journal {
  readonly #path: string
  #file: FileHandle
  #sizeBytes: number

  private constructor(path: string, file: FileHandle, sizeBytes: number) {
    this.#path = path
    this.#file = file
    this.#sizeBytes = sizeBytes
  }

  /** Opens or creates it; answers its records in order. */
  static async open(path: string): Promise<{ journal: Journal; records: readonly unknown[] }> {
    await mkdir(dirname(path), { recursive: true })
    const file = await openFile(path)
    try {
      const { size } = await file.stat()
      if (size > MAX_BYTES) throw new QueryError('FILE_CORRUPT', `${path} has ${size} bytes`)
      const bytes = Buffer.alloc(size)
      await file.read(bytes, 0, size, 0)
      const { records, validBytes } = parse(bytes, path)
      await file.truncate(validBytes)
      return { journal: new Journal(path, file, validBytes), records }
    } catch (error) {
      await file.close()
      throw error
    }
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** If it rejects, none of the records counts: the next append is written over them. */
  async append(records: readonly unknown[]): Promise<void> {
    const bytes = Buffer.from(records.map(line).join(''))
    try {
      await this.#file.write(bytes, 0, bytes.length, this.#sizeBytes)
      await this.#file.datasync()
    } catch (cause) {
      await this.#file.truncate(this.#sizeBytes).catch(() => undefined) // the first error is the one to tell
      throw diskError(cause, this.#path)
    }
    this.#sizeBytes += bytes.length
  }

  async replace(records: readonly unknown[]): Promise<void> {
    const file = await put(this.#path, records)
    const { size } = await file.stat()
    await this.#file.close()
    this.#file = file
    this.#sizeBytes = size
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return put(path, [])
  }
}

/** A file of these records in the place of the one that was there, or of none. */
async function put(path: string, records: readonly unknown[]): Promise<FileHandle> {
  const next = `${path}.next`
  const bytes = Buffer.from([FIRST_LINE, ...records.map(line)].join(''))
  const file = await open(next, 'w+')
  try {
    await file.write(bytes, 0, bytes.length, 0)
    await file.sync()
    await rename(next, path)
    await syncFolder(dirname(path))
    return file
  } catch (cause) {
    await file.close()
    throw diskError(cause, next)
  }
}

/** So that a new or renamed name outlives a power failure. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function line(record: unknown): string {
  const json = JSON.stringify(record)
  return `${checksum(json)} ${json}\n`
}

function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

/**
 * Records up to the first that is not whole. That is the torn end of the last append only if it is its last line, or
 * has holes where the disk had not got to: all else is damage.
 */
function parse(bytes: Buffer, path: string): { records: unknown[]; validBytes: number } {
  const records: unknown[] = []
  const hasHead = bytes.subarray(0, FIRST_LINE.length).equals(Buffer.from(FIRST_LINE))
  let validBytes = hasHead ? FIRST_LINE.length : 0
  let torn = false
  for (let from = validBytes; from < bytes.length;) {
    const end = bytes.indexOf(10, from)
    const record = end < 0 ? undefined : recordOf(bytes.toString('utf8', from, end))
    if (record !== undefined && torn) throw new QueryError('FILE_CORRUPT', `${path} is damaged at byte ${validBytes}`)
    if (record === undefined && end >= 0 && !bytes.subarray(from, end).includes(0)) {
      throw new QueryError('FILE_CORRUPT', `${path} is damaged at byte ${from}`)
    }
    if (record === undefined) torn = true
    else {
      records.push(record)
      validBytes = end + 1
    }
    from = end < 0 ? bytes.length : end + 1
  }
  if (!hasHead && records.length === 0 && bytes.length > 0) {
    throw new QueryError('FILE_CORRUPT', `${path} is no journal of a metadata store`)
  }
  return { records, validBytes }
}

function recordOf(text: string): unknown {
  const json = text.slice(17)
  return text[16] === ' ' && text.slice(0, 16) === checksum(json) ? JSON.parse(json) as unknown : undefined
}

function diskError(cause: unknown, path: string): QueryError {
  const { code, message } = cause as NodeJS.ErrnoException
  return new QueryError(
    code === 'ENOSPC' || code === 'EDQUOT' ? 'DISK_FULL' : 'UNAVAILABLE', `${path}: ${message}`, { cause },
  )
}
