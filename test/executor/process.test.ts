/** Real executor processes, reached by gRPC alone: a query of two stages over two of them, secrets, and their end. */

import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { decodeExecutorInfo } from '../../proto/cluster-values.ts'
import { LocalStore } from '../../cache/local-store.ts'
import { ControlChannel, type ControlCall } from '../../coordinator/control-channel.ts'
import { systemClock } from '../../proto/clock.ts'
import { FileFormat, type ExchangeSource, type TaskStatus } from '../../proto/gen/executor_pb.js'
import { columnTexts, toTable } from './arrow-text.ts'
import { client, launchOf, startProcess, startStore, Watch, type ExecutorProcess } from './executor-process.ts'
import { temporaryFolder, toResult } from './workbench.ts'

/** Processes start slowly when the machine is busy. */
t.setTimeout(240_000)

const EMITTED = 1
const ROW = [{ type: 'HUGEINT', wireType: 'VARCHAR' }, { type: 'VARCHAR', wireType: 'VARCHAR' }]

function address({ answer }: ExecutorProcess): string {
  if (!answer.ready || answer.role !== 'executor') throw new Error(`not ready: ${JSON.stringify(answer)}`)
  return answer.address
}

function filesOf(state: TaskStatus['state'], source: ExchangeSource | undefined, partition: number) {
  if (state.case !== 'succeeded') throw new Error(state.case === 'failed' ? state.value.message : 'not ended')
  return state.value.files.filter(file => file.partition === partition).map(({ path, sizeBytes, rowCount }) => ({
    ...(source === undefined ? {} : { source }), path, sizeBytes, rowCount,
  }))
}

async function splitOf(folder: string, key: string) {
  const { etag, sizeBytes } = await new LocalStore('lake', join(folder, 'lake')).head(key)
  return { file: { bucket: 'lake', key, etag, sizeBytes: BigInt(sizeBytes) } }
}

type Calls = { readonly [K in NonNullable<ControlCall['case']>]:
  (value: Extract<ControlCall, { case: K }>['value']) => Promise<void> }

/** The small calls to one executor. */
function caller(service: ReturnType<typeof client>): Calls {
  const calls = new ControlChannel(requests => service.control(requests), systemClock)
  return {
    reserve: value => calls.call({ case: 'reserve', value }),
    launchTask: value => calls.call({ case: 'launchTask', value }),
    cancelTask: value => calls.call({ case: 'cancelTask', value }),
    removeOutputs: value => calls.call({ case: 'removeOutputs', value }),
    freeMemory: value => calls.call({ case: 'freeMemory', value }),
    setDraining: value => calls.call({ case: 'setDraining', value }),
    releaseQuery: value => calls.call({ case: 'releaseQuery', value }),
  }
}

/** Two executors, and a CSV table of 1000 rows that each reads half of. */
async function cluster(t: Test) {
  const folder = temporaryFolder(t)
  const { store, address: storeAddress } = await startStore(t, folder)
  const processes = await Promise.all(['e1', 'e2'].map(name => startProcess(t, launchOf(folder, name, storeAddress))))
  const lines = (from: number) => Array.from({ length: 500 }, (_, i) => `${from + i},n${(from + i) % 7}\n`).join('')
  writeFileSync(join(folder, 'lake/a.csv'), lines(0))
  writeFileSync(join(folder, 'lake/b.csv'), lines(500))
  const executors = await Promise.all(processes.map(async process => {
    const service = client(t, address(process))
    const watch = new Watch(t, service)
    const { event } = await watch.hello()
    const source = event.case === 'hello' ? event.value.source : undefined
    return { process, service, watch, call: caller(service), source }
  }))
  return { folder, store, executors }
}

type Cluster = Awaited<ReturnType<typeof cluster>>

