/**
 * The S3 server as a process, over the files of a folder: `main.js FOLDER`. Prints its address when it serves, and ends
 * with its standard input. For the demo; its bucket is `lake`, its keys are test and testsecret.
 */

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { S3Server } from '../s3-server.ts'

const [, , folder = '.'] = process.argv
const server = await S3Server.start()
for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
  const path = join(folder, name)
  if (!statSync(path).isFile()) continue
  server.objects.put('lake', relative(folder, path).split(sep).join('/'), readFileSync(path))
}
process.stdout.write(`${server.endpoint}\n`)
process.stdin.resume().on('end', () => process.exit(0)).on('error', () => process.exit(0))
