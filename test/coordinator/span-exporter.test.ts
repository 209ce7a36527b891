/** The queue of spans: bounded, sent a message at a time, and given up at a stop if the collector does not take it. */

import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import type { ResourceSpans } from '../../coordinator/tracing/query-spans.ts'
import { SpanExporter } from '../../coordinator/tracing/span-exporter.ts'

const spans = (count: number): ResourceSpans[] => [{
  service: 'skein-coordinator', instance: 'c', spans: Array.from({ length: count }, () => ({
    traceId: 'a', spanId: 'b', parentSpanId: '', name: 'query', kind: 1, startTimeUnixNano: '0', endTimeUnixNano: '0',
    attributes: [], status: { code: 1 },
  })),
}]

async function collector(t: Test) {
  const waiting: ServerResponse[] = []
  const sizes: number[] = []
  let came = (): void => undefined
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', piece => { body += String(piece) }).on('end', () => {
      sizes.push(body.split('"spanId"').length - 1)
      waiting.push(response)
      came()
    })
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => new Promise(resolve => { server.close(resolve); server.closeAllConnections() }))
  const { port } = server.address() as AddressInfo
  /** The next message is here, and not answered. */
  const arrival = async (): Promise<void> => {
    while (waiting.length === 0) await new Promise<void>(resolve => { came = resolve })
  }
  const answer = async (status: number): Promise<void> => {
    await arrival()
    waiting.shift()?.writeHead(status).end()
  }
  return { endpoint: `http://127.0.0.1:${port}/v1/traces`, arrival, answer, sizes }
}

t.test('what waits goes together, in messages that have a limit; what does not fit is counted', async t => {
  const { endpoint, answer, sizes } = await collector(t)
  const faults: unknown[] = []
  const exporter = new SpanExporter({ endpoint, onFault: reason => faults.push(reason) })
  exporter.send(spans(1)) // under way; the others wait for it
  for (let i = 0; i < 21; i++) exporter.send(spans(1_000))
  exporter.send([])
  t.equal(exporter.lost, 1_000)
  for (let i = 0; i < 11; i++) await answer(200)
  await exporter.close()
  t.strictSame(sizes, [1, ...Array.from({ length: 10 }, () => 2_000)])
  t.strictSame(faults, [])
  exporter.send(spans(1))
  t.equal(exporter.lost, 1_001, 'after the end')
})

t.test('a collector that refuses is told of once, and not waited for at a stop', async t => {
  const { endpoint, arrival, answer, sizes } = await collector(t)
  const faults: unknown[] = []
  const exporter = new SpanExporter({ endpoint, onFault: reason => faults.push(reason) })
  exporter.send(spans(1))
  exporter.send(spans(2_000))
  exporter.send(spans(2_000))
  exporter.send(spans(2_000))
  await answer(503)
  await answer(503)
  await arrival()
  const closed = exporter.close()
  await answer(503)
  await closed
  t.equal(exporter.lost, 6_001)
  t.equal(sizes.length, 3)
  t.match(faults, [{ message: 'the collector answers 503' }])
  t.equal(faults.length, 1)
})
