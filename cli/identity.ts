/** Who asks a server, and which servers he trusts: files of certificates, and a name with its password. */

import { readFileSync } from 'node:fs'
import { QueryError } from '../proto/errors.ts'
import type { Arguments } from './arguments.ts'

export interface Identity {
  /** PEM; absent: as the system trusts. */
  readonly ca?: Buffer
  readonly cert?: Buffer
  readonly key?: Buffer
  /** Value of the header; absent: nobody is named. */
  readonly authorization?: string
}

/** The password is never a word of the command line: others see those. */
export function identityIn({ ca, cert, key, user }: Arguments, env: NodeJS.ProcessEnv): Identity {
  if ((cert === undefined) !== (key === undefined)) {
    throw new QueryError('INVALID_REQUEST', '--cert and --key belong together')
  }
  const read = (name: 'ca' | 'cert' | 'key', path: string | undefined): Partial<Record<typeof name, Buffer>> => {
    if (path === undefined) return {}
    try {
      return { [name]: readFileSync(path) }
    } catch (cause) {
      throw new QueryError('INVALID_REQUEST', `--${name}: ${(cause as Error).message}`, { cause })
    }
  }
  const credentials = `${user ?? ''}:${env['SKEIN_PASSWORD'] ?? ''}`
  return {
    ...read('ca', ca), ...read('cert', cert), ...read('key', key),
    ...user === undefined ? {} : { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
  }
}
