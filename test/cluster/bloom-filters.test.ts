/** Bloom filters of remote files, in a real cluster: what they leave out is neither read nor planned for. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { Explanation } from '../../coordinator/explanation.ts'
import { filteredSelect, GROUP_ROWS } from '../catalog/filtered-file.ts'
import { DuckDBInstance } from '../duckdb.ts'
import { S3Server } from '../s3-server.ts'
import { difference } from '../sql/answer.ts'
import { Oracle } from '../sql/oracle.ts'
import { Skein } from './skein.ts'

t.test('row groups are left out by the filters of their columns, which are read once', async t => {
  const root = mkdtempSync(join(tmpdir(), 'skein-bloom-'))
  const server = await S3Server.start()
  const data = join(root, 'data')
  mkdirSync(data)
  const writer = await DuckDBInstance.create(':memory:')
  const connection = await writer.connect()
  await connection.run(`COPY (${filteredSelect()}) TO '${join(data, 't.parquet')}' (ROW_GROUP_SIZE ${GROUP_ROWS})`)
  connection.closeSync()
  writer.closeSync()
  server.objects.put('lake', 't.parquet', readFileSync(join(data, 't.parquet')))
  const oracle = await Oracle.open(data, [
    { catalog: 'c', name: 't', glob: 't.parquet', reader: 'read_parquet' },
  ], 'c')
  const skein = await Skein.start({
    folder: join(root, 'own'), executors: 1,
    config: {
      buckets: { prod: {
        provider: 'custom', bucket: 'lake', endpoint: server.endpoint,
        access_key_id: 'test', secret_access_key: 'testsecret',
      } },
      catalogs: { c: { type: 'bucket_tables', bucket: 'prod', assume_immutable: true, tables: { t: 't.parquet' } } },
      default_catalog: 'c',
    },
  })
  t.teardown(async () => {
    await skein.stop()
    await server.close()
    oracle.close()
    rmSync(root, { recursive: true })
  })
  const groups = async (sql: string): Promise<readonly number[]> => {
    const response = await skein.request('POST', '/explain', { statement: sql })
    let text = ''
    for await (const piece of response.setEncoding('utf8')) text += String(piece)
    const [scan] = (JSON.parse(text) as Explanation).stages.flatMap(({ scans }) => scans)
    return [scan?.row_groups_kept ?? -1, scan?.row_groups ?? -1]
  }
  const point = 'SELECT i8, v, pad FROM t WHERE i4 = 401 ORDER BY pad'
  t.strictSame(await groups(point), [1, 4])
  const { requests } = server.traffic('get')
  t.strictSame(await groups(`${point} -- again`), [1, 4])
  t.equal(server.traffic('get').requests, requests, 'filters are kept')
  const asked: readonly (readonly [sql: string, kept: number])[] = [
    [point, 1], [`SELECT count(*), min(pad) FROM t WHERE v IN ('é401', 'é2002') AND f8 > 3`, 2],
    // not 0.0, which plain DuckDB does not find where its own filter has -0.0
    ['SELECT max(pad) FROM t WHERE f8 = 401', 1],
    [`SELECT max(pad) FROM t WHERE ts = TIMESTAMP '1970-01-01 07:00:00'`, 1],
    [`SELECT count(*), max(pad) FROM t WHERE d9 = 17.25`, 0], [`SELECT max(pad) FROM t WHERE i4 < 401`, 4],
  ]
  for (const [sql, kept] of asked) {
    t.strictSame(await groups(sql), kept === 0 ? [0, 4] : [kept, 4], sql)
    const outcome = await skein.query(sql)
    t.equal(outcome.kind === 'rows' ? difference(await oracle.run(sql), outcome.answer, true) : outcome.message,
      undefined, sql)
  }
})