/** Stage 0 of a query: each executor sums up one file by name, in two hash partitions. */
async function firstStage({ folder, executors }: Cluster, queryId: string): Promise<TaskStatus['state'][]> {
  return Promise.all(executors.map(async ({ call, watch }, i) => {
    const taskId = `${queryId}.0.${i}.0`
    await call.reserve({ queryId, coordinatorId: 'c1', memoryBytes: 100_000_000n })
    await call.launchTask({
      coordinatorId: 'c1',
      task: {
        taskId, queryId, stage: 0, partition: i, attempt: 0, sqlKind: EMITTED,
        sql: 'SELECT sum(id)::HUGEINT AS c0, name AS c1 FROM scan0 GROUP BY name',
        scans: [{
          name: 'scan0', format: FileFormat.CSV,
          columns: [{ name: 'id', type: 'BIGINT' }, { name: 'name', type: 'VARCHAR' }],
          options: { header: 'false', delim: "','", auto_detect: 'false' },
          splits: [await splitOf(folder, ['a.csv', 'b.csv'][i] ?? '')],
        }],
        output: { case: 'exchange', value: { columns: ROW, hashKeys: ['c1'], partitionCount: 2 } },
      },
    })
    return watch.end(taskId)
  }))
}

/** Stage 1 on executor 0 reads both partitions of both, by way of `sources`. */
async function lastStage(
  { executors }: Cluster, queryId: string, states: TaskStatus['state'][], sources: (ExchangeSource | undefined)[],
) {
  const [first] = executors
  if (first === undefined) throw new Error('no executor')
  const files = states.flatMap((state, i) => [0, 1].flatMap(partition => filesOf(state, sources[i], partition)))
  const taskId = `${queryId}.1.0.0`
  await first.call.launchTask({
    coordinatorId: 'c1',
    task: {
      taskId, queryId, stage: 1, sqlKind: EMITTED, inputs: [{ name: 'ex0', columns: ROW, files }],
      sql: 'SELECT c1 AS c0, sum(c0)::HUGEINT AS c1 FROM ex0 GROUP BY ex0.c1 ORDER BY ex0.c1',
      output: toResult([{ name: 'name', type: 'VARCHAR' }, { name: 'sum', type: 'HUGEINT' }]),
    },
  })
  const frames = []
  for await (const frame of first.service.fetchResult({ queryId })) frames.push(frame)
  const table = toTable(frames)
  return columnTexts(table, 0).map((name, i) => `${name}=${columnTexts(table, 1)[i]}`)
}

const running = await cluster(t)
const { executors } = running
const [first] = executors
if (first === undefined) throw new Error('no executor')

const answer = Array.from({ length: 7 }, (_, k) => {
  const ids = Array.from({ length: 1000 }, (_, i) => i).filter(i => i % 7 === k)
  return `n${k}=${ids.reduce((sum, i) => sum + i, 0)}`
})

t.test('a query of two stages over two executors, by path and by gRPC; released, it leaves nothing', async t => {
  const { folder } = running
  const states = await firstStage(running, 'qa')
  const sources = executors.map(({ source }) => source)
  t.strictSame(await lastStage(running, 'qa', states, sources), answer, 'by path')
  const nowhere = { markerPath: '/nowhere', markerToken: 'another disk', folder: '/nowhere' }
  const far = sources.map(source => source === undefined ? undefined : { ...source, ...nowhere })
  const again = await firstStage(running, 'qb')
  t.strictSame(await lastStage(running, 'qb', again, far), answer, 'by gRPC')
  await executors[1]?.call.removeOutputs({ queryId: 'qa', taskIds: ['qa.0.1.0', 'unknown'] })
  t.strictSame(readdirSync(join(folder, 'e2', 'exchange', 'qa')), [], 'nobody reads it any more')
  await Promise.all(executors.flatMap(({ call }) => ['qa', 'qb'].map(queryId => call.releaseQuery({ queryId }))))
  for (const name of ['e1', 'e2']) t.strictSame(readdirSync(join(folder, name, 'exchange')), ['marker'], name)
  await t.rejects(async () => first.service.fetchResult({ queryId: 'qa' })[Symbol.asyncIterator]().next(),
    { code: 'NOT_FOUND' })
})

