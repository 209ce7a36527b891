/**
 * Where the credentials of buckets come from: the configuration, the environment, the host's own service. And where
 * they do not stay: no file of a data_dir, no key of the store and no line of a log has a secret.
 */

import { createServer } from 'node:http'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { systemClock } from '../../proto/clock.ts'
import { openRemoteBucket } from '../cache/remote-bucket.ts'
import { DuckDBInstance } from '../duckdb.ts'
import { EtcdServers, haveEtcd } from '../etcd-server.ts'
import { S3Server } from '../s3-server.ts'
import { Hosts } from './hosts.ts'
import { Skein } from './skein.ts'

const secrets = {
  AKIAGIVEN: 'given+secret/0123456789', ASIAROLE: 'role+secret/0123456789', AKIAENV: 'env+secret/0123456789',
}
const ROLE_LASTS_MS = 6 * 3600_000
const TOKEN = 'session token of the role'
const root = mkdtempSync(join(tmpdir(), 'skein-credentials-'))
t.teardown(() => rmSync(root, { recursive: true }))
/** No files of the machine, and no other service of a host. */
const bare = {
  AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_SESSION_TOKEN: '', AWS_PROFILE: '',
  AWS_CONFIG_FILE: join(root, 'none'), AWS_SHARED_CREDENTIALS_FILE: join(root, 'none'),
}

const isoTime = (inMs: number): string => new Date(systemClock.wallMs() + inMs).toISOString()

