/**
 * A process that fills a cache from an S3 server until it is killed, for cache-kill.test.ts. Arguments: the cache's
 * folder, the server's address, a name for what it makes, and the files as JSON. Prints a line when it begins.
 */

import { ColumnCache } from '../../cache/column-cache.ts'
import type { FileKey } from '../../cache/key.ts'
import { RequestLimit } from '../../cache/request-limit.ts'
import { S3Store } from '../../cache/s3-store.ts'
import { PATIENT } from '../../cache/store-health.ts'
import { systemClock } from '../../proto/clock.ts'
import { noPeers } from './no-peers.ts'

const [, , folder = '', endpoint = '', start = '', json = '[]'] = process.argv
const files = JSON.parse(json) as FileKey[]
const store = new S3Store({
  name: 'prod', limit: new RequestLimit(16), clock: systemClock, random: () => 0, policy: PATIENT,
  config: {
    provider: 'custom', bucket: 'lake', region: 'us-east-1', endpoint, pathStyle: true,
    credentials: { accessKeyId: 'test', secretAccessKey: 'testsecret', sessionToken: null },
  },
})
let names = 0
const cache = await ColumnCache.open({
  folder, budgetBytes: 6_000_000, processId: process.pid, clock: systemClock, random: () => 0.5,
  newName: () => `${start}-${names++}`, peers: noPeers,
})
process.stdout.write('begun\n')
const never = new AbortController().signal
for (const [i, file] of [...files, ...files].entries()) {
  const columns = i < files.length ? ['a', 'b'] : null
  const wanted = { file, store, isParquet: true, columns, rows: null, passing: false, peer: null }
  await (await cache.open([wanted], never)).release()
}
process.stdout.write('ended\n')
