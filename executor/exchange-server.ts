/** The bytes of exchange files for executors on other hosts: below the folder of the query they name, and no other. */

import { open, type FileHandle } from 'node:fs/promises'
import { QueryError } from '../proto/errors.ts'
import type { FetchExchangeRequest } from '../proto/gen/executor_pb.js'
import type { QueryId } from '../proto/ids.ts'
import type { ExchangeFiles } from './exchange-files.ts'

/** Larger ones gain nothing, at a quarter of it gRPC costs a third more CPU. */
const MESSAGE_BYTES = 1024 * 1024

/** `data` is valid until the next message is asked for. */
export async function* serveExchange(
  files: ExchangeFiles, request: FetchExchangeRequest,
): AsyncGenerator<{ data: Uint8Array }> {
  const file = await openFile(files, request)
  try {
    const buffer = Buffer.allocUnsafeSlow(MESSAGE_BYTES)
    let offset = Number(request.offset)
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, MESSAGE_BYTES, offset)
      if (bytesRead === 0) return
      offset += bytesRead
      yield { data: buffer.subarray(0, bytesRead) }
    }
  } finally {
    await file.close()
  }
}

async function openFile(files: ExchangeFiles, { queryId, path }: FetchExchangeRequest): Promise<FileHandle> {
  try {
    return await open(files.pathOf(queryId as QueryId, path), 'r')
  } catch (error) {
    if (error instanceof QueryError) throw error
    throw new QueryError('NOT_FOUND', `no exchange file ${path} of query ${queryId}`, { cause: error })
  }
}
