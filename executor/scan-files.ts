/**
 * The files that a task reads by its scans, near enough for DuckDB: those of remote buckets with the columns and the
 * rows that the task touches. Whatever becomes of the task they are released.
 */

import type { OpenFile, OpenFiles, WantedFile } from '../cache/wanted-file.ts'
import { CARRIED, type FileKey } from '../cache/key.ts'
import { QueryError } from '../proto/errors.ts'
import { FileFormat, type CarriedFile, type Scan, type Split } from '../proto/gen/executor_pb.js'

/** As FileSource. */
export interface FilePort {
  open(wanted: readonly Omit<WantedFile, 'store'>[], signal: AbortSignal): Promise<OpenFiles>
  prefetch(wanted: readonly Omit<WantedFile, 'store'>[], signal: AbortSignal): Promise<void>
  areHere(wanted: readonly Omit<WantedFile, 'store'>[]): Promise<boolean>
  distrust(paths: readonly string[]): Promise<boolean>
}

export class ScanFiles {
  /** Of each scan, in the order of its splits. */
  readonly files: readonly (readonly OpenFile[])[]
  readonly paths: readonly (readonly string[])[]
  readonly bytesFetched: number
  readonly bytesCached: number
  readonly #port: FilePort
  readonly #opened: OpenFiles
  readonly #keys: readonly FileKey[]

  private constructor(port: FilePort, opened: OpenFiles, keys: readonly FileKey[], scans: readonly Scan[]) {
    this.#port = port
    this.#opened = opened
    this.#keys = keys
    const { files } = opened
    let from = 0
    this.files = scans.map(({ splits }) => files.slice(from, from += splits.length))
    this.paths = this.files.map(opened => opened.map(({ path }) => path))
    this.bytesFetched = files.reduce((sum, file) => sum + file.bytesFetched, 0)
    this.bytesCached = files.reduce((sum, file) => sum + file.bytesCached, 0)
  }

  /** `carried`: the bytes of those that no bucket has. */
  static async open(
    scans: readonly Scan[], carried: readonly CarriedFile[], port: FilePort, signal: AbortSignal,
  ): Promise<ScanFiles> {
    const wanted = wantedFiles(scans, carried)
    return new ScanFiles(port, await port.open(wanted, signal), wanted.map(({ file }) => file), scans)
  }

  /**
   * What is told of a failure: names of files as the user knows them; and if cached bytes may be to blame, that it may
   * be tried again.
   */
  async explain(error: QueryError): Promise<QueryError> {
    const { files } = this.#opened
    const message = files.reduce((text, { path }, i) => {
      const { bucket, key } = this.#keys[i] ?? { bucket: '', key: '' }
      return path.endsWith(key) ? text : text.replaceAll(path, `${bucket}/${key}`)
    }, error.message)
    const again = error.code === 'FILE_CORRUPT' && await this.#port.distrust(files.map(({ path }) => path))
    if (message === error.message && !again) return error
    const { cause, position } = error
    return new QueryError(again ? 'UNAVAILABLE' : error.code, message, { cause, position })
  }

  release(): Promise<void> {
    return this.#opened.release()
  }
}

export function wantedFiles(scans: readonly Scan[], carried: readonly CarriedFile[]): Omit<WantedFile, 'store'>[] {
  const contents = new Map(carried.map(({ etag, content }) => [etag, content]))
  return scans.flatMap(scan => scan.splits.map(split => wantedFile(scan, split, contents)))
}

function wantedFile(
  scan: Scan, { file, fromRow, toRow, passing, peerAddress }: Split, contents: ReadonlyMap<string, Uint8Array>,
): Omit<WantedFile, 'store'> {
  if (file === undefined) throw new QueryError('INTERNAL', `a split of ${scan.table || scan.name} has no file`)
  const { bucket, key, etag, sizeBytes } = file
  const named: FileKey = { bucket, key, etag, sizeBytes: Number(sizeBytes) }
  const carried = { ...named, content: contents.get(etag) ?? new Uint8Array() }
  if (bucket === CARRIED && !contents.has(etag)) throw new QueryError('INTERNAL', `${key} did not come along`)
  return {
    file: bucket === CARRIED ? carried : named,
    isParquet: scan.format === FileFormat.PARQUET, passing, peer: peerAddress === '' ? null : peerAddress,
    columns: scan.touched.map(position => scan.columns[position]?.name ?? ''),
    rows: toRow === 0n ? null : { from: Number(fromRow), to: Number(toRow) },
  }
}
