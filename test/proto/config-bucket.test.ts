/** Buckets of each provider in the configuration file, and the messages about them. */

import t from 'tap'
import { parseConfig } from '../../proto/config.ts'
import type { Machine } from '../../proto/machine.ts'

const machine: Machine = { threads: 8, memoryBytes: 100e9, freeDiskBytes: () => 400e9 }
const env = { KEY: 'k', SECRET: 's3cr3t' }
const parse = (text: string) => parseConfig(text, { name: 'f', folder: '/etc', env, machine })

function problems(text: string): string {
  try {
    parse(text)
    return ''
  } catch (error) {
    return error instanceof Error ? error.message.replaceAll('f: buckets.', '') : ''
  }
}

t.test('every provider has its address, and credentials only if they are given', async t => {
  const account = '0123456789abcdef0123456789abcdef'
  const { buckets } = parse(`
buckets:
  aws: { provider: s3, bucket: acme, region: eu-west-1, access_key_id: "\${KEY}", secret_access_key: "\${SECRET}" }
  role: { provider: s3, bucket: acme, region: eu-west-1 }
  minio: { provider: s3, bucket: acme, region: eu-west-1, endpoint: "https://minio.example:9000/" }
  r2: { provider: r2, bucket: acme, account_id: ${account}, access_key_id: a, secret_access_key: b, session_token: c }
  gcs: { provider: gcs, bucket: acme_x, access_key_id: a, secret_access_key: b }
  own: { provider: custom, bucket: acme, endpoint: "http://127.0.0.1:9000" }
`)
  const remote = { bucket: 'acme', credentials: null, pathStyle: true }
  const keys = { accessKeyId: 'a', secretAccessKey: 'b', sessionToken: null }
  t.strictSame(buckets, {
    aws: {
      ...remote, provider: 's3', region: 'eu-west-1', endpoint: null, pathStyle: false,
      credentials: { accessKeyId: 'k', secretAccessKey: 's3cr3t', sessionToken: null },
    },
    role: { ...remote, provider: 's3', region: 'eu-west-1', endpoint: null, pathStyle: false },
    minio: { ...remote, provider: 's3', region: 'eu-west-1', endpoint: 'https://minio.example:9000' },
    r2: {
      ...remote, provider: 'r2', region: 'auto', endpoint: `https://${account}.r2.cloudflarestorage.com`,
      credentials: { ...keys, sessionToken: 'c' },
    },
    gcs: {
      ...remote, provider: 'gcs', bucket: 'acme_x', region: 'auto', endpoint: 'https://storage.googleapis.com',
      credentials: keys,
    },
    own: { ...remote, provider: 'custom', region: 'us-east-1', endpoint: 'http://127.0.0.1:9000' },
  })
})

t.test('a wrong key of a bucket is named, and no secret with it', async t => {
  const said = (bucket: string) => problems(`buckets: { b: { ${bucket} } }`)
  t.equal(said('provider: s3, bucket: acme'), 'b.region: is missing')
  t.equal(said('provider: s3, bucket: "Acme/x", region: EU'),
    'b.bucket: a bucket has 3 to 63 small letters, digits, - and . in its name\n' +
    'b.region: must be a region such as eu-west-1')
  t.equal(said('provider: r2, bucket: acme, account_id: 12ab'), 'b.account_id: must have 32 hexadecimal digits')
  t.equal(said('provider: r2, bucket: acme, account_id: 7'), 'b.account_id: must be a text')
  t.equal(said('provider: gcs, bucket: acme, region: x'), 'b.region: no such key')
  t.equal(said('provider: custom, bucket: acme'), 'b.endpoint: is missing')
  t.equal(said('provider: custom, bucket: acme, endpoint: "minio:9000"'),
    'b.endpoint: must be http://host:port or https://host:port')
  t.equal(said('provider: gcs, bucket: acme, secret_access_key: "${SECRET}"'),
    'b.access_key_id: is missing: credentials need both keys, or neither')
  t.equal(said('provider: gcs, bucket: acme, access_key_id: a'),
    'b.secret_access_key: is missing: credentials need both keys, or neither')
  t.equal(said('provider: gcs, bucket: acme, session_token: a'),
    'b.access_key_id: is missing: credentials need both keys, or neither')
  t.equal(said('provider: ftp, bucket: acme'), 'b.provider: must be local, s3, r2, gcs or custom')
  t.notMatch(said('provider: gcs, bucket: 1, access_key_id: [1], secret_access_key: "${SECRET}"'), /s3cr3t/)
})

t.test('a time has a unit', async t => {
  const said = (ttl: string) => problems(`
buckets: { b: { provider: local, path: x } }
catalogs: { c: { type: bucket_tables, bucket: b, tables: {}, listing_ttl: ${ttl} } }`)
  t.equal(said('500ms'), '')
  t.equal(said('30'), 'f: catalogs.c.listing_ttl: must be a time such as 30s')
  t.equal(said('3d'), `f: catalogs.c.listing_ttl: '3d' is not a time such as 500ms, 30s, 5m or 1h`)
})
