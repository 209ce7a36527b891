/**
 * `skein cert`: a small CA for a cluster on one's own hosts, in a folder. Never writes over a file. Keys can be read by
 * their owner alone.
 *
 *   skein cert ca                        ca.pem, ca.key: what nodes trust; keep the key off the nodes
 *   skein cert node NAME --hosts a,b     NAME.pem, NAME.key: of one host
 *   skein cert operator NAME             NAME.pem, NAME.key: of a person or a script that runs skein admin
 *   skein cert client NAME               NAME.pem, NAME.key: of the user NAME, who needs no password then
 *   skein cert secret                    secret.key: what seals the cluster's secret; the same on every node
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { QueryError } from '../proto/errors.ts'
import { NODE_NAME } from '../proto/tls.ts'
import { issue, issueAuthority, type Issued, type IssueOptions } from './certificate.ts'

const DEFAULT_FOLDER = './skein-certs'
const AUTHORITY_DAYS = 3_650
/** Two years; nodes refuse to start with one that has expired, and say so. */
const DAYS = 730
const MAX_DAYS = 36_500
const SECRET_BYTES = 32
const LOCAL = ['localhost', '127.0.0.1', '::1']
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/
const DNS_NAME = /^(\*\.)?[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/

export interface CertOptions {
  readonly words: readonly string[]
  readonly out: string | undefined
  readonly hosts: string | undefined
  readonly days: string | undefined
  readonly nowMs: number
  readonly random: (byteCount: number) => Uint8Array
}

/** Answers what to print. */
export function cert(options: CertOptions): string {
  const { words: [what = '', name, ...more], out: folder = DEFAULT_FOLDER, random } = options
  const named = what === 'node' || what === 'operator' || what === 'client'
  if (more.length > 0 || (name !== undefined) !== named) throw usage()
  switch (what) {
    case 'ca': return writeIssued(folder, 'ca', issueAuthority('skein CA', issueOptions(options, AUTHORITY_DAYS)))
    case 'node': {
      const hosts = [NODE_NAME, ...LOCAL, ...hostsOf(options.hosts)]
      const subject = { name: checked(name), unit: 'node', hosts } as const
      return writeIssued(folder, subject.name, issue(authorityIn(folder), subject, issueOptions(options, DAYS)))
    }
    case 'operator': case 'client': {
      const subject = { name: checked(name), unit: what } as const
      return writeIssued(folder, subject.name, issue(authorityIn(folder), subject, issueOptions(options, DAYS)))
    }
    case 'secret': {
      const secret = Buffer.from(random(SECRET_BYTES)).toString('hex')
      return writeNew(folder, 'secret.key', `${secret}\n`, true)
    }
    default: throw usage()
  }
}

function issueOptions({ days, nowMs, random }: CertOptions, otherwise: number): IssueOptions {
  const count = days === undefined ? otherwise : Number(days)
  if (Number.isSafeInteger(count) && count >= 1 && count <= MAX_DAYS) return { days: count, nowMs, random }
  throw new QueryError('INVALID_REQUEST', `--days takes a whole number from 1 to ${MAX_DAYS}, not '${days}'`)
}

function hostsOf(list: string | undefined): string[] {
  const hosts = (list ?? '').split(',').map(host => host.trim()).filter(host => host !== '')
  const wrong = hosts.find(host => isIP(host) === 0 && !DNS_NAME.test(host))
  if (wrong === undefined) return hosts
  throw new QueryError('INVALID_REQUEST', `--hosts takes names and addresses without ports, not '${wrong}'`)
}

function checked(name: string | undefined): string {
  if (name !== undefined && NAME.test(name) && name !== 'ca' && name !== 'secret') return name
  throw new QueryError('INVALID_REQUEST', `'${name}' is no name for a certificate: letters, digits, . _ and -`)
}

function authorityIn(folder: string): Issued {
  const read = (file: string): string => {
    try {
      return readFileSync(join(folder, file), 'utf8')
    } catch (cause) {
      const message = `${join(folder, file)} cannot be read: make it with skein cert ca`
      throw new QueryError('INVALID_REQUEST', message, { cause })
    }
  }
  return { cert: read('ca.pem'), key: read('ca.key') }
}

function writeIssued(folder: string, name: string, { cert, key }: Issued): string {
  return writeNew(folder, `${name}.key`, key, true) + writeNew(folder, `${name}.pem`, cert, false)
}

function writeNew(folder: string, file: string, content: string, isSecret: boolean): string {
  const path = join(folder, file)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    writeFileSync(path, content, { flag: 'wx', mode: isSecret ? 0o600 : 0o644 })
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const why = code === 'EEXIST' ? `${path} is there already, and is left as it is` : message
    throw new QueryError('INVALID_REQUEST', why, { cause })
  }
  return `${path}\n`
}

function usage(): QueryError {
  return new QueryError(
    'INVALID_REQUEST', 'use: skein cert ca | node NAME [--hosts A,B] | operator NAME | client NAME | secret'
    + '  [--out DIR] [--days N]',
  )
}
