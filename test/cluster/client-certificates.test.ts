/** Users who are known by their certificates, at both doors of clients; and what the command line shows of itself. */

import { mkdtemp, rm } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { CommandStatementQuerySchema } from '../../proto/gen/flight_sql_pb.js'
import { Certificates, pem } from '../certificates.ts'
import { FlightClient, packed, rowsOf } from '../serve/flight-client.ts'
import { runCommand, type CommandEnd } from './command.ts'
import { Skein } from './skein.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-client-tls-'))
const certificates = new Certificates(join(folder, 'certs'))
const door = certificates.make('node', 'door')
const [ann, nobody] = [certificates.make('client', 'ann'), certificates.make('client', 'nobody')]
const foreign = new Certificates(join(folder, 'foreign')).make('client', 'ann')
const password = 'correct horse battery'
const { ca } = door
const skein = await Skein.start({
  folder, executors: 1, ca: readFileSync(ca, 'utf8'),
  config: { auth: 'users', client_tls: { cert: door.cert, key: door.key, clients_ca: ca } },
})
t.teardown(async () => {
  await skein.stop()
  await rm(folder, { recursive: true })
})
const added = await runCommand(['admin', '--url', skein.doors.admin ?? '', 'user', 'add', 'ann'], { input: password })
t.equal(added.status, 0, added.stderr)

const sql = 'SELECT DISTINCT principal FROM skein.queries'

t.test('skein query shows a certificate, or a name and its password', async t => {
  const query = (words: readonly string[], secret = '') => runCommand(
    ['query', '--url', skein.doors.http ?? '', '--format', 'csv', ...words, sql],
    { environment: { SKEIN_PASSWORD: secret } })
  const shown = (files: { cert: string; key: string }) => ['--ca', ca, '--cert', files.cert, '--key', files.key]
  const cases: [Promise<CommandEnd>, object][] = [
    [query(shown(ann)), { status: 0, stdout: 'principal\nann\n' }],
    [query(['--ca', ca, '--user', 'ann'], password), { status: 0, stdout: 'principal\nann\n' }],
    [query(['--ca', ca]), { status: 1, stderr: /UNAUTHENTICATED/ }],
    [query(shown(nobody)), { status: 1, stderr: /UNAUTHENTICATED: the certificate is of 'nobody'/ }],
    [query(shown(foreign)), { status: 1, stderr: /UNAVAILABLE/ }],
    [query([]), { status: 1, stderr: /UNAVAILABLE: no answer .*certificate/ }],
    [query(['--ca', ca, '--cert', ann.cert]), { status: 1, stderr: /--cert and --key belong together/ }],
  ]
  for (const [ended, expected] of cases) t.match(await ended, expected)
})

t.test('Flight takes a certificate for its user, and gives a token for it', async t => {
  const port = Number(new URL((skein.doors.flight ?? '').replace('grpc+tls', 'grpc')).port)
  const flight = (files?: Parameters<typeof pem>[0]) =>
    new FlightClient(t, port, files === undefined ? { ca: readFileSync(ca) } : { ...pem(files), ca: readFileSync(ca) })
  const statement = packed(CommandStatementQuerySchema, { query: sql })
  const client = flight(ann)
  t.strictSame(rowsOf(await client.read(statement)), [{ principal: 'ann' }], 'without a handshake')
  await client.handshake()
  t.strictSame(rowsOf(await client.read(statement)), [{ principal: 'ann' }])
  const bearer = flight()
  bearer.metadata.set('authorization', String(client.metadata.get('authorization')[0]))
  t.strictSame(rowsOf(await bearer.read(statement)), [{ principal: 'ann' }], 'the token needs no certificate')
  for (const files of [undefined, nobody, door]) await t.rejects(flight(files).read(statement), { code: 16 })
  await t.rejects(flight(foreign).read(statement), { code: 14 })
  const removed = await runCommand(['admin', '--url', skein.doors.admin ?? '', 'user', 'remove', 'ann'])
  t.equal(removed.status, 0)
  await t.rejects(client.read(statement), { code: 16 }, 'he is no user any more')
  await t.rejects(flight(ann).read(statement), { code: 16 })
})
