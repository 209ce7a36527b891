/** The table of docs/EXACTNESS.md says of each aggregate what the planner does with it. */

import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { checkout } from '../checkout.ts'
import { FORCED, Planning, writeTables } from './planning.ts'
import { tables } from './tables.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-exactness-'))
await writeTables(folder, tables, 2)
const planning = await Planning.open(folder, Object.keys(tables))
t.teardown(async () => {
  planning.close()
  await rm(folder, { recursive: true })
})

/** Calls over the table t, by what the page says of them. */
const calls: Readonly<Record<'parts' | 'rows' | 'whole', readonly string[]>> = {
  parts: [
    'count(k)', 'count(*)', 'count_if(b)', 'sum(id)', 'sum(m)', 'sum(d)', 'avg(d)', 'avg(k)', 'avg(m)', 'min(s)',
    'max(dt)',
    'bool_and(b)', 'bool_or(b)', 'bit_and(k)', 'bit_or(k)', 'bit_xor(k)', 'product(d)', 'any_value(s)', 'first(s)',
    'last(s)', 'arbitrary(s)', 'arg_min(s, id)', 'arg_max(s, id)',
  ],
  rows: [
    'count(DISTINCT s)', 'arg_min(s, id, 2)', 'min(id, 3)', 'max(id, 3)',
    'stddev(d)', 'variance(d)', 'corr(d, k)', 'covar_pop(d, k)',
    'regr_slope(d, k)', 'skewness(d)', 'kurtosis(d)', 'sem(d)', 'entropy(k)', 'mad(d)', 'fsum(d)', 'favg(d)',
    'median(d)', 'quantile_cont(d, 0.3)', 'quantile_disc(d, [0.3, 0.6])', 'mode(k)', 'histogram(k)',
    'list(s ORDER BY id)', 'string_agg(s, \',\' ORDER BY id)', 'list(s)', 'array_agg(s)', 'first(s ORDER BY id)',
    'approx_count_distinct(s)', 'approx_quantile(d, 0.5)', 'approx_top_k(s, 2)',
  ],
  whole: ['reservoir_quantile(d, 0.5)'],
}

t.test('each aggregate goes the way that the page says', async t => {
  for (const [way, list] of Object.entries(calls)) {
    for (const call of list) t.equal(await wayOf(call), way, call)
  }
})

/** Parts are made by the fragment that scans: it groups. */
async function wayOf(call: string): Promise<string> {
  const { fragments, wholeReason } = await planning.plan(`SELECT g, ${call} FROM t GROUP BY g`, FORCED)
  if (wholeReason !== null) return 'whole'
  return fragments[0]?.sql.includes('GROUP BY') === true ? 'parts' : 'rows'
}

t.test('the page names every aggregate that is tried', t => {
  const page = readFileSync(new URL('docs/EXACTNESS.md', checkout), 'utf8')
  const rows = page.split('\n').filter(line => /^\| .*\| (parts|rows|whole)/.test(line))
  for (const list of Object.values(calls)) {
    for (const name of list.map(call => call.split('(')[0] ?? '')) {
      const family = name.replace(/^(regr|covar)_.*/, '$1')
      t.ok(rows.some(line => line.includes(`\`${family}`)), name)
    }
  }
  t.end()
})
