/**
 * A real cluster as foreign clients meet it: TLS at every door of clients, unless they cannot speak it, and a user who
 * has to log in.
 */

import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCommand } from '../cluster/command.ts'
import { Skein } from '../cluster/skein.ts'
import { tablesConfig, writeTables } from '../sql/tables.ts'

export interface SecureCluster {
  readonly skein: Skein
  /** host:port of Flight. */
  readonly flight: string
  /** PEM of the CA that clients must trust. */
  readonly ca: string
  readonly user: string
  readonly password: string
  stop(): Promise<void>
}

const user = 'interop'
const password = 'correct horse battery'

interface SecureOptions {
  readonly tls?: boolean
  /** Absent: one that is read only. */
  readonly defaultCatalog?: 'work'
}

export async function startSecure({ tls = true, defaultCatalog }: SecureOptions = {}): Promise<SecureCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'skein-interop-'))
  const certificates = join(folder, 'certificates')
  for (const words of tls ? [['ca'], ['node', 'door']] : []) {
    const made = await runCommand(['cert', ...words, '--out', certificates])
    if (made.status !== 0) throw new Error(made.stderr)
  }
  await writeTables(join(folder, 'files'))
  await mkdir(join(folder, 'desk'))
  const tables = tablesConfig(join(folder, 'files')) as { readonly buckets: object; readonly catalogs: object }
  const skein = await Skein.start({
    folder, executors: 2,
    config: {
      ...tables, auth: 'users', ...defaultCatalog === undefined ? {} : { default_catalog: defaultCatalog },
      buckets: { ...tables.buckets, desk: { provider: 'local', path: join(folder, 'desk') } },
      catalogs: { ...tables.catalogs, work: { type: 'duckdb', bucket: 'desk', path: 'work.duckdb', writers: [user] } },
      ...tls ? { client_tls: { cert: join(certificates, 'door.pem'), key: join(certificates, 'door.key') } } : {},
    },
  })
  const added = await runCommand(['admin', '--url', skein.doors.admin ?? '', 'user', 'add', user], { input: password })
  if (added.status !== 0) throw new Error(added.stderr)
  return {
    skein, flight: (skein.doors.flight ?? '').replace(/^grpc(\+tls)?:\/\//, ''), ca: join(certificates, 'ca.pem'),
    user, password,
    async stop() {
      await skein.stop()
      await rm(folder, { recursive: true })
    },
  }
}
