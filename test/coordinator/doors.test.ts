/** What is said of doors before they are opened. */

import t from 'tap'
import { passwordWarning } from '../../coordinator/doors.ts'

t.test('passwords that would cross a network in plain text are warned of', async t => {
  const results = null
  const [open, closed] = ['0.0.0.0:4280', '127.0.0.1:4281']
  const config = { auth: 'users', clientTls: null, listen: { http: open, flight: closed, results } } as const
  t.equal(passwordWarning(config),
    'passwords and tokens cross the network in plain text at 0.0.0.0:4280: set client_tls')
  t.equal(passwordWarning({ ...config, listen: { http: closed, flight: closed, results } }), null)
  const listen = { http: closed, flight: closed, results: open }
  t.match(passwordWarning({ ...config, listen }), / at 0\.0\.0\.0:4280:/)
  t.equal(passwordWarning({ ...config, clientTls: {} }), null)
  t.equal(passwordWarning({ ...config, auth: 'none' }), null)
})
