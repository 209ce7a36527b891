/**
 * A cluster with certificates on every port: etcd knows its users by theirs, nodes and operators know each other, and
 * no port answers a caller that it does not know.
 */

import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect as connectPlain } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { EtcdStore } from '../../cluster/etcd-store.ts'
import { systemClock } from '../../proto/clock.ts'
import { AdminService } from '../../proto/gen/admin_pb.js'
import type { FlightData } from '../../proto/gen/flight_pb.js'
import { CommandStatementQuerySchema } from '../../proto/gen/flight_sql_pb.js'
import { ExecutorService } from '../../proto/gen/executor_pb.js'
import { CacheService } from '../../proto/gen/cache_pb.js'
import { GrpcChannel } from '../../proto/grpc-channel.ts'
import { NODE_NAME, type Tls } from '../../proto/tls.ts'
import { Certificates, pem } from '../certificates.ts'
import { EtcdServers, haveEtcd } from '../etcd-server.ts'
import { startCommand } from './command.ts'
import { FlightClient, packed } from '../serve/flight-client.ts'
import { faultConfig, ROWS, writeFaultTables } from './fault-tables.ts'
import { Hosts } from './hosts.ts'
import { rowsIn } from './rows-in.ts'
import { Operator, until } from './watch.ts'

const SEEN_WITHIN_MS = 10_000
const CALL_WITHIN_MS = 5_000
const local = '127.0.0.1:0'