/** The metadata service of a host, by its second version: whoever has no token of its gets nothing. */
async function hostService() {
  const role = {
    Code: 'Success', Type: 'AWS-HMAC', AccessKeyId: 'ASIAROLE', SecretAccessKey: secrets.ASIAROLE, Token: TOKEN,
    LastUpdated: isoTime(0), Expiration: isoTime(ROLE_LASTS_MS),
  }
  const folder = '/latest/meta-data/iam/security-credentials/'
  const asked: string[] = []
  const server = createServer(({ method, url, headers }, response) => {
    asked.push(`${method} ${url}`)
    const isKnown = headers['x-aws-ec2-metadata-token'] === 'host token'
    if (method === 'PUT' && url === '/latest/api/token') return void response.end('host token')
    if (isKnown && url === folder) return void response.end('lake-reader')
    if (isKnown && url === `${folder}lake-reader`) return void response.end(JSON.stringify(role))
    response.writeHead(isKnown ? 404 : 401).end()
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  const { port } = server.address() as AddressInfo // null only when it does not listen
  t.teardown(() => { server.close() })
  return { endpoint: `http://127.0.0.1:${port}`, asked }
}

async function lake(): Promise<S3Server> {
  const server = await S3Server.start({ secrets })
  t.teardown(() => server.close())
  mkdirSync(join(root, 'data'))
  const file = join(root, 'data/words.parquet')
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run(`COPY (SELECT i, 'control' || i AS control_word FROM range(500) t(i)) TO '${file}'`)
  connection.closeSync()
  instance.closeSync()
  server.objects.put('lake', 'words.parquet', readFileSync(file))
  return server
}

const server = await lake()
const host = await hostService()
const bucket = { provider: 'custom', bucket: 'lake', endpoint: server.endpoint }
const table = (name: string) => ({ type: 'bucket_tables', bucket: name, tables: { words: 'words.parquet' } })
const config = {
  buckets: { given: { ...bucket, access_key_id: 'AKIAGIVEN', secret_access_key: '${LAKE_SECRET}' }, own: bucket },
  catalogs: { given: table('given'), own: table('own') },
  default_catalog: 'own',
}
const environment = { ...bare, LAKE_SECRET: secrets.AKIAGIVEN, AWS_EC2_METADATA_SERVICE_ENDPOINT: host.endpoint }

/** As it is, and in the forms that JSON, a URL and base64 give it. */
function formsOf(text: string): readonly Buffer[] {
  const shifted = [0, 1, 2].map(before => Buffer.from(' '.repeat(before) + text).toString('base64').slice(4, -4))
  return [text, encodeURIComponent(text), ...shifted].map(form => Buffer.from(form))
}

const forms = [secrets.AKIAGIVEN, secrets.ASIAROLE, TOKEN].flatMap(formsOf)
const holds = (bytes: Buffer): boolean => forms.some(form => bytes.includes(form))

function filesIn(folder: string): { readonly path: string; readonly bytes: Buffer }[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap(entry => entry.isFile()
    ? [{ path: join(entry.parentPath, entry.name), bytes: readFileSync(join(entry.parentPath, entry.name)) }] : [])
}

async function use(skein: Skein): Promise<void> {
  const sql = 'SELECT count(*), max(g.control_word) FROM given.main.words g JOIN own.main.words o USING (i)'
  const once = await skein.query(sql, { fields: { cache: true } })
  t.match(once, { kind: 'rows', answer: { rows: [['500', 'control99']] } })
  t.match(await skein.query(`SELECT error('no') FROM own.main.words`), { kind: 'error' })
  t.match(await skein.query(`CREATE TEMP TABLE a AS FROM given.main.words; SELECT count(*) FROM a`), { kind: 'rows' })
}

t.test('one box: the configuration\'s, and the host\'s own; nothing of them is kept', async t => {
  const folder = join(root, 'box')
  const skein = await Skein.start({ folder, executors: 1, config, environment })
  t.teardown(() => skein.stop())
  await use(skein)
  t.ok(host.asked.includes('GET /latest/meta-data/iam/security-credentials/lake-reader'), host.asked.join('\n'))
  const files = filesIn(join(folder, 'data'))
  t.ok(files.some(({ bytes }) => bytes.includes('control_word')), 'what is there is found')
  t.strictSame(files.filter(({ bytes }) => holds(bytes)).map(({ path }) => path), [])
  t.notOk(holds(Buffer.from(skein.errors)), 'the log')
})

t.test('several hosts: neither in their folders nor in the store', async t => {
  if (!haveEtcd(t)) return
  const etcd = await EtcdServers.start(1)
  t.teardown(() => etcd.stop())
  const folder = join(root, 'hosts')
  const hosts = await Hosts.start({
    folder, store: { etcd: etcd.hosts }, coordinators: 1, executors: 1, config, environment,
  })
  t.teardown(() => hosts.stop())
  await use(hosts.coordinator(0))
  const answer = await fetch(`${etcd.hosts[0]}/v3/kv/range`, {
    method: 'POST', body: JSON.stringify({ key: 'AA==', range_end: 'AA==' }),
  })
  const { kvs } = await answer.json() as { readonly kvs: readonly { readonly key: string; readonly value?: string }[] }
  const pairs = kvs.map(({ key, value = '' }) => [Buffer.from(key, 'base64'), Buffer.from(value, 'base64')] as const)
  t.ok(pairs.some(([, value]) => value.includes('127.0.0.1')), 'what is there is found')
  t.strictSame(pairs.filter(([key, value]) => holds(key) || holds(value)).map(([key]) => String(key)), [])
  const files = filesIn(folder)
  const own = files.filter(({ path }) => !path.endsWith('/secret.key'))
  t.ok(own.some(({ bytes }) => bytes.includes('control_word')), 'what is there is found')
  t.strictSame(own.filter(({ bytes }) => holds(bytes)).map(({ path }) => path), [])
})

t.test('the environment\'s come before the host\'s', async t => {
  const { open, server, put } = await openRemoteBucket(t, { secrets })
  put('a', 'hello')
  const given = { ...bare, AWS_ACCESS_KEY_ID: 'AKIAENV', AWS_SECRET_ACCESS_KEY: secrets.AKIAENV }
  const before = { ...process.env }
  Object.assign(process.env, given, { AWS_EC2_METADATA_SERVICE_ENDPOINT: host.endpoint })
  t.teardown(() => {
    for (const name of Object.keys(given)) delete process.env[name]
    Object.assign(process.env, before)
  })
  const asked = host.asked.length
  t.match(await open({ credentials: null }).head('a'), { sizeBytes: 5 })
  t.equal(host.asked.length, asked)
  t.equal(server.traffic('head').requests, 1)
  Object.assign(process.env, { AWS_SECRET_ACCESS_KEY: 'another' })
  await t.rejects(open({ credentials: null }).head('a'), { code: /./ }, 'it is this one that counts')
})
