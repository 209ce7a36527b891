/** Writing an answer piece by piece. */

import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { Writable } from 'node:stream'
import t from 'tap'
import { HttpExchange } from '../../coordinator/serve/http.ts'

t.test('a socket that takes everything at once does not keep timers and others from their turn', async t => {
  const greedy = new Writable({ write: (_, __, done) => done() })
  const request = new IncomingMessage(new Socket())
  const response = new ServerResponse(request)
  response.assignSocket(greedy as Socket)
  greedy.on('drain', () => response.emit('drain')) // as a server does
  const exchange = new HttpExchange(request, response, new URLSearchParams(), {})
  exchange.start('text/plain')
  let turns = 0
  const turn = () => {
    turns++
    setImmediate(turn).unref()
  }
  turn()
  for (let piece = 0; piece < 10; piece++) await exchange.write('x'.repeat(64 * 1024))
  t.ok(turns >= 10)
})
