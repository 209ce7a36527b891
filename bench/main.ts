/**
 * Benches: `npm run bench -- tpch --scale 0.1 --executors 3`. Prints the table, writes it to bench/results.md, and
 * fails if an answer is wrong. `--json` prints the numbers instead; `--smoke` runs the smallest size once and writes
 * nothing.
 */

import { execFileSync } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { MAX_RUNS_A_ROUND } from './harness.ts'
import { section, summary, tableHead, tableRow, withSection } from './report.ts'
import { compareTpch, type TpchResult } from './tpch/compare.ts'

const RESULTS = 'bench/results.md'
/** Left out of git and of packages; the generated data stays for the next run. */
const FOLDER = 'build-bench'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    scale: { type: 'string', default: '0.1' }, executors: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '3' }, json: { type: 'boolean', default: false },
    smoke: { type: 'boolean', default: false },
  },
})
if (positionals.length !== 1 || positionals[0] !== 'tpch') {
  process.stderr.write('usage: npm run bench -- tpch [--scale 0.1] [--executors 3] [--rounds 3] [--json] [--smoke]\n')
  process.exit(1)
}

const [scale, executors, rounds, maxRuns] = values.smoke
  ? [0.01, 2, 1, 1] : [Number(values.scale), Number(values.executors), Number(values.rounds), MAX_RUNS_A_ROUND]
const print = (line: string): void => { if (!values.json) process.stdout.write(`${line}\n`) }
/** Thresholds that the caller set; without any, distribution is forced. */
const environment = Object.fromEntries(['SKEIN_WHOLE_BYTES', 'SKEIN_BROADCAST_ROWS'].flatMap(name => {
  const value = process.env[name] ?? (name === 'SKEIN_WHOLE_BYTES' ? '0' : undefined)
  return value === undefined ? [] : [[name, value] as const]
}))

print(tableHead)
const result = await compareTpch({
  scale, executors, rounds, maxRuns, folder: join(process.cwd(), FOLDER), environment,
  onQuery: query => print(tableRow(query)),
})
await rm(join(FOLDER, 'cluster'), { recursive: true, force: true })
if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`)
print(`\n${summary(result)}`)
if (!values.smoke) await write(result)
const faults = result.queries.filter(({ fault }) => fault !== undefined).length
print(`${result.queries.length - faults} passed, ${faults} failed`)
process.exitCode = faults === 0 ? 0 : 1

async function write(result: TpchResult): Promise<void> {
  const command = `npm run bench -- tpch --scale ${scale} --executors ${executors}`
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  const document = await readFile(RESULTS, 'utf8').catch(() => '# Results of the benches\n')
  await writeFile(RESULTS, withSection(document, section(result, { command, commit, environment })))
}
