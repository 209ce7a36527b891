#!/usr/bin/env node
/** The `skein` command: reads its words, runs one command, and ends with 0, or 1 and `error: CODE: message`. */

import { randomBytes, randomUUID } from 'node:crypto'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../proto/config.ts'
import { QueryError, asQueryError } from '../proto/errors.ts'
import { systemClock } from '../proto/clock.ts'
import { thisMachine } from '../proto/machine.ts'
import type { GrpcChannel } from '../proto/grpc-channel.ts'
import { parseArguments, type Arguments } from './arguments.ts'
import type { ClusterOptions } from './cluster.ts'
import { identityIn } from './identity.ts'
import type { Statement, Where } from './query.ts'
import type { RoleOptions } from './role.ts'
import type { StartPorts } from './start.ts'

const HELP = `skein: one SQL query over several executors

  skein start    [--config F] [--executors N]                        one box, stays up
  skein coordinator --config F     skein executor --config F         the processes of a cluster on several hosts
  skein query    [--url http[s]://…] [--config F] [--executors N] [--format table|json|csv|arrow]
                 [--no-cache] [--dialect D] SQL | -
  skein explain  [--analyze] [--url http[s]://…] [--config F] [--executors N] [--format text|json|mermaid]
                 [--dialect D] SQL | -
  skein shell    [--url http[s]://…] [--config F] [--executors N] [--format table|json|csv] [--no-cache]
                 statements of one session at a terminal, or from a pipe; \\? lists its commands
  skein cert     ca | node NAME [--hosts A,B] | operator NAME | client NAME | secret
                 [--out DIR] [--days N]
                 certificates of a small CA of your own, and the key that seals the cluster's secret
  skein demo     [--s3] makes sample data, runs queries on it, shows how they were spread
  skein top      [--url grpc://…]                                    executors and queries, drawn each second
  skein admin    cluster | executors | coordinators | queries | query ID | kill ID | settings | events
                 | drain ID [--now] [--wait] | undrain ID | bucket test NAME | refresh [TABLE|CATALOG] | reload
                 | cache status | cache tables | cache warm TABLE [COLUMN …]
                 | cache evict [BUCKET[/PREFIX]] | cache evict table TABLE
                 | user add NAME | user passwd NAME | user remove NAME | user list      (password: standard input)
                 | store backup FILE | store restore FILE [--replace]
                 [--url grpc://…] [--format table|json]

--dialect: mysql, snowflake, bigquery, tsql or trino; the text is translated.
Without --url, query, explain and shell start a private cluster, and stop it at their end. With it: --user NAME, whose
password is in SKEIN_PASSWORD; --ca F for a server whose CA the system does not know; --cert F and --key F for a user
with a certificate.
--config is ./skein.yaml if that exists.
`

const SECRET_BYTES = 32
/** Commands that take options only. */
const wordless: ReadonlySet<string> = new Set(['start', 'coordinator', 'executor', 'demo', 'top', 'shell'])

/** Ctrl-C, SIGTERM, or nobody reads any more: every command then ends in order. */
const machine = thisMachine()
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort())

async function main(): Promise<void> {
  const words = parseArguments(process.argv.slice(2), process.env)
  const [extra] = words.words
  if (wordless.has(words.command) && extra !== undefined) {
    throw new QueryError('INVALID_REQUEST', `${words.command} takes no '${extra}'; see skein help`)
  }
  if (words.help || words.command === 'help') return write(HELP)
  switch (words.command) { // each loads what it needs, and no more
    case 'start': {
      const { start } = await import('./start.ts')
      return start(await clusterOptions(words), startPorts(words))
    }
    case 'coordinator': {
      const { coordinator } = await import('./role.ts')
      return coordinator(await roleOptions(words), startPorts(words))
    }
    case 'executor': {
      const { executor } = await import('./role.ts')
      return executor(await roleOptions(words), startPorts(words))
    }
    case 'cert': {
      const { cert } = await import('./cert.ts')
      const nowMs = systemClock.wallMs()
      return write(cert({ ...words, nowMs, random: randomBytes }))
    }
    case 'query': {
      const [{ query }, { formatOf }] = [await import('./query.ts'), await import('./answer.ts')]
      return query(await statement(words), formatOf(words.format))
    }
    case 'explain': {
      const { explain, explainFormatOf } = await import('./query.ts')
      return explain(await statement(words), explainFormatOf(words.format), words.analyze)
    }
    case 'shell': return shell(words)
    case 'demo': {
      const { demo } = await import('./demo.ts')
      return demo({
        options: await clusterOptions(words), scale: words.scale, s3: words.s3, signal: stop.signal, newId: randomUUID,
        write, colors: process.stdout.isTTY,
      })
    }
    case 'top': {
      const { top } = await import('./top.ts')
      return top({
        channel: await adminChannel(words), clock: systemClock, signal: stop.signal, write,
        isTerminal: process.stdout.isTTY,
      })
    }
    case 'admin': return administer(words)
    default: throw new QueryError('INVALID_REQUEST', `no command '${words.command}'; see skein help`)
  }
}

