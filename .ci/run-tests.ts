/**
 * Runs the compiled tests, each file in a process of its own, three at once. Arguments are parts of paths:
 * `npm test -- planner` runs the planner's. `--interop` runs the tests against foreign clients, `--soak` the long ones;
 * without them these are left out. Prints failures in full and ends with the totals: every assertion counts.
 */

import { existsSync, readdirSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { run } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { TestReport } from './test-report.ts'

/** On two processors: some wait for a lease or a deadline, and do nothing meanwhile. Four take as long. */
const FILES_AT_ONCE = 3
/** A file that hangs fails after this; the long tests have no limit. */
const FILE_TIMEOUT_MS = 600_000
/** Threads for DuckDB calls, which hold one each, and for files and DNS besides; read when a process starts. */
const UV_THREADS = 32

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { interop: { type: 'boolean', default: false }, soak: { type: 'boolean', default: false } },
})

const files = testFiles().filter(file =>
  positionals.length === 0 || positionals.some(part => file.includes(part.replace(/\.ts$/, '.js'))))
process.env['UV_THREADPOOL_SIZE'] ??= String(UV_THREADS)
process.env['TAP_TIMEOUT'] ??= '0' // seconds; its default of 30 is for one file, and ours is above
const report = new TestReport(line => process.stdout.write(`${line}\n`))
if (files.length === 0) {
  process.stdout.write('no test file\n0 passed, 0 failed\n')
} else {
  const stream = run({ files, concurrency: FILES_AT_ONCE, timeout: values.soak ? Infinity : FILE_TIMEOUT_MS })
  report.follow(stream)
  stream.once('end', () => { process.exitCode = report.end(files) ? 0 : 1 })
  stream.resume()
}

/** Compiled files whose source is still there. */
function testFiles(): string[] {
  const built = relative('.', dirname(dirname(fileURLToPath(import.meta.url))))
  return readdirSync(join(built, 'test'), { recursive: true, encoding: 'utf8' })
    .map(name => join(built, 'test', name))
    .filter(file => file.endsWith('.test.js') && existsSync(relative(built, file).replace(/\.js$/, '.ts')))
    .filter(file => file.includes('/soak/') === values.soak && file.includes('/interop/') === values.interop)
    .sort()
}
