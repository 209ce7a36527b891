/** The storage suite against our own S3 server. */

import t from 'tap'
import { S3Server } from '../s3-server.ts'
import { storageSuite } from './storage-suite.ts'

t.test('our own server does what the column cache needs of a store', async t => {
  const server = await S3Server.start({ buckets: ['suite'] })
  t.teardown(() => server.close())
  await storageSuite(t, server.endpoint)
})
