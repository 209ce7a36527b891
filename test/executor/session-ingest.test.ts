/** Rows of a client into a table that a session owns, by gRPC, in every mode: all of them or none. */

import { Int32, Table, tableToIPC, Utf8, vectorFromArray } from 'apache-arrow'
import t from 'tap'
import { GrpcSessionChannel, type IngestInit } from '../../coordinator/session/session-channel.ts'
import { readStream } from '../../proto/arrow-stream.ts'
import { asQueryError } from '../../proto/errors.ts'
import { executorInfo } from '../../proto/cluster-values.ts'
import { IngestBegin_IfMissing as IfMissing, IngestBegin_IfThere as IfThere } from '../../proto/gen/session_pb.js'
import { columnTexts, toTable } from './arrow-text.ts'
import { launchOf, SECRET, startProcess, startStore } from './executor-process.ts'
import { temporaryFolder } from './workbench.ts'

t.setTimeout(240_000)

const folder = temporaryFolder(t)
const { address: store } = await startStore(t, folder)
const { answer } = await startProcess(t, launchOf(folder, 'one', store))
if (!answer.ready || answer.role !== 'executor') throw new Error('the executor is not ready')
const info = executorInfo({
  id: 'e', incarnation: 'i', address: answer.address, processId: 1, slots: 1, memoryBytes: 1n, cacheBytes: 1n,
  skeinVersion: '', duckdbVersion: '', labels: {},
})
const channel = new GrpcSessionChannel(info, { secret: SECRET, tls: null })
t.teardown(() => channel.end())
const { signal } = new AbortController()
const session = {
  sessionId: 's', coordinatorId: 'c', principal: 'ann', defaultCatalog: 'lake', defaultSchema: 'main',
}

type Ending = 'whole' | 'damaged' | 'without its end'
interface Mode { readonly ifMissing: IfMissing; readonly ifThere: IfThere }
const modes = {
  create: { ifMissing: IfMissing.CREATE, ifThere: IfThere.FAIL },
  append: { ifMissing: IfMissing.FAIL, ifThere: IfThere.APPEND },
  replace: { ifMissing: IfMissing.CREATE, ifThere: IfThere.REPLACE },
  createAppend: { ifMissing: IfMissing.CREATE, ifThere: IfThere.APPEND },
} as const

async function* ingestOf(table: string, mode: Mode, rows: Table, ending: Ending): AsyncGenerator<IngestInit> {
  yield { message: { case: 'begin', value: { sessionId: 's', catalog: 'memory', schema: 'main', table, ...mode } } }
  const bytes = (async function* () { yield tableToIPC(rows, 'stream') })()
  for await (const { dataHeader, dataBody } of readStream(bytes)) {
    yield { message: { case: 'frame', value: { dataHeader, dataBody } } }
  }
  const damaged = { dataHeader: new Uint8Array(8), dataBody: new Uint8Array(0) }
  if (ending === 'damaged') yield { message: { case: 'frame', value: damaged } }
  if (ending !== 'without its end') yield { message: { case: 'end', value: {} } }
}

const two = new Table({ a: vectorFromArray([1, 2], new Int32()), b: vectorFromArray(['x', 'y'], new Utf8()) })
const one = new Table({ b: vectorFromArray(['z'], new Utf8()), a: vectorFromArray([3], new Int32()) })
const ingest = (table: string, mode: keyof typeof modes, rows: Table, ending: Ending = 'whole'): Promise<string> =>
  channel.ingest(ingestOf(table, modes[mode], rows, ending), signal)
    .then(({ rowCount }) => String(rowCount), (thrown: unknown) => asQueryError(thrown).code)

let results = 0
async function ask(sql: string): Promise<unknown> {
  const { columns } = await channel.bind({ ...session, sql }, signal)
  const typed = columns.map(({ name, type }) => ({ name, type }))
  const { frames } = await channel.run({ sessionId: 's', resultId: `r${++results}`, sql, columns: typed }, signal)
  return columnTexts(toTable(frames), 0)
}

t.test('rows go where the mode says, matched by the names of their columns', async t => {
  await channel.bind({ ...session, open: true, sql: 'SELECT 1' }, signal)
  t.equal(await ingest('t', 'append', two), 'TABLE_NOT_FOUND')
  t.equal(await ingest('t', 'create', two), '2')
  t.equal(await ingest('t', 'create', two), 'TABLE_EXISTS')
  t.equal(await ingest('t', 'append', one), '1')
  t.strictSame(await ask('SELECT a || b AS x FROM memory.t ORDER BY 1'), ['1x', '2y', '3z'])
  t.equal(await ingest('t', 'append', two, 'damaged'), 'INVALID_REQUEST')
  t.equal(await ingest('t', 'append', two, 'without its end'), 'CANCELLED')
  t.strictSame(await ask('SELECT count(*)::VARCHAR FROM memory.t'), ['3'], 'neither has left anything')
  t.equal(await ingest('t', 'replace', one), '1')
  t.equal(await ingest('t', 'createAppend', two), '2')
  t.strictSame(await ask('SELECT a || b AS x FROM memory.t ORDER BY 1'), ['1x', '2y', '3z'])
})

t.test('rows are part of the transaction that is open', async t => {
  await channel.bind({ ...session, sql: 'SELECT 1', begin: true }, signal)
  t.equal(await ingest('t', 'append', two), '2')
  t.strictSame(await ask('SELECT count(*)::VARCHAR FROM memory.t'), ['5'])
  await channel.run({ sessionId: 's', resultId: 'end', sql: 'ROLLBACK', ends: true,
    columns: [{ name: 'Success', type: 'BOOLEAN' }] }, signal)
  t.strictSame(await ask('SELECT count(*)::VARCHAR FROM memory.t'), ['3'])
})

t.test('nobody else has the session, and it ends', async t => {
  const foreign = channel.bind({ ...session, principal: 'bob', sql: 'SELECT 1' }, signal)
  t.equal(await foreign.then(() => 'bound', (thrown: unknown) => asQueryError(thrown).code), 'PERMISSION_DENIED')
  await channel.close('s')
  t.equal(await ask('SELECT 1').catch((thrown: unknown) => asQueryError(thrown).code), 'SESSION_LOST')
})
