/**
 * Benches: `npm run bench` runs every family, each in a process of its own, `npm run bench -- encode` one. Prints
 * tables, and writes the family's section and chart to bench/results.md; fails if an answer is wrong. `--json` prints a
 * line of JSON a family instead, `--smoke` runs the smallest size once; neither writes anything.
 */

import { execFileSync, spawn } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { barChart } from './chart.ts'
import { NotRun, type Family, type FamilyResult } from './family.ts'
import { body, chartName, section, thisMachine, withSection } from './report.ts'
import { addTotals, noTotals, totalsLine, totalsOf, type Totals } from './totals.ts'

const RESULTS = 'bench/results.md'
const CHARTS = 'bench/results'
/** Left out of git and of packages; the generated data stays for the next run. */
const FOLDER = 'build-bench'
/** Threads of libuv: DuckDB holds one a running call, files and DNS need some; read when a process starts. */
const UV_THREADS = '32'
const DEFAULT_ROUNDS = '3'
/** Of a family that needs something that is not here. */
const EXIT_NOT_RUN = 2

const families: Readonly<Record<string, () => Promise<{ readonly family: Family }>>> = {
  encode: () => import('./encode/encode.bench.ts'),
  fetch: () => import('./flight/fetch.bench.ts'),
  relay: () => import('./flight/relay.bench.ts'),
  exchange: () => import('./exchange/exchange.bench.ts'),
  cost: () => import('./cost/cost.bench.ts'),
  prune: () => import('./prune/prune.bench.ts'),
  plan: () => import('./plan/plan.bench.ts'),
  tpch: () => import('./tpch/tpch.bench.ts'),
  sort: () => import('./sort/sort.bench.ts'),
  joins: () => import('./joins/joins.bench.ts'),
  latency: () => import('./flight/latency.bench.ts'),
  remote: () => import('./remote/remote.bench.ts'),
  growth: () => import('./tpch/growth.bench.ts'),
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    smoke: { type: 'boolean', default: false }, json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: DEFAULT_ROUNDS }, data: { type: 'string' }, scale: { type: 'string' },
    executors: { type: 'string' },
  },
})
const print = (line: string): void => { if (!values.json) process.stdout.write(`${line}\n`) }

const unknown = positionals.filter(name => families[name] === undefined)
if (unknown.length > 0 || (values.data !== undefined && (positionals.length !== 1 || positionals[0] !== 'tpch'))) {
  process.stderr.write(`usage: npm run bench -- [FAMILY…] [--smoke] [--json] [--rounds 3]
       npm run bench -- tpch [--data DIR | --scale 1] [--executors 1,2,3,4]
families: ${Object.keys(families).join(', ')}\n`)
  process.exit(1)
}
const [only] = positionals
if (positionals.length === 1 && only !== undefined) await runHere(only)
else await runApart(positionals.length === 0 ? Object.keys(families) : positionals)

/** One after the other; what the child's last line counts is added up. */
async function runApart(names: readonly string[]): Promise<void> {
  let totals = noTotals
  for (const name of names) {
    print(`\n== ${name}`)
    totals = addTotals(totals, await runChild(name))
  }
  print(`\n${totalsLine(totals)}`)
  process.exitCode = totals.failed === 0 ? 0 : 1
}

async function runChild(name: string): Promise<Totals> {
  const flags = process.argv.slice(2).filter(argument => !positionals.includes(argument))
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), name, ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, UV_THREADPOOL_SIZE: UV_THREADS },
  })
  const ended = new Promise<number | null>(resolve => child.once('exit', code => resolve(code)))
  let totals: Totals | undefined
  for await (const line of createInterface({ input: child.stdout })) {
    const found = totalsOf(line)
    if (found === undefined) process.stdout.write(`${line}\n`)
    totals = found ?? totals
  }
  const code = await ended
  if (totals !== undefined) return totals
  return { ...noTotals, failed: code === 0 || code === EXIT_NOT_RUN ? 0 : 1, notRun: code === EXIT_NOT_RUN ? 1 : 0 }
}

async function runHere(name: string): Promise<void> {
  try {
    const load = families[name]
    if (load === undefined) throw new Error(`no family ${name}`)
    const { family } = await load()
    const measured = await family.run({
      smoke: values.smoke, folder: join(process.cwd(), FOLDER), rounds: values.smoke ? 1 : Number(values.rounds),
      dataFolder: values.data === undefined ? undefined : resolve(values.data),
      scale: values.scale === undefined ? undefined : Number(values.scale),
      executors: values.executors?.split(',').map(Number), print,
    })
    // a smoke run is too short for its figures to mean anything
    const result = values.smoke ? { ...measured, figures: [] } : measured
    if (values.json) process.stdout.write(`${JSON.stringify({ family: name, ...result })}\n`)
    print(body(result))
    if (!values.smoke && !values.json) await write(name, result)
    for (const fault of result.faults) print(`wrong: ${fault}`)
    print(totalsLine({ passed: result.checks - result.faults.length, failed: result.faults.length, notRun: 0 }))
    process.exitCode = result.faults.length === 0 ? 0 : 1
  } catch (error) {
    if (!(error instanceof NotRun)) throw error
    process.stderr.write(`bench ${name}: NOT RUN, nothing was measured: ${error.message}\n`)
    if (values.json) process.stdout.write(`${JSON.stringify({ family: name, notRun: error.message })}\n`)
    print(totalsLine({ ...noTotals, notRun: 1 }))
    process.exitCode = EXIT_NOT_RUN
  }
}

async function write(name: string, result: FamilyResult): Promise<void> {
  const flags = [
    ...values.data === undefined ? [] : ['--data DIR'],
    ...values.scale === undefined ? [] : [`--scale ${values.scale}`],
    ...values.executors === undefined ? [] : [`--executors ${values.executors}`],
  ]
  const heading = [name, ...flags].join(' ')
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  const document = await readFile(RESULTS, 'utf8').catch(() => '# Results of the benches\n')
  const rounds = values.rounds === DEFAULT_ROUNDS ? '' : ` --rounds ${values.rounds}`
  const origin = { command: `npm run bench -- ${heading}${rounds}`, commit, machine: thisMachine() }
  await writeFile(RESULTS, withSection(document, section(heading, result, origin)))
  await mkdir(CHARTS, { recursive: true })
  await writeFile(join(CHARTS, `${chartName(heading)}.svg`), barChart(result.chart))
}
