/** The trace that a client's call belongs to, by the header `traceparent` (W3C Trace Context, version 00). */

export interface TraceContext {
  /** 32 hexadecimal digits, not all 0. */
  readonly traceId: string
  /** Of the caller's span: 16 digits, not all 0. */
  readonly spanId: string
  /** False: who began the trace does not want it recorded. */
  readonly sampled: boolean
}

export const TRACE_HEADER = 'traceparent'

const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const SAMPLED = 1

/** undefined: there is none, or it is not as the standard wants it; then a trace begins here. */
export function readTraceContext(header: string | undefined): TraceContext | undefined {
  const [, version = '', traceId = '', spanId = '', flags = '', more] = FORM.exec(header?.trim() ?? '') ?? []
  if (version === '' || version === 'ff' || (version === '00' && more !== undefined)) return undefined
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED }
}
