/** An npm client of Flight SQL over TLS. It cannot be told whom to trust, only to trust everybody. */

import { FlightSQLClient } from '@gizmodata/gizmosql-client'
import t from 'tap'
import { startSecure } from './secure-cluster.ts'

t.test('a certificate of our own CA is taken by who trusts everybody, and by nobody else', async t => {
  const { flight, user, password, stop } = await startSecure()
  t.teardown(stop)
  const { hostname: host, port } = new URL(`grpc://${flight}`)
  const login = { host, port: Number(port), username: user, password }
  const trusting = new FlightSQLClient({ ...login, tlsSkipVerify: true })
  t.strictSame((await trusting.execute('SELECT 1 AS a')).toArray().map(row => (row as { a: number }).a), [1])
  await trusting.close()
  await t.rejects(new FlightSQLClient(login).execute('SELECT 1'), { message: /certificate|self-signed/ })
  const plain = new FlightSQLClient({ ...login, plaintext: true })
  await t.rejects(plain.execute('SELECT 1'), { message: /Failed to connect/ })
})