async function shell(words: Arguments): Promise<void> {
  const [{ runShell }, { shellFormat }] =
    [await import('./shell/run-shell.ts'), await import('./shell/shell-command.ts')]
  return runShell({
    where: await where(words), settings: {
      format: shellFormat(words.format ?? 'table'), cache: words.cache, dialect: words.dialect ?? 'duckdb',
    },
    clock: systemClock, newId: randomUUID, signal: stop.signal, input: process.stdin, write,
    note: text => { process.stderr.write(text) }, history: historyFile(),
    terminal: !process.stdin.isTTY ? null : process.stdout.isTTY ? process.stdout : process.stderr,
  })
}

async function administer(words: Arguments): Promise<void> {
  if (words.words.length === 1 && words.words[0] === 'events') {
    const { events } = await import('./top.ts')
    return events(await adminChannel(words), words.format === 'json', stop.signal, write)
  }
  const [{ admin, adminCommand }, { passwordIn }] = [await import('./admin.ts'), await import('./user-admin.ts')]
  const command = adminCommand(words.words, words)
  return write(await admin(command, await adminChannel(words), words.format === 'json', {
    clock: systemClock, password: () => passwordIn(process.env['SKEIN_PASSWORD'] ?? readFileSync(0, 'utf8')),
  }))
}

function startPorts({ config }: Arguments): StartPorts {
  const stopped = new Promise<void>(resolve => { stop.signal.addEventListener('abort', () => resolve()) })
  return {
    print: line => { process.stdout.write(`${line}\n`) }, stopped, processId: process.pid,
    reloading: {
      read: () => settings(config), onNotice,
      onSignal: reload => { process.on('SIGHUP', () => terminalIsGone() ? stop.abort() : reload()) },
    },
  }
}

async function settings(file: string | undefined): Promise<Config> {
  const { openConfig } = await import('./settings.ts')
  return openConfig(file, process.env, machine)
}

function onNotice(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** A terminal that closes says so by the same signal. */
function terminalIsGone(): boolean {
  if (!process.stdin.isTTY) return false
  try {
    closeSync(openSync('/dev/tty', 'r'))
    return false
  } catch {
    return true
  }
}

async function statement(words: Arguments): Promise<Statement> {
  const { cache, dialect } = words
  return { where: await where(words), sql: sqlOf(words), signal: stop.signal, cache, dialect, newId: randomUUID, write }
}

async function where(words: Arguments): Promise<Where> {
  return words.url === undefined ? { cluster: await clusterOptions(words) }
    : { url: words.url, identity: identityIn(words, process.env) }
}

async function clusterOptions(words: Arguments): Promise<ClusterOptions> {
  return {
    config: await settings(words.config), executors: words.executors, clock: systemClock,
    newSecret: () => randomBytes(SECRET_BYTES).toString('hex'),
    wholeBytes: words.wholeBytes, broadcastRows: words.broadcastRows, sortRows: words.sortRows,
    skewRows: words.skewRows,
    onNotice,
  }
}

async function roleOptions({ config, wholeBytes, broadcastRows, sortRows, skewRows }: Arguments): Promise<RoleOptions> {
  return {
    config: await settings(config), clock: systemClock, wholeBytes, broadcastRows, sortRows,
    skewRows, onNotice,
  }
}

/** --url says where; whether with TLS, and who we are, the configuration. */
async function adminChannel({ url, config: file }: Arguments): Promise<GrpcChannel> {
  const [, named] = /^grpc(?:\+tls)?:\/\/([^/]+)$/.exec(url ?? '') ?? []
  if (url !== undefined && named === undefined) {
    throw new QueryError('INVALID_REQUEST', `--url of admin takes a grpc:// address, not '${url}'`)
  }
  if (named !== undefined && file === undefined && url?.startsWith('grpc://') === true) {
    const { GrpcChannel } = await import('../proto/grpc-channel.ts')
    return new GrpcChannel(named)
  }
  const [{ openConfig }, { operatorChannel }] = [await import('./settings.ts'), await import('./operator-channel.ts')]
  const config = await openConfig(file, process.env)
  return operatorChannel(named ?? config.listen.admin, config, systemClock)
}

/** The SQL of the command line; `-` or nothing: standard input. */
function sqlOf(words: Arguments): string {
  const [sql, ...more] = words.words
  if (more.length > 0) throw new QueryError('INVALID_REQUEST', 'one statement is expected; quote it')
  return sql === undefined || sql === '-' ? readFileSync(0, 'utf8') : sql
}

/** SKEIN_HISTORY; empty: none is kept. */
function historyFile(): string | null {
  return (process.env['SKEIN_HISTORY'] ?? join(homedir(), '.skein_history')) || null
}

function write(piece: string | Uint8Array): Promise<void> {
  // a reader that has gone is handled below
  return new Promise(resolve => { process.stdout.write(piece, () => resolve()) })
}

process.stdout.on('error', () => stop.abort()) // the reader of a pipe has gone: nothing is left to be said
main().then(() => process.exit(0), (reason: unknown) => {
  const { code, message } = asQueryError(reason)
  process.stderr.write(`error: ${code}: ${message}\n`, () => process.exit(1))
})
