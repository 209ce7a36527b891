/** `skein top`: the cluster, its executors and its queries, drawn anew each second; and `skein admin events`. */

import { delay, type Clock } from '../proto/clock.ts'
import { QueryError } from '../proto/errors.ts'
import { AdminService, type Event, type Query } from '../proto/gen/admin_pb.js'
import type { GrpcChannel } from '../proto/grpc-channel.ts'
import { executorRow, queryRow, print } from './admin.ts'

const DRAW_EVERY_MS = 1_000
const DEADLINE_MS = 10_000
/** To the upper left corner, and what was below goes. */
const HOME = '\u001b[H\u001b[J'
const QUERIES_SHOWN = 20

export interface TopOptions {
  readonly channel: GrpcChannel
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly write: (piece: string) => Promise<void>
  /** A picture is followed by the next one in its place; else one is drawn, and that is all. */
  readonly isTerminal: boolean
}

export async function top({ channel, clock, signal, write, isTerminal }: TopOptions): Promise<void> {
  try {
    do {
      const picture = await draw(channel)
      await write(isTerminal ? HOME + picture : picture)
      if (isTerminal) await delay(clock, DRAW_EVERY_MS)
    } while (isTerminal && !signal.aborted)
  } finally {
    channel.close()
  }
}

async function draw(channel: GrpcChannel): Promise<string> {
  const service = channel.service(AdminService)
  const options = { deadlineMs: DEADLINE_MS }
  const [cluster, { executors }, { queries }] = await Promise.all([
    service.getCluster({}, options), service.listExecutors({}, options), service.listQueries({}, options),
  ])
  const { coordinator, version, duckdbVersion, activeExecutors, slots, runningQueries, waitingQueries } = cluster
  const seconds = Math.round(cluster.uptimeMs / 1000)
  return [
    `skein ${version}, DuckDB ${duckdbVersion}, coordinator ${coordinator}, up ${seconds} s`,
    `${activeExecutors} of ${executors.length} executors active, ${slots} slots; `
      + `${runningQueries} queries run, ${waitingQueries} wait`,
    '', print(executors.map(executorRow), false),
    print(shown(queries).map(query => queryRow(query, false)), false),
  ].join('\n')
}

/** Those that run first. */
function shown(queries: readonly Query[]): Query[] {
  const runs = ({ state }: Query): boolean => state === 'running' || state === 'planning'
  return [...queries.filter(runs), ...queries.filter(query => !runs(query))].slice(0, QUERIES_SHOWN)
}

/** A line an event, until the user wants the end. */
export async function events(
  channel: GrpcChannel, json: boolean, signal: AbortSignal, write: (piece: string) => Promise<void>,
): Promise<void> {
  try {
    for await (const event of channel.service(AdminService).watchEvents({}, { signal })) await write(line(event, json))
  } catch (error) {
    if (!signal.aborted || !(error instanceof QueryError)) throw error
  } finally {
    channel.close()
  }
}

function line({ atMs, event }: Event, json: boolean): string {
  const at = new Date(atMs).toISOString()
  const { case: kind = 'unknown', value } = event
  const isSaid = (name: string, field: unknown): boolean => !name.startsWith('$') && field !== '' && field !== 0
  const fields = Object.entries(value ?? {}).filter(([name, field]) => isSaid(name, field))
  if (json) return `${JSON.stringify({ at, kind, ...Object.fromEntries(fields) })}\n`
  return `${at} ${kind} ${fields.map(([name, field]) => `${name}=${String(field)}`).join(' ')}\n`
}