t.test('without the secret every call is refused', async t => {
  for (const secret of ['', 'wrong']) {
    const service = client(t, address(first.process), secret)
    const stream = (events: AsyncIterable<unknown>) => events[Symbol.asyncIterator]().next()
    for (const call of [
      caller(service).reserve({ queryId: 'q' }), caller(service).launchTask({}),
      stream(service.watchTasks({})), stream(service.fetchExchange({})), stream(service.fetchResult({})),
    ]) await t.rejects(async () => { await call }, { code: 'UNAUTHENTICATED' })
  }
})

t.test('no path leads out of a query\'s exchange folder', async t => {
  await firstStage(running, 'qp')
  for (const path of ['../id', '/etc/passwd', 'marker', 'qp/../marker', 'qp', '', 'qp/\0']) {
    const chunks = first.service.fetchExchange({ queryId: 'qp', path })[Symbol.asyncIterator]()
    await t.rejects(chunks.next(), { code: 'NOT_FOUND' }, JSON.stringify(path))
  }
})

t.test('a cancelled task ends within a second, and releasing waits for it', async t => {
  const launch = (taskId: string, queryId: string) => first.call.launchTask({
    coordinatorId: 'c1',
    task: {
      taskId, queryId, sqlKind: EMITTED,
      sql: 'SELECT sum(a.i * b.i) AS c0 FROM range(9000000) a(i), range(9000000) b(i)',
      output: { case: 'exchange', value: { columns: ROW.slice(0, 1), partitionCount: 1 } },
    },
  })
  await launch('qc.0.0.0', 'qc')
  await first.call.cancelTask({ taskId: 'qc.0.0.0' })
  t.match(await first.watch.end('qc.0.0.0'), { case: 'failed', value: { code: 'CANCELLED' } })
  await launch('qd.0.0.0', 'qd')
  await first.call.releaseQuery({ queryId: 'qd' })
  await t.rejects(launch('qd.0.0.1', 'qd'), { code: 'CANCELLED' }, 'a late launch starts nothing')
})

t.test('memory is booked once, and what does not fit is EXECUTOR_FULL', async t => {
  const reserve = (queryId: string, memoryBytes: bigint) =>
    first.call.reserve({ queryId, coordinatorId: 'c1', memoryBytes })
  await reserve('qm', 800_000_000n)
  await reserve('qm', 800_000_000n)
  await t.rejects(reserve('qn', 800_000_000n), { code: 'EXECUTOR_FULL' })
  await first.call.releaseQuery({ queryId: 'qm' })
  await reserve('qn', 800_000_000n)
})

t.test('a wrong start is one line and exit code 1', async t => {
  const folder = temporaryFolder(t)
  const { address: storeAddress } = await startStore(t, folder)
  const wrong = [
    [{ listen: 'nonsense' }, 'INVALID_CONFIG'], [{ threads: 0 }, 'INVALID_CONFIG'],
    [{ store: { kind: 'remote', secret: 's', address: '127.0.0.1:1' } }, 'UNAVAILABLE'],
    [{ buckets: { lake: { provider: 'local', path: join(folder, 'none') } } }, 'INVALID_CONFIG'],
  ] as const
  for (const [more, code] of wrong) {
    const { answer, ended } = await startProcess(t, launchOf(folder, 'e1', storeAddress, more))
    t.match(answer, { ready: false, code, message: /./ })
    t.equal(await ended, 1)
  }
})

t.test('an executor is registered while it lives, and its end takes it out', async t => {
  const { store, folder } = running
  const members = async () => (await store.list('members/')).entries.map(({ value }) => decodeExecutorInfo(value))
  t.strictSame((await members()).map(member => member?.address).sort(),
    executors.map(({ process }) => address(process)).sort())
  t.match(await members(), [{ duckdbVersion: /^v\d/, slots: 2, labels: { site: 'a' } }, {}])
  for (const { process } of executors) process.process.stdin?.end()
  t.strictSame(await Promise.all(executors.map(({ process }) => process.ended)), [0, 0],
    'standard input ended, and so did they')
  t.strictSame(await members(), [])
  t.notOk(existsSync(join(folder, 'e1/exchange')), 'work folders are gone')
})
