/** The header `traceparent`, as W3C Trace Context has it. */

import t from 'tap'
import { readTraceContext } from '../../proto/trace-context.ts'

const [traceId, spanId] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331']

t.test('a header is read, and a later version by what this one knows', async t => {
  t.strictSame(readTraceContext(`00-${traceId}-${spanId}-01`), { traceId, spanId, sampled: true })
  t.strictSame(readTraceContext(` 00-${traceId}-${spanId}-02`), { traceId, spanId, sampled: false })
  t.strictSame(readTraceContext(`cc-${traceId}-${spanId}-03-more`), { traceId, spanId, sampled: true })
})

t.test('what is not one is as none', async t => {
  const wrong = [
    undefined, '', 'x', `ff-${traceId}-${spanId}-01`, `00-${traceId}-${spanId}-01-more`, `00-${traceId}-${spanId}`,
    `00-${'0'.repeat(32)}-${spanId}-01`, `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `00-${traceId}x-${spanId}-01`,
  ]
  t.strictSame(wrong.map(readTraceContext), wrong.map(() => undefined))
})
