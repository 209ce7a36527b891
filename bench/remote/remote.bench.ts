/**
 * The questions over object storage: a cluster whose files are behind the S3 protocol against one that has them in a
 * folder. What is fetched for a question that finds nothing in the caches, and what a question costs once its columns
 * are there.
 */

import { systemClock } from '../../proto/clock.ts'
import type { Skein } from '../../test/cluster/skein.ts'
import { bucketConfig, putFolder } from '../../test/s3/folder.ts'
import { S3Server } from '../../test/s3-server.ts'
import { difference } from '../../test/sql/answer.ts'
import type { Family, FamilyOptions, FamilyResult } from '../family.ts'
import { compare, geometricMean, measuredOf, type Measured } from '../harness.ts'
import { treeCpuMs } from '../processes.ts'
import { bytes, ratio, whole } from '../report.ts'
import { ask, tpchOracle, withCluster } from '../tpch/cluster.ts'
import { generatedData, type TpchData } from '../tpch/data.ts'
import { tpchQueries, type TpchQuery } from '../tpch/queries.ts'
import { unseenText } from '../unseen-text.ts'
import { Caches } from './caches.ts'
import { NeededBytes } from './needed-bytes.ts'
import { wide, type WideResult } from './wide.ts'

const EXECUTORS = 3
const [FOLDER, STORE] = ['folder', 'store']
/** Over all questions, before the first is measured. */
const WARM_UP_PASSES = 3
/** In a smoke run every so manieth question. */
const SMOKE_STEP = 5
/** Of a side in a round. */
const MAX_RUNS = 1
const CPU_LIMIT = 1.1
const BYTES_LIMIT = 1.15

interface Cold {
  readonly number: number
  readonly neededBytes: number
  readonly fetchedBytes: number
  readonly requests: number
  readonly fault: string | undefined
}

interface Result extends Cold {
  readonly sides: readonly Measured[]
}

export const family: Family = { name: 'remote', run }

async function run(options: FamilyOptions): Promise<FamilyResult> {
  const { smoke, folder, rounds, print } = options
  const data = await generatedData(options.scale ?? (smoke ? 0.01 : 1), folder)
  const queries = tpchQueries(data.scale).filter((_, i) => !smoke || i % SMOKE_STEP === 0)
  const server = await S3Server.start()
  try {
    putFolder(server, data.folder)
    const options = { data, executors: EXECUTORS, threadsEach: 1, environment: { SKEIN_WHOLE_BYTES: '0' } }
    const results = await withCluster(options, near =>
      withCluster({ ...options, bucket: bucketConfig(server) }, async far => {
        const cold = await coldOf(queries, data, far, server)
        for (let pass = 0; pass < (smoke ? 0 : WARM_UP_PASSES); pass++) {
          for (const { sql } of queries) {
            for (const side of [near, far]) await ask(side, unseenText(sql, `pass ${pass}`))
          }
        }
        const found: Result[] = []
        for (const [i, { sql }] of queries.entries()) {
          const own = cold[i]
          if (own === undefined) throw new Error('a question that was not asked cold')
          found.push({ ...own, sides: await warmOf(sql, near, far, rounds) })
          print(`Q${own.number}: ${ratio(own.fetchedBytes / own.neededBytes)} of the bytes`)
        }
        return found
      }))
    return resultOf(results, await wide(folder, smoke, rounds), data)
  } finally {
    await server.close()
  }
}

/** Each question with empty caches; answers are compared with plain DuckDB's over the folder. */
async function coldOf(
  queries: readonly TpchQuery[], data: TpchData, far: Skein, server: S3Server,
): Promise<readonly Cold[]> {
  const [needed, oracle] = [await NeededBytes.open(data.folder, data.globs), await tpchOracle(data.folder, data.globs)]
  const caches = new Caches(far)
  const cold: Cold[] = []
  try {
    await far.query('SELECT count(*) FROM lineitem') // it has looked at a table before
    for (const { number, sql } of queries) {
      await far.query(`EXPLAIN ${sql}`) // the coordinator's own look at files is not the executors'
      await caches.evict()
      server.forget()
      const outcome = await far.query(sql)
      const { bytes: fetchedBytes, requests } = server.traffic('get')
      const fault = outcome.kind === 'error' ? `${outcome.code}: ${outcome.message}`
        : difference(await oracle.run(sql), outcome.answer, true)
      cold.push({ number, neededBytes: await needed.of(sql), fetchedBytes, requests, fault })
    }
  } finally {
    caches.close()
    needed.close()
    oracle.close()
  }
  return cold
}

