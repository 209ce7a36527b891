/** The parts of an executor without its server, in a folder of their own that goes with the test. */

import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { BodyPool } from '../../proto/body-pool.ts'
import { CpuShare, processCpuMs } from '../../executor/cpu-share.ts'
import { ExchangeFiles } from '../../executor/exchange-files.ts'
import { ExchangeReader } from '../../executor/exchange-reader.ts'
import { InstanceSet } from '../../executor/instance-set.ts'
import { ResultSpool } from '../../executor/result-spool.ts'
import { ByteBudget } from '../../executor/byte-budget.ts'
import { SpoolMemory } from '../../executor/spool-memory.ts'
import { TableReads } from '../../executor/table-reads.ts'
import { TaskRunner, type TaskOutcome } from '../../executor/task-runner.ts'
import type { ResultColumn } from '../../proto/arrow-schema.ts'
import { systemClock } from '../../proto/clock.ts'
import { TaskDefinition_SqlKind as SqlKind, TaskDefinitionSchema } from '../../proto/gen/executor_pb.js'
import type { RawFlightData } from '../../proto/flight-data.ts'

type Definition = Omit<MessageInitShape<typeof TaskDefinitionSchema>, '$typeName' | '$unknown'>

const MIB = 1024 * 1024

export interface Workbench {
  readonly folder: string
  /** Where the bucket `lake` lies. */
  readonly lake: string
  readonly instances: InstanceSet
  readonly exchangeFiles: ExchangeFiles
  /** Of exchange files and spills. */
  readonly disk: ByteBudget
  /** A task of its own stage of query q. */
  run(definition: Definition, signal?: AbortSignal): Promise<TaskOutcome>
  /** Runs a task with a result; its frames or its failure. */
  result(definition: Definition, signal?: AbortSignal): Promise<{ outcome: TaskOutcome; frames: RawFlightData[] }>
}

export function temporaryFolder(t: Test): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'skein-executor-')))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export interface WorkbenchSizes {
  readonly diskBytes?: number
  readonly memoryBytes?: number
}

export async function openWorkbench(
  t: Test, { diskBytes = 512 * MIB, memoryBytes = 1024 * MIB }: WorkbenchSizes = {},
): Promise<Workbench> {
  const folder = temporaryFolder(t)
  const lake = join(folder, 'lake')
  mkdirSync(lake)
  const disk = new ByteBudget(diskBytes)
  const exchangeFiles = await ExchangeFiles.open(join(folder, 'exchange'), 'token-of-this-test', disk)
  const instances = await InstanceSet.open({
    directories: [lake, exchangeFiles.root], spillFolder: join(folder, 'spill'), disk, clock: systemClock,
    memoryBytes, threads: 2,
  })
  t.teardown(() => instances.close())
  const fetchNothing = (): never => { throw new Error('nothing is fetched here') }
  const exchangeReader = new ExchangeReader(exchangeFiles, fetchNothing, systemClock)
  const runner = new TaskRunner({
    clock: systemClock, instances, exchangeFiles, exchangeReader, pool: new BodyPool(), reads: new TableReads(),
    cpu: new CpuShare(processCpuMs), troubles: { diskFull: () => undefined, duckdbFailed: () => undefined },
    files: {
      open: async wanted => ({
        files: wanted.map(({ file }) => ({ path: join(lake, file.key), bytesFetched: 0, bytesCached: 0 })),
        release: async () => undefined,
      }),
      prefetch: async () => undefined,
      areHere: () => Promise.resolve(true),
      distrust: async () => false,
    },
  })
  let stage = 0
  const define = (definition: Definition) => create(TaskDefinitionSchema, {
    queryId: 'q', taskId: `q.${stage}.0.0`, stage: stage++, sqlKind: SqlKind.EMITTED, ...definition,
  })
  const signalOr = (signal?: AbortSignal): AbortSignal => signal ?? new AbortController().signal
  return {
    folder, lake, instances, exchangeFiles, disk,
    run: (definition, signal) => runner.run(define(definition), undefined, signalOr(signal)),
    result: async (definition, signal) => {
      const spool = newSpool(folder)
      const outcome = await runner.run(define(definition), spool, signalOr(signal))
      const frames: RawFlightData[] = []
      if (outcome.kind === 'succeeded') {
        // its bytes are valid until the next one
        for await (const { dataHeader, dataBody } of spool.read(0, signalOr())) {
          frames.push({ dataHeader, dataBody: Uint8Array.from(dataBody) })
        }
      }
      t.teardown(() => spool.remove())
      return { outcome, frames }
    },
  }
}

/** The output of a task whose rows go to the client. */
export function toResult(columns: readonly ResultColumn[]) {
  return { case: 'result' as const, value: { columns: [...columns] } }
}

export function newSpool(folder: string): ResultSpool {
  return new ResultSpool({
    folder: join(folder, 'spool'), memory: new SpoolMemory(64 * MIB), disk: new ByteBudget(512 * MIB),
    clock: systemClock,
  })
}