if (haveEtcd(t)) {
  const folder = await mkdtemp(join(tmpdir(), 'skein-tls-'))
  const certificates = new Certificates(join(folder, 'certs'))
  const [node, operator] = [certificates.make('node', 'skein'), certificates.make('operator', 'ann')]
  const root = certificates.make('operator', 'root')
  const foreign = pem(new Certificates(join(folder, 'foreign')).make('node', 'skein'))
  const etcd = await EtcdServers.start(1, { tls: { ...node, client: pem(root) } })
  t.teardown(async () => {
    await etcd.stop()
    await rm(folder, { recursive: true, force: true })
  })

  const etcdctl = (...words: string[]): void => {
    const { status, stderr } = spawnSync('etcdctl', [
      '--endpoints', etcd.hosts.join(), '--cacert', root.ca, '--cert', root.cert, '--key', root.key, ...words,
    ], { env: { ...process.env, ETCDCTL_API: '3' }, encoding: 'utf8' })
    if (status !== 0) throw new Error(`etcdctl ${words.join(' ')}: ${stderr}`)
  }
  etcdctl('user', 'add', 'root', '--no-password')
  etcdctl('user', 'grant-role', 'root', 'root')
  etcdctl('user', 'add', 'skein', '--no-password')
  etcdctl('role', 'add', 'skein')
  etcdctl('role', 'grant-permission', 'skein', '--prefix=true', 'readwrite', 'skein/')
  etcdctl('user', 'grant-role', 'skein', 'skein')
  etcdctl('auth', 'enable')
  await writeFaultTables(folder)
  const hosts = await Hosts.start({
    folder: join(folder, 'hosts'), store: { etcd: etcd.hosts, tls: node, server_name: NODE_NAME },
    coordinators: 1, executors: 2,
    ca: pem(node).ca.toString(),
    environment: { SKEIN_WHOLE_BYTES: '0' },
    config: {
      ...faultConfig(folder), tls: node, client_tls: { cert: node.cert, key: node.key }, result_hold_bytes: 1024 * 1024,
      listen: { http: local, flight: local, admin: local, results: local },
    },
  })
  t.teardown(() => hosts.stop())
  const { doors } = hosts.coordinator(0)
  const address = (door: string | undefined): string => new URL((door ?? '').replace('grpc+tls', 'grpc')).host

  await t.test('etcd lets a certificate do what its user may, for longer than a token would live', async t => {
    const open = (prefix: string, tls: Tls): EtcdStore => {
      const writer = '00000000-0000-0000-0000-000000000001'
      const store = new EtcdStore({ hosts: etcd.hosts, prefix, clock: systemClock, writer, tls, serverName: NODE_NAME })
      t.teardown(() => store.close())
      return store
    }
    const own = open('skein/', pem(node))
    const revision = await own.compareAndSwap('x', 0n, Buffer.from('1')) ?? 0n
    let seen = 0
    const breaks: string[] = []
    own.watch('x', 0n, changes => { seen += changes.length }, reason => breaks.push(String(reason)))
    await until('the watch has seen it', SEEN_WITHIN_MS, () => seen === 1)
    t.equal(await own.keepAlive(await own.grantLease(60_000)), true)
    await own.compareAndSwap('x', revision, null)
    await t.rejects(open('others/', pem(node)).get('x'), { code: 'PERMISSION_DENIED' })
    await t.rejects(open('skein/', pem(operator)).get('x'), { name: 'QueryError', code: /DENIED|UNAUTH/ })
    await t.rejects(open('skein/', foreign).get('x'), { code: 'UNAVAILABLE' })
    t.strictSame(breaks, [])
  })

  await t.test('nodes find each other, and clients are served with TLS', async t => {
    const admin = new Operator(doors, pem(operator))
    t.teardown(() => admin.close())
    await until('both are active', SEEN_WITHIN_MS, async () =>
      (await admin.executors()).filter(({ state }) => state === 'active').length === 2)
    t.match(doors, { http: /^https:/, flight: /^grpc\+tls:/, admin: /^grpc\+tls:/ })
    t.match(hosts.executor(0).doors, { executor: /^grpc\+tls:/, results: /^grpc\+tls:/ })
    const outcome = await hosts.coordinator(0).query('SELECT 42 AS n')
    t.match(outcome, { kind: 'rows', answer: { rows: [['42']] } })
    const large = await hosts.coordinator(0).query('SELECT i FROM range(200_000) AS r(i)') // fetched, not told
    t.equal(large.kind === 'rows' ? large.answer.rows.length : large.message, 200_000)
    t.equal(hosts.coordinator(0).errors, '')
  })

  await t.test('executors give parts of a result to clients, as its coordinator allows', async t => {
    const connect = (door: string | undefined): FlightClient =>
      new FlightClient(t, Number(address(door).split(':')[1]), { ca: pem(node).ca })
    const client = connect(doors.flight)
    client.metadata.set('skein-parallel-endpoints', 'true')
    const query = 'SELECT id, word, early FROM rows WHERE id % 10 = 0'
    const info = await client.getFlightInfo(packed(CommandStatementQuerySchema, { query }))
    const places = info.endpoint.map(({ location: [first] }) => first?.uri)
    t.strictSame([...new Set(places)].sort(), [0, 1].map(i => hosts.executor(i).doors.results).sort())
    let rows = 0
    for (const [i, { ticket }] of info.endpoint.entries()) {
      const messages = connect(places[i]).doGet(ticket?.ticket ?? new Uint8Array(0)) as AsyncIterable<FlightData>
      for await (const message of messages) rows += rowsIn(message)
    }
    t.equal(rows, ROWS / 10)
  })

  await t.test('skein admin shows the certificate that its configuration names', async t => {
    const config = JSON.stringify({ tls: operator, data_dir: join(folder, 'none') })
    const file = join(folder, 'operator.yaml')
    await writeFile(file, config)
    const args = ['admin', 'executors', '--url', doors.admin ?? '', '--format', 'json', '--config', file]
    const { status, stdout } = await startCommand(args).ended
    t.equal(status, 0)
    t.equal((JSON.parse(stdout) as unknown[]).length, 2)
  })

  await t.test('no port answers a caller that it does not know', async t => {
    const refused = async (what: string, call: (channel: GrpcChannel) => Promise<unknown>, channel: GrpcChannel) => {
      await t.rejects(call(channel), { name: 'QueryError', code: /^(UNAUTHENTICATED|UNAVAILABLE)$/ }, what)
      channel.close()
    }
    const options = { deadlineMs: CALL_WITHIN_MS }
    const executor = address(hosts.executor(0).doors.executor)
    const strangers: [string, Tls | null, Record<string, string>][] = [
      ['plain text', null, {}], ['a foreign CA', foreign, {}], ['an operator', pem(operator), {}],
      ['a node without the secret', pem(node), {}],
      ['a node with a guess', pem(node), { authorization: 'Bearer guess' }],
    ]
    for (const [who, tls, headers] of strangers) {
      const channel = (): GrpcChannel => new GrpcChannel(executor, headers, undefined, tls)
      await refused(`executor, ${who}`, one => one.service(ExecutorService).identify({}, options), channel())
      await refused(`executor's cache, ${who}`, one => one.service(CacheService).getCache({}, options), channel())
      await refused(`executor's watch, ${who}`, one =>
        one.service(ExecutorService).watchTasks({}, options)[Symbol.asyncIterator]().next(), channel())
      await refused(`executor's frames, ${who}`, one => one.frames(
        ExecutorService.method.fetchResult, { queryId: 'q' }, AbortSignal.timeout(CALL_WITHIN_MS),
      )[Symbol.asyncIterator]().next(), channel())
    }
    for (const [who, tls] of strangers.slice(0, 2)) {
      await refused(`admin, ${who}`, one => one.service(AdminService).listQueries({}, options),
        new GrpcChannel(address(doors.admin), {}, undefined, tls))
    }
    for (const door of [doors.http, doors.flight, doors.admin, hosts.executor(0).doors.executor,
      hosts.executor(0).doors.results]) {
      t.equal(await plainAnswer(address(door)), '', `${door} says nothing in plain text`)
    }
  })
}

/** What a port answers to a request that is not TLS, without the alert that TLS itself sends. */
function plainAnswer(address: string): Promise<string> {
  const { hostname, port } = new URL(`tcp://${address}`)
  return new Promise(resolve => {
    let text = ''
    const socket = connectPlain({ host: hostname, port: Number(port), timeout: CALL_WITHIN_MS })
    socket.on('data', (data: Buffer) => { if (data[0] !== 0x15) text += data.toString('latin1') })
    socket.once('error', () => resolve(text))
    socket.once('timeout', () => socket.destroy())
    socket.once('close', () => resolve(text))
    socket.end('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  })
}
