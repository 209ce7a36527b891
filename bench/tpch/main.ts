/** Writes the TPC-H tables: `node dist/bench/tpch/main.js --scale 0.1 --folder DIR`, unless the folder has them. */

import { parseArgs } from 'node:util'
import { generate } from './generate.ts'

const { values } = parseArgs({ options: { scale: { type: 'string', default: '0.1' }, folder: { type: 'string' } } })
if (values.folder === undefined) throw new Error('--folder is missing')
await generate({ scale: Number(values.scale), folder: values.folder })
