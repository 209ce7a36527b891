/** Traces of queries: a real collector gets the spans of a distributed query, below the span of its client. */

import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { tpchConfig } from '../../bench/tpch/cluster.ts'
import { tpchQueries } from '../../bench/tpch/queries.ts'
import { CommandStatementQuerySchema } from '../../proto/gen/flight_sql_pb.js'
import { FlightClient, packed, rowsOf } from '../serve/flight-client.ts'
import { Skein } from './skein.ts'
import { makeTpch } from './tpch-runs.ts'
import { until } from './watch.ts'

interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
  readonly name: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[]
  readonly status: { readonly code: number; readonly message?: string }
  /** Of its resource. */
  readonly service: string
  readonly instance: string
}

interface Message {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly { readonly value: { readonly stringValue: string } }[] }
    readonly scopeSpans: readonly { readonly spans: readonly Omit<Span, 'service' | 'instance'>[] }[]
  }[]
}

const SCALE = 0.01
const WITHIN_MS = 10_000
const spans: Span[] = []
/** What the collector answers. */
let status = 200
const collector = createServer((request, response) => {
  let body = ''
  request.setEncoding('utf8').on('data', piece => { body += String(piece) })
  request.on('end', () => {
    if (status === 200 && request.url === '/v1/traces' && request.headers['content-type'] === 'application/json') {
      for (const { resource, scopeSpans } of (JSON.parse(body) as Message).resourceSpans) {
        const [service = '', instance = ''] = resource.attributes.map(({ value }) => value.stringValue)
        spans.push(...scopeSpans.flatMap(scope => scope.spans.map(span => ({ ...span, service, instance }))))
      }
    }
    response.writeHead(status).end('{}')
  })
})
await new Promise<void>(resolve => { collector.listen(0, '127.0.0.1', resolve) })
const { port } = collector.address() as AddressInfo
const folder = await mkdtemp(join(tmpdir(), 'skein-tracing-'))
const data = await makeTpch(SCALE, folder)
const skein = await Skein.start({
  folder, executors: 2, environment: { SKEIN_WHOLE_BYTES: '0', SKEIN_BROADCAST_ROWS: '0' },
  config: { ...tpchConfig(data.folder), tracing: { endpoint: `http://127.0.0.1:${port}/v1/traces` } },
})
t.teardown(async () => {
  await skein.stop()
  await new Promise(resolve => { collector.close(resolve) })
  await rm(folder, { recursive: true, force: true })
})

const traceOf = (digit: string) => ({ traceId: digit.repeat(32), parent: 'b'.repeat(16) })
const ask = async (statement: string, traceparent: string): Promise<number> => (await fetch(
  new URL('/query', skein.doors.http),
  { method: 'POST', headers: { traceparent }, body: JSON.stringify({ statement }) },
).then(async answer => { await answer.text(); return answer.status }))
const spansOf = (traceId: string): readonly Span[] => spans.filter(span => span.traceId === traceId)
const attribute = (span: Span | undefined, key: string): unknown =>
  Object.values(span?.attributes.find(one => one.key === key)?.value ?? {})[0]

t.test('a distributed query is a tree of spans below that of its client', async t => {
  const { traceId, parent } = traceOf('a')
  t.equal(await ask(tpchQueries(SCALE)[2]?.sql ?? '', `00-${traceId}-${parent}-01`), 200)
  await until('its spans are there', WITHIN_MS, () => spansOf(traceId).some(({ name }) => name === 'query'))
  const own = spansOf(traceId)
  const [root, ...more] = own.filter(({ name }) => name === 'query')
  t.strictSame(more, [])
  t.equal(root?.parentSpanId, parent)
  t.equal(root?.service, 'skein-coordinator')
  t.match(attribute(root, 'db.query.text'), /c_mktsegment/)
  const named = new Map(own.map(span => [span.spanId, span]))
  t.equal(named.size, own.length, 'every span has an id of its own')
  const parentOf = (span: Span): string | undefined => named.get(span.parentSpanId)?.name
  const stages = own.filter(({ name }) => name.startsWith('stage '))
  const tasks = own.filter(({ name }) => name.startsWith('task '))
  t.ok(stages.length > 1 && tasks.length > stages.length)
  t.strictSame(own.filter(({ name }) => name === 'plan').map(parentOf), ['query'])
  t.ok(stages.every(stage => parentOf(stage) === 'query'))
  t.strictSame(tasks.filter(task => parentOf(task) !== `stage ${task.name.slice('task '.length).split('.')[0]}`), [])
  t.equal(new Set(tasks.map(({ instance }) => instance)).size, 2, 'tasks belong to their executors')
  t.ok(tasks.every(({ service }) => service === 'skein-executor'))
  t.equal(String(tasks.length), attribute(root, 'skein.tasks'))
  const times = own.map(span => [BigInt(span.startTimeUnixNano), BigInt(span.endTimeUnixNano)] as const)
  t.ok(times.every(([from, to]) => from <= to && from >= BigInt(root?.startTimeUnixNano ?? 0)), 'none before the query')
})

t.test('Flight takes the same header; an error is told, and who wants no record gets none', async t => {
  const client = new FlightClient(t, Number(new URL(skein.doors.flight ?? '').port))
  const { traceId, parent } = traceOf('c')
  client.metadata.set('traceparent', `00-${traceId}-${parent}-01`)
  const statement = packed(CommandStatementQuerySchema, { query: 'SELECT 42 AS x' })
  t.strictSame(rowsOf(await client.read(statement)), [{ x: 42 }])
  const unwanted = traceOf('d')
  await ask('SELECT 1', `00-${unwanted.traceId}-${unwanted.parent}-00`)
  const failed = traceOf('e')
  await ask('SELECT none FROM nation', `00-${failed.traceId}-${failed.parent}-01`)
  await ask(`SELECT /* odd */ 'password=hidden'`, 'no trace')
  await until('the last is there', WITHIN_MS, () =>
    spans.some(span => attribute(span, 'db.query.text') === `SELECT /* odd */ '***'`))
  t.equal(spansOf(traceId).find(({ name }) => name === 'query')?.parentSpanId, parent)
  t.strictSame(spansOf(unwanted.traceId), [])
  t.match(spansOf(failed.traceId).map(({ status }) => status), [{ code: 2, message: 'BIND_ERROR' }])
})

t.test('what the collector does not take is counted, and no query waits for it', async t => {
  status = 503
  const { traceId, parent } = traceOf('f')
  t.equal(await ask('SELECT 1', `00-${traceId}-${parent}-01`), 200)
  await until('it is counted', WITHIN_MS, async () => {
    const text = await fetch(new URL('/metrics', skein.doors.http)).then(answer => answer.text())
    return Number(/^skein_spans_lost_total (\d+)$/m.exec(text)?.[1]) > 0
  })
  status = 200
  const again = traceOf('9')
  await ask('SELECT 2', `00-${again.traceId}-${again.parent}-01`)
  await until('it is taken again', WITHIN_MS, () => spansOf(again.traceId).length > 0)
  t.strictSame(spansOf(traceId), [])
})
