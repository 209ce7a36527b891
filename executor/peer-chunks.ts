/** Column chunks as other executors send them: the messages of FetchChunks in the cache's words. */

import type { AskPeer, PeerNews } from '../cache/peer-reader.ts'
import type { FetchChunksResponse } from '../proto/gen/cache_pb.js'
import type { PeerChannels } from './peer-channels.ts'

export function askPeers(peers: PeerChannels): AskPeer {
  return async function* ask({ address, file, isParquet, chunks }, signal) {
    const { bucket, key, etag, sizeBytes } = file
    const request = { bucket, key, etag, sizeBytes: BigInt(sizeBytes), parquet: isParquet, chunks: [...chunks] }
    for await (const message of peers.to(address).cache.fetchChunks(request, { signal })) yield newsOf(message)
  }
}

function newsOf({ news }: FetchChunksResponse): PeerNews {
  switch (news.case) {
    case 'waiting': case undefined: return { kind: 'waiting' }
    case 'begin': return { kind: 'begin', extraBytes: Number(news.value.extraBytes) }
    case 'piece': {
      const { chunk, checksum, fetched, from, data } = news.value
      return { kind: 'piece', chunk, checksum, fetched, from: Number(from), data }
    }
    case 'refused': return { kind: 'refused', code: news.value.code, message: news.value.message }
  }
}
