/**
 * Foreign clients, installed where they are not there yet: Python's packages into build-python, the JDBC driver into
 * Maven's own repository, programs of Go and Rust into build-go and build-rust, of the versions that their go.sum and
 * Cargo.lock name. What cannot be installed is told, and its tests are skipped with that reason.
 */

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkout } from '../checkout.ts'

/** A client that is there, or why it is not. */
export type Client = { readonly path: string } | { readonly missing: string }

export interface Ran {
  readonly status: number
  readonly output: string
}

const INSTALL_LIMIT_MS = 300_000
/** Of a program with all that it stands on: a minute on two idle processors, and CI's may be busy. */
const BUILD_LIMIT_MS = 480_000
const RUN_LIMIT_MS = 240_000
const JDBC = '18.3.0'
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024

const place = (name: string) => fileURLToPath(new URL(name, checkout))

export function run(
  program: string, words: readonly string[], limitMs = RUN_LIMIT_MS, env: NodeJS.ProcessEnv = process.env,
): Promise<Ran> {
  return new Promise(resolve => {
    execFile(program, words, { timeout: limitMs, maxBuffer: MAX_OUTPUT_BYTES, env }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : 1, output: stdout + stderr + (stderr === '' ? error?.message ?? '' : '') })
    })
  })
}

/** A Python that has .ci/interop-requirements.txt. */
export async function pythonClient(): Promise<Client> {
  const given = process.env['SKEIN_PYTHON']
  const path = given ?? place('build-python/bin/python')
  const check = ['-c', 'import adbc_driver_flightsql.dbapi, pyarrow.flight, pandas, polars']
  if ((await run(path, check)).status === 0) return { path }
  if (given !== undefined) return { missing: `${given} lacks packages of .ci/interop-requirements.txt` }
  const folder = place('build-python')
  for (const [program, words] of [
    ['python3', ['-m', 'venv', folder]],
    [path, ['-m', 'pip', 'install', '--quiet', '--requirement', place('.ci/interop-requirements.txt')]],
    [path, check],
  ] as const) {
    const { status, output } = await run(program, words, INSTALL_LIMIT_MS)
    if (status !== 0) return { missing: lastLine(output) }
  }
  return { path }
}

/** The jar of Arrow's JDBC driver. */
export async function jdbcDriver(): Promise<Client> {
  const name = 'flight-sql-jdbc-driver'
  const path = join(homedir(), '.m2/repository/org/apache/arrow', name, JDBC, `${name}-${JDBC}.jar`)
  const java = await run('java', ['-version'])
  if (java.status !== 0) return { missing: lastLine(java.output) }
  if (existsSync(path)) return { path }
  const { output } = await run('mvn', [
    '-q', '-B', 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:get',
    `-Dartifact=org.apache.arrow:${name}:${JDBC}`, '-Dtransitive=false',
  ], INSTALL_LIMIT_MS)
  return existsSync(path) ? { path } : { missing: lastLine(output) }
}

/** The program of the Go client. */
export function goClient(): Promise<Client> {
  return goProgram('client', 'go', ['build'], '.')
}

/** Arrow's own client of its integration scenarios. */
export function scenarioClient(): Promise<Client> {
  const name = 'arrow-flight-integration-client'
  const folder = 'github.com/apache/arrow-go/v18/arrow/internal/flight_integration/cmd'
  return goProgram(name, 'go', ['build'], `${folder}/${name}`)
}

/** The validation suite of ADBC with its driver for Go. */
export function adbcSuite(): Promise<Client> {
  return goProgram('adbc-validation', 'adbc', ['test', '-c'], '.')
}

/** What checks the Helm chart. */
export function chartCheck(): Promise<Client> {
  return goProgram('chart', '../soak/chart', ['build'], '.')
}

/** `folder`: beside this file. */
async function goProgram(name: string, folder: string, words: readonly string[], package_: string): Promise<Client> {
  const path = place(`build-go/${name}`)
  const { status, output } = await run('go', [
    ...words.slice(0, 1), '-C', place(`test/interop/${folder}`), ...words.slice(1), '-o', path, package_,
  ], BUILD_LIMIT_MS)
  return status === 0 ? { path } : { missing: lastLine(output) }
}

/** The program of the Rust client. */
export async function rustClient(): Promise<Client> {
  const folder = place('build-rust')
  const { status, output } = await run('cargo', [
    'build', '--quiet', '--locked', '--manifest-path', place('test/interop/rust/Cargo.toml'), '--target-dir', folder,
  ], BUILD_LIMIT_MS)
  return status === 0 ? { path: join(folder, 'debug/flight-client') } : { missing: lastLine(output) }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? ''
}
