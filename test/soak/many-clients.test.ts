/**
 * Fifty clients of two groups, each with heavy and light queries in turns, on executors with 1 GB of DuckDB memory in
 * all: no process dies or is replaced, nobody gets a wrong answer, light queries stay quick, and the groups' tasks have
 * slots by their weights.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { systemClock } from '../../proto/clock.ts'
import { allowed, executorPids, heavySql, MemoryWatch, writeTable } from '../cluster/heavy-runs.ts'
import { Skein, type SkeinOutcome } from '../cluster/skein.ts'

const ROWS = 1_000_000
const CLIENTS_A_GROUP = 25
const LIGHT_A_HEAVY = 2
const LOAD_MS = 120_000
const LIGHT_P95_MS = 2_000
const MAX_RESIDENT_BYTES = 2e9
const WEIGHTS = { bi: 3, etl: 1 }
const SHARE_WITHIN = 0.15

type Group = keyof typeof WEIGHTS

const folder = await mkdtemp(join(tmpdir(), 'skein-clients-'))
t.teardown(() => rm(folder, { recursive: true }))

t.test('fifty clients with heavy and light queries', async t => {
  await writeTable(join(folder, 'lake', 'wide'), ROWS)
  const skein = await Skein.start({
    folder, executors: 2, environment: { SKEIN_WHOLE_BYTES: '0', SKEIN_BROADCAST_ROWS: '0' },
    config: {
      buckets: { lake: { provider: 'local', path: join(folder, 'lake') } },
      catalogs: { c: { type: 'bucket_tables', bucket: 'lake', tables: { wide: 'wide/*.parquet' } } },
      node: { memory: '512MB', spill: '20GB', threads: 2 },
      resource_groups: Object.fromEntries(Object.entries(WEIGHTS).map(([name, weight]) =>
        [name, { weight, users: [`${name}-*`], queue_timeout: '10m' }])),
    },
  })
  t.teardown(() => skein.stop())
  const pids = executorPids(skein)
  const watches = pids.map(pid => new MemoryWatch(pid))
  const load = new Load(skein)
  await load.run()
  for (const watch of watches) watch.end()

  const { faults, refused, heavy, slotMs } = load
  t.strictSame(faults, [])
  t.strictSame(executorPids(skein), pids, 'the executors are those of the beginning')
  t.equal(skein.errors, '')
  const resident = watches.reduce((sum, { peakBytes }) => sum + peakBytes, 0)
  t.ok(resident < MAX_RESIDENT_BYTES, `${Math.round(resident / 1e6)} MB resident at most`)
  t.ok(heavy > 0, `${heavy} heavy queries answered, ${refused} refused`)
  const light = [...load.lightMs].sort((a, b) => a - b)
  const p95 = light[Math.floor(light.length * 0.95)] ?? Infinity
  t.ok(p95 < LIGHT_P95_MS, `${light.length} light queries, p95 ${Math.round(p95)} ms`)
  const share = slotMs.bi / (slotMs.bi + slotMs.etl)
  const due = WEIGHTS.bi / (WEIGHTS.bi + WEIGHTS.etl)
  t.ok(Math.abs(share - due) <= SHARE_WITHIN * due, `${share.toFixed(3)} of the slot time, ${due} is due`)
})

/** What the clients ask, until their time is over, and what came of it. */
class Load {
  readonly #skein: Skein
  readonly #endMs = systemClock.nowMs() + LOAD_MS
  readonly faults: string[] = []
  readonly lightMs: number[] = []
  readonly slotMs: Record<Group, number> = { bi: 0, etl: 0 }
  heavy = 0
  refused = 0
  #asked = 0

  constructor(skein: Skein) {
    this.#skein = skein
  }

  async run(): Promise<void> {
    const clients = Array.from({ length: CLIENTS_A_GROUP }, (_, i) => [this.#client('bi', i), this.#client('etl', i)])
    await Promise.all(clients.flat())
  }

  async #client(group: Group, number: number): Promise<void> {
    const user = `${group}-${number}`
    while (systemClock.nowMs() < this.#endMs) {
      await this.#ask(group, user, heavySql(this.#asked++), `${ROWS},${ROWS}`, () => { this.heavy++ })
      for (let i = 0; i < LIGHT_A_HEAVY; i++) {
        const startMs = systemClock.nowMs()
        const id = this.#asked++ % ROWS
        await this.#ask(group, user, `SELECT count(*), min(id) FROM wide WHERE id = ${id}`, `1,${id}`, () => {
          this.lightMs.push(systemClock.nowMs() - startMs)
        })
      }
    }
  }

  async #ask(group: Group, user: string, sql: string, wanted: string, answered: () => void): Promise<void> {
    const outcome: SkeinOutcome = await this.#skein.query(sql, { user })
    if (outcome.kind === 'error') {
      if (allowed.has(outcome.code)) this.refused++
      else this.faults.push(`${sql}: ${outcome.code} ${outcome.message}`)
      return
    }
    const found = outcome.answer.rows.map(row => row.map(Number).join(',')).join(' ')
    if (found !== wanted) this.faults.push(`${sql}: ${found} instead of ${wanted}`)
    answered()
    const { task_reports: reports } = await this.#skein.report(outcome.queryId)
    // what ends when the load is over had the slots of those that had ended
    if (systemClock.nowMs() >= this.#endMs) return
    this.slotMs[group] += reports.reduce((sum, { runMs }) => sum + runMs, 0)
  }
}
