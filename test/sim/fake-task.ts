/** What an executor of the simulation is told of a task, and the frames that its rows travel in. */

import type { RawFlightData } from '../../proto/flight-data.ts'
import type { QueryId, TaskId } from '../../proto/ids.ts'
import type { TaskDefinitionInit } from '../../proto/task.ts'
import { ones, type Row } from './program.ts'

/** What a fake reads of it. */
export interface Definition {
  readonly taskId: TaskId
  readonly queryId: QueryId
  readonly stage: number
  readonly partition: number
  readonly attempt: number
  readonly principal: string
  readonly resourceGroup: string
  readonly weight: number
  readonly sql: string
  readonly memoryBytes: bigint
  readonly scans: NonNullable<TaskDefinitionInit['scans']>
  readonly inputs: NonNullable<TaskDefinitionInit['inputs']>
  readonly output: TaskDefinitionInit['output']
}

/** Without all that a fake has no use for: making a whole message is most of a launch. */
export function definitionOf(init: TaskDefinitionInit): Definition {
  const {
    taskId = '', queryId = '', stage = 0, partition = 0, attempt = 0, principal = '', resourceGroup = '', weight = 0,
    sql = '', memoryBytes = 0n, scans = [], inputs = [], output,
  } = init
  return {
    taskId: taskId as TaskId, queryId: queryId as QueryId, stage, partition, attempt, principal, resourceGroup, weight,
    sql, memoryBytes, scans, inputs, output,
  }
}

/** The simulation's plans tell what an executor of ours needs not know, through the text of the fragment. */
export function inputKinds({ sql }: Definition): string[] {
  return (/moved=([a-z,]*)/.exec(sql)?.[1] ?? '').split(',')
}

export function single({ sql }: Definition): boolean {
  return sql.includes('single')
}

export function sensitive({ sql }: Definition): boolean {
  return sql.includes('sensitive')
}

/** Of its rows, as program.ts has it. */
export function limited({ sql }: Definition, rows: readonly Row[]): readonly Row[] {
  const [, kind, count] = /(first|ones)=(\d+)/.exec(sql) ?? []
  return kind === undefined ? rows : kind === 'ones' ? ones(rows, Number(count)) : rows.slice(0, Number(count))
}

export function frameOf(rows: readonly Row[]): RawFlightData {
  return { dataHeader: new Uint8Array(1), dataBody: Buffer.from(JSON.stringify(rows)) }
}

/** A schema has none. */
export function rowsOf({ dataBody }: RawFlightData): Row[] {
  const { buffer, byteOffset, byteLength } = dataBody
  return byteLength === 0 ? [] : JSON.parse(Buffer.from(buffer, byteOffset, byteLength).toString()) as Row[]
}
