/** The files of a folder as objects of the S3 server, under their paths in it. */

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, sep } from 'node:path'
import type { Test } from 'tap'
import { S3Server } from '../s3-server.ts'

export function putFolder({ objects }: S3Server, folder: string, bucket = 'lake'): void {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, name)
    if (statSync(path).isFile()) objects.put(bucket, name.split(sep).join('/'), readFileSync(path))
  }
}

/** A server with the files of a folder; closed with the test. */
export async function serveFolder(t: Test, folder: string): Promise<S3Server> {
  const server = await S3Server.start()
  t.teardown(() => server.close())
  putFolder(server, folder)
  return server
}

/** As a configuration names it. */
export function bucketConfig({ endpoint }: S3Server, bucket = 'lake'): Record<string, unknown> {
  return { provider: 'custom', bucket, endpoint, access_key_id: 'test', secret_access_key: 'testsecret' }
}
