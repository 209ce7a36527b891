/** Structured logs of an executor: one JSON line an event, with query and task ids. No SQL text: it may hold keys. */

import { pino, type Logger } from 'pino'

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>

/** Lines are appended to `path` as they come. */
export function openLog(path: string, level: string): Log {
  return pino({ level, base: { pid: process.pid } }, pino.destination({ dest: path, sync: true, mkdir: true }))
}