function warmOf(sql: string, near: Skein, far: Skein, rounds: number): Promise<readonly Measured[]> {
  let run = 0
  return compare([[FOLDER, near], [STORE, far]].map(([name, skein]) => ({
    name: String(name), run: () => ask(skein as Skein, unseenText(sql, `run ${run++}`)),
    cpuMs: () => treeCpuMs((skein as Skein).pid),
  })), { rounds, maxRuns: MAX_RUNS }, systemClock)
}

function resultOf(results: readonly Result[], { faults, ...two }: WideResult, data: TpchData): FamilyResult {
  const sum = (value: (result: Result) => number): number => results.reduce((total, each) => total + value(each), 0)
  const cpuRatios = results.map(({ sides }) => measuredOf(sides, STORE).cpuRatio)
  const byteRatios = results.map(each => each.fetchedBytes / each.neededBytes)
  const [fetched, needed] = [sum(each => each.fetchedBytes), sum(each => each.neededBytes)]
  const wrong = results.flatMap(({ number, fault }) => fault === undefined ? [] : [`Q${number}: ${fault}`])
  return {
    method: [
      `TPC-H at scale ${data.scale} on two clusters of ${EXECUTORS} executors of one thread each, distribution forced:`,
      'one has the files in a folder, one reads them from an S3 server outside of it. Cold: the caches of the',
      'executors are emptied before each question; needed are all chunks of the columns that plain DuckDB\'s optimised',
      'plan scans, and the footers of those tables; fetched is what the server has sent. Warm: CPU of coordinator,',
      `planner and executors together, medians of rounds that take turns, after ${WARM_UP_PASSES} passes over all`,
      'questions. Every answer was compared. Two of fifty columns: one file with nine row groups, 20 ms added to every',
      'request; whole files are fetched first, and then asked.',
    ].join(' '),
    tables: [
      {
        title: 'Cold bytes, and warm CPU ms',
        heads: ['query', 'needed', 'fetched', 'fetched / needed', 'requests', FOLDER, STORE, `${STORE} / ${FOLDER}`],
        rows: results.map(({ number, neededBytes, fetchedBytes, requests, sides }, i) => [
          `Q${number}`, bytes(neededBytes), bytes(fetchedBytes), ratio(fetchedBytes / neededBytes), String(requests),
          whole(measuredOf(sides, FOLDER).cpuMs), whole(measuredOf(sides, STORE).cpuMs), ratio(cpuRatios[i] ?? NaN),
        ]),
      },
      {
        title: 'Two of fifty columns', heads: ['', 'bytes', 'ms'],
        rows: [
          ['the file', bytes(two.fileBytes), whole(two.wholeMs)],
          ['chunks of the columns and footer', bytes(two.neededBytes), ''],
          ['fetched', bytes(two.fetchedBytes), whole(two.columnsMs)],
          [`second run, ${two.againRequests} requests`, bytes(two.againBytes), ''],
        ],
      },
    ],
    figures: [
      { what: 'cold: fetched over needed, all questions', value: fetched / needed, limit: BYTES_LIMIT },
      { what: 'cold: fetched over needed, worst question', value: Math.max(...byteRatios), limit: BYTES_LIMIT },
      { what: 'warm: CPU over that on a folder, geometric mean', value: geometricMean(cpuRatios), limit: CPU_LIMIT },
      { what: 'two of fifty columns: fetched over needed', value: two.fetchedBytes / two.neededBytes, limit: 1.1 },
      { what: 'second run: requests', value: two.againRequests, limit: 0 },
    ].map((figure): FamilyResult['figures'][number] => ({ ...figure, bound: 'at most', unit: '' })).concat({
      what: 'whole file over two of fifty columns, time', value: two.wholeMs / two.columnsMs, limit: 2.5, unit: '',
      bound: 'at least',
    }),
    chart: {
      title: 'CPU over that on a folder, warm; bytes over those needed, cold', unit: '', series: ['CPU', 'bytes'],
      mark: { value: CPU_LIMIT, name: 'wanted of CPU' },
      groups: results.map(({ number }, i) => ({
        name: `Q${number}`, values: [cpuRatios[i] ?? NaN, byteRatios[i] ?? NaN],
      })),
    },
    checks: results.length + 1, faults: [...wrong, ...faults],
  }
}
