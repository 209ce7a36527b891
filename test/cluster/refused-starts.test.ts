/** What cannot start says why in one line and ends with 1; no process and no lock is left. */

import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { runCommand } from './command.ts'
import { faultConfig } from './fault-tables.ts'
import { Skein } from './skein.ts'
import { processesWith } from './watch.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-refused-'))
t.teardown(() => rm(folder, { recursive: true }))
const free = { http: '127.0.0.1:0', flight: '127.0.0.1:0', admin: '127.0.0.1:0' }

let count = 0

/** The text of a configuration as a file of its own. */
async function written(text: string): Promise<string> {
  const file = join(folder, `${++count}.yaml`)
  await writeFile(file, text)
  return file
}

/** Runs it and expects `error: CODE: ` and a message that matches, in one line. */
async function refused(t: Test, words: readonly string[], code: string, message: RegExp): Promise<void> {
  const mark = `refused ${++count} ${folder}`
  const { status, stdout, stderr } = await runCommand(words, { folder, environment: { MARK: mark } })
  t.strictSame({ status, stdout }, { status: 1, stdout: '' }, words.join(' '))
  const [, found, text = ''] = /^error: ([A-Z_]+): ([^\n]*)\n$/.exec(stderr) ?? []
  t.equal(found, code, stderr)
  t.match(text, message)
  t.strictSame(processesWith(mark), [], 'no process is left')
}

/** Nobody listens there. */
const nobody = '127.0.0.1:1'
const noTables = { listen: free }

t.test('words that mean nothing', async t => {
  await Promise.all([
    refused(t, ['fly'], 'INVALID_REQUEST', /^no command 'fly'; see skein help$/),
    refused(t, ['start', '--fast'], 'INVALID_REQUEST', /^Unknown option '--fast'; see skein help$/),
    refused(t, ['start', 'now'], 'INVALID_REQUEST', /^start takes no 'now'; see skein help$/),
    refused(t, ['start', '--executors', '0'], 'INVALID_REQUEST', /--executors .* from 1 to 64, not '0'/),
    refused(t, ['query', '--format', 'xml', 'SELECT 1'], 'INVALID_REQUEST', /table, json, csv or arrow, not 'xml'/),
    refused(t, ['admin', 'crash'], 'INVALID_REQUEST', /executors \| coordinators \| queries \| query ID \| kill ID/),
    refused(t, ['admin', 'queries', '--url', `grpc://${nobody}`], 'UNAVAILABLE', /no answer from grpc:\/\/127.*:1$/),
    refused(t, ['query', '--url', `http://${nobody}`, 'SELECT 1'], 'UNAVAILABLE', /no answer from .*ECONNREFUSED/),
  ])
})

t.test('configurations that are wrong', async t => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['a: [1', /line 1, column \d+: /],
    ['data_dir: 5', /: data_dir: must be a text$/],
    ['buckets: { lake: { provider: local } }', /: buckets\.lake\.path: is missing$/],
    ['catalogs: { shop: { type: bucket_tables, bucket: lak, tables: {} } }', /: catalogs\.shop\.bucket: no .* 'lak'$/],
    ['data_dir: "${SKEIN_NOWHERE}"', /: data_dir: no environment variable named 'SKEIN_NOWHERE'$/],
    ['listen: { http: "127.0.0.1" }', /: listen\.http: '127\.0\.0\.1' is not host:port/],
    ['data_dir: /dev/null/data', /data_dir \/dev\/null\/data cannot be made: ENOTDIR/],
  ]
  await refused(t, ['start', '--config', 'nowhere.yaml'], 'INVALID_CONFIG', /^nowhere\.yaml: no such file$/)
  for (const [text, message] of wrong) {
    await refused(t, ['start', '--config', await written(text)], 'INVALID_CONFIG', message)
  }
})

t.test('an address and a data directory that are in use', async t => {
  const server = createServer()
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  const taken = `127.0.0.1:${(server.address() as AddressInfo).port}`
  for (const door of ['http', 'flight']) {
    const file = await written(JSON.stringify({ data_dir: `at-${door}`, listen: { ...free, [door]: taken } }))
    const why = new RegExp(`^cannot listen on ${taken}: listen EADDRINUSE: address already in use ${taken}$`)
    await refused(t, ['start', '--config', file], 'INVALID_CONFIG', why)
    t.strictSame(await readdir(join(folder, `at-${door}`)), ['coordinator'], 'no lock is left')
  }
  server.close()
  const skein = await Skein.start({ folder: join(folder, 'first'), executors: 1, config: {} })
  const file = join(folder, 'first', 'skein.yaml')
  const { status, stderr } = await runCommand(['start', '--config', file])
  t.strictSame({ status, stderr }, {
    status: 1,
    stderr: `error: INVALID_CONFIG: data_dir ${join(folder, 'first', 'data')} is in use by process ${skein.pid}\n`,
  })
  t.match(await skein.query('SELECT 1'), { kind: 'rows' }, 'the first does not notice')
  await skein.stop()
  await writeFile(join(folder, 'first', 'data', 'skein.pid'), `${process.pid} 1`)
  const again = await Skein.start({ folder: join(folder, 'first'), executors: 1, config: {} })
  t.pass('a lock of an ended process, whose id another one has, does not hold')
  await again.stop()
})

t.test('an executor or a coordinator that cannot start', async t => {
  const cases: readonly (readonly [name: string, spoil: (dataDir: string) => Promise<unknown>, message: RegExp])[] = [
    ['executor-file', dir => writeFile(join(dir, 'executor-2'), ''), /the data directory .*executor-2: EEXIST/],
    ['executor-id', dir => mkdir(join(dir, 'executor-2', 'id'), { recursive: true }), /EISDIR.*executor-2/],
    ['coordinator-file', dir => writeFile(join(dir, 'coordinator'), ''), /EEXIST.*coordinator/],
  ]
  for (const [name, spoil, message] of cases) {
    await mkdir(join(folder, name))
    await spoil(join(folder, name))
    const file = await written(JSON.stringify({ data_dir: name, ...noTables }))
    await refused(t, ['start', '--config', file, '--executors', '2'], 'INVALID_CONFIG', message)
  }
  const noFolder = faultConfig(join(folder, 'no-lake'))
  const file = await written(JSON.stringify({ data_dir: 'no-lake-data', ...noTables, ...noFolder }))
  await refused(t, ['query', '--config', file, 'SELECT 1'], 'INVALID_CONFIG', /bucket lake: no folder .*: ENOENT/)
})
