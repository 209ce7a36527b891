/** The command line's words: options of all commands in one table, and what they mean together. */

import { parseArgs } from 'node:util'
import { QueryError } from '../proto/errors.ts'

/** More executors on one box only divide it into pieces too small to work with. */
const MAX_EXECUTORS = 64
const DEFAULT_EXECUTORS = 3

export interface Arguments {
  readonly command: string
  readonly words: readonly string[]
  readonly config: string | undefined
  readonly url: string | undefined
  readonly format: string | undefined
  readonly dialect: string | undefined
  readonly executors: number
  readonly scale: string | undefined
  readonly out: string | undefined
  readonly hosts: string | undefined
  readonly days: string | undefined
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
  readonly user: string | undefined
  readonly help: boolean
  /** Of the demo: its data in an S3 server. */
  readonly s3: boolean
  readonly analyze: boolean
  readonly now: boolean
  readonly wait: boolean
  readonly replace: boolean
  /** False: --no-cache. */
  readonly cache: boolean
  readonly wholeBytes: number | undefined
  readonly broadcastRows: number | undefined
  readonly sortRows: number | undefined
  readonly skewRows: number | undefined
}

export function parseArguments(argv: readonly string[], env: NodeJS.ProcessEnv): Arguments {
  const { values, positionals } = parse(argv)
  const [command = 'help', ...words] = positionals
  const executors = values.executors ?? env['SKEIN_EXECUTORS']
  return {
    command, words,
    config: values.config, url: values.url, format: values.format, dialect: values.dialect, scale: values.scale,
    out: values.out, hosts: values.hosts, days: values.days,
    ca: values.ca, cert: values.cert, key: values.key, user: values.user, help: values.help === true,
    analyze: values.analyze === true, s3: values.s3 === true,
    now: values.now === true, wait: values.wait === true, replace: values.replace === true,
    cache: values['no-cache'] !== true,
    executors: executors === undefined ? DEFAULT_EXECUTORS : integer('--executors', executors, 1, MAX_EXECUTORS),
    wholeBytes: optional('SKEIN_WHOLE_BYTES', env),
    broadcastRows: optional('SKEIN_BROADCAST_ROWS', env),
    sortRows: optional('SKEIN_SORT_ROWS', env), skewRows: optional('SKEIN_SKEW_ROWS', env),
  }
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        config: { type: 'string' }, url: { type: 'string' }, format: { type: 'string' }, executors: { type: 'string' },
        dialect: { type: 'string' },
        scale: { type: 'string' }, out: { type: 'string' }, hosts: { type: 'string' }, days: { type: 'string' },
        ca: { type: 'string' }, cert: { type: 'string' }, key: { type: 'string' }, user: { type: 'string' },
        help: { type: 'boolean', short: 'h' }, analyze: { type: 'boolean' },
        now: { type: 'boolean' }, wait: { type: 'boolean' },
        replace: { type: 'boolean' }, 'no-cache': { type: 'boolean' },
        s3: { type: 'boolean' },
      },
    })
  } catch (error) {
    const [what = ''] = (error instanceof Error ? error.message : String(error)).split('. ') // then comes advice
    throw new QueryError('INVALID_REQUEST', `${what}; see skein help`, { cause: error })
  }
}

function optional(name: string, env: NodeJS.ProcessEnv): number | undefined {
  const text = env[name]
  return text === undefined || text === '' ? undefined : integer(name, text, 0, Number.MAX_SAFE_INTEGER)
}

function integer(name: string, text: string, from: number, to: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= from && value <= to) return value
  throw new QueryError('INVALID_REQUEST', `${name} takes a whole number from ${from} to ${to}, not '${text}'`)
}
