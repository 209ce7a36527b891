/** What operators and their tools see of a real cluster: probes, metrics, admin calls, events, the terminal view. */

import { create } from '@bufbuild/protobuf'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { AdminService } from '../../proto/gen/admin_pb.js'
import { Health, HealthCheckResponse_ServingStatus as Status } from '../../proto/gen/health_pb.js'
import { ServerReflection, ServerReflectionRequestSchema } from '../../proto/gen/reflection_pb.js'
import { GrpcChannel } from '../../proto/grpc-channel.ts'
import { checkout } from '../checkout.ts'
import { runCommand, startCommand } from './command.ts'
import { faultConfig, writeFaultTables } from './fault-tables.ts'
import { Skein } from './skein.ts'
import { until } from './watch.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-operate-'))
await writeFaultTables(folder)
const skein = await Skein.start({ folder: join(folder, 'own'), executors: 2, config: faultConfig(folder) })
const channel = new GrpcChannel((skein.doors.admin ?? '').slice('grpc://'.length))
t.teardown(async () => {
  channel.close()
  await skein.stop()
  await rm(folder, { recursive: true })
})

const options = { deadlineMs: 10_000 }
const admin = (...words: string[]) => runCommand([...words, '--url', skein.doors.admin ?? ''])

async function get(path: string): Promise<{ status: number | undefined; body: string }> {
  const response = await skein.request('GET', path)
  let body = ''
  for await (const piece of response.setEncoding('utf8')) body += String(piece)
  return { status: response.statusCode, body }
}

t.test('probes and metrics tell how it is', async t => {
  t.match(await get('/livez'), { status: 200 })
  t.match(await get('/readyz'), { status: 200 })
  await skein.query('SELECT count(*) FROM small')
  await skein.query('SELECT no_such_column FROM small')
  const { status, body } = await get('/metrics')
  t.equal(status, 200)
  t.match(body, /^skein_queries_ended_total\{state="finished",code=""\} 1$/m)
  t.match(body, /^skein_queries_ended_total\{state="failed",code="BIND_ERROR"\} 1$/m)
  t.match(body, /^skein_executors\{state="active"\} 2$/m)
})

t.test('whatever the dashboard and the alarms ask for is told, from the start', async t => {
  const series = [...(await get('/metrics')).body.matchAll(/^([a-z_]+)(?:\{(.*)\})? /gm)]
    .map(([, name = '', labels = '']) => ({ name, labels: new Set(labels.split(',')) }))
  const files = ['deploy/prometheus/alerts.yaml', 'deploy/grafana/skein.json']
  const texts = await Promise.all(files.map(path => readFile(new URL(path, checkout), 'utf8')))
  const asked = texts.flatMap(text => [...text.replaceAll('\\"', '"')
    .matchAll(/\b((?:skein|process)_[a-z_]+)(?:\{([^}]*)\})?/g)])
  t.ok(asked.length > 15)
  for (const [text, name, labels = ''] of asked) {
    const wanted = labels.split(',').filter(label => /^\w+="[^"]/.test(label) && !label.startsWith('job='))
    t.ok(series.some(one => one.name === name && wanted.every(label => one.labels.has(label))), text)
  }
})

t.test('the door of operators tells of itself: health and reflection', async t => {
  const health = channel.service(Health)
  t.equal((await health.check({ service: '' }, options)).status, Status.SERVING)
  t.equal((await health.check({ service: 'skein.admin.v1.AdminService' }, options)).status, Status.SERVING)
  t.equal((await health.check({ service: 'nothing' }, options)).status, Status.SERVICE_UNKNOWN)
  const ask = async function* () {
    yield create(ServerReflectionRequestSchema, { messageRequest: { case: 'listServices', value: '' } })
    yield create(ServerReflectionRequestSchema, {
      messageRequest: { case: 'fileContainingSymbol', value: 'skein.admin.v1.AdminService.ListQueries' },
    })
    yield create(ServerReflectionRequestSchema, { messageRequest: { case: 'fileByFilename', value: 'none.proto' } })
  }
  const answers = []
  for await (const answer of channel.service(ServerReflection).serverReflectionInfo(ask())) answers.push(answer)
  t.match(answers.map(({ messageResponse }) => messageResponse), [
    { case: 'listServicesResponse', value: { service: [{ name: 'skein.admin.v1.AdminService' }] } },
    { case: 'fileDescriptorResponse' }, { case: 'errorResponse', value: { errorCode: 5 } },
  ])
})

t.test('a query is seen with its tasks, and its start and end are events', async t => {
  const watching = startCommand(['admin', 'events', '--format', 'json', '--url', skein.doors.admin ?? ''])
  t.teardown(() => { watching.process.kill('SIGTERM') })
  let seen = ''
  watching.process.stdout?.on('data', (piece: Buffer) => { seen += piece.toString() })
  await until('the listener is heard', 20_000, async () => {
    await skein.query('SELECT 1')
    return seen.includes('"finished"')
  })
  const outcome = await skein.query('SELECT k, count(*) AS n FROM small GROUP BY k')
  const id = outcome.kind === 'rows' ? outcome.queryId : ''
  const told = (): readonly object[] => seen.split('\n').filter(line => line.includes(id))
    .map(line => JSON.parse(line) as object)
  await until('its end is told', 5_000, () => told().length >= 2)
  t.match(told(), [{ kind: 'query', state: 'started', principal: 'anonymous' }, { kind: 'query', state: 'finished' }])
  const { query, tasks } = await channel.service(AdminService).getQuery({ id }, options)
  t.match([query, tasks[0]], [{ state: 'finished' }, { state: 'succeeded' }])
  t.match(JSON.parse((await admin('admin', 'query', id, '--format', 'json')).stdout), [{ id, state: 'finished' }])
  watching.process.kill('SIGTERM')
  t.equal((await watching.ended).status, 0)
})

t.test('the command line shows the cluster, its settings and the whole at a glance', async t => {
  t.match(JSON.parse((await admin('admin', 'cluster', '--format', 'json')).stdout), [{ active_executors: 2 }])
  t.match((await admin('admin', 'settings')).stdout, /node\.threads/)
  t.match((await admin('top')).stdout, /2 of 2 executors active/)
})

t.test('the log names queries, and holds no statement', async t => {
  const secret = 'a-password-in-a-statement'
  await skein.query(`SELECT '${secret}' AS x`)
  const log = await readFile(join(folder, 'own', 'data', 'coordinator', 'coordinator.log'), 'utf8')
  t.match(log, /"query started"/)
  t.match(log, /"state":"finished"/)
  t.notOk(log.includes(secret))
})
