/**
 * The S3 server as a process, over the files of a folder: `main.js FOLDER`. Prints its address when it serves, and ends
 * with its standard input. For the demo; its bucket is `lake`, its keys are test and testsecret.
 */

import { S3Server } from '../s3-server.ts'
import { putFolder } from './folder.ts'

const [, , folder = '.'] = process.argv
const server = await S3Server.start()
putFolder(server, folder)
process.stdout.write(`${server.endpoint}\n`)
process.stdin.resume().on('end', () => process.exit(0)).on('error', () => process.exit(0))
