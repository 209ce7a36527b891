/** Between the buffers of a body, and behind the last, are zeros, whatever its memory was used for before. */

import { Message } from 'apache-arrow/ipc/metadata/message'
import t from 'tap'
import { ArrowEncoder } from '../../executor/arrow-encoder.ts'
import { DuckInstance } from '../../executor/instances.ts'
import { BodyPool } from '../../proto/body-pool.ts'
import { columnTexts, toTable } from './arrow-text.ts'
import { openWorkbench, toResult } from './workbench.ts'

const columns = [{ name: 'a', type: 'VARCHAR' }, { name: 'b', type: 'SMALLINT' }, { name: 'c', type: 'VARCHAR' }]
/** Short strings as the last of their buffers; 30001 rows make a body that comes from the pool. */
const rowsSql = (rows: number) => `
  SELECT 'x', i::SMALLINT, CASE WHEN i < 50 THEN repeat('long', i::INTEGER) ELSE 'y' END
  FROM range(${rows}) t(i) ORDER BY i`

for (const rows of [3, 30_001]) {
  t.test(`${rows} rows`, async t => {
    const instance = await DuckInstance.open({})
    const connection = await instance.connect()
    t.teardown(() => { connection.close(); instance.close() })
    const pool = new BodyPool()
    const used = pool.take(1024 * 1024)
    used.bytes.fill(255)
    used.release()
    const prepared = await connection.prepare(rowsSql(rows))
    t.teardown(() => { prepared.close() })
    const stream = await prepared.stream()
    const encoder = new ArrowEncoder(columns, pool)
    for (let next = await stream.next(); next !== null; next = await stream.next()) {
      t.strictSame([...encoder.append(next.chunk, next.rowCount)], [])
    }
    const [batch] = encoder.finish()
    if (batch === undefined) throw new Error('no batch')
    const { buffers } = Message.decode(batch.header).header() as unknown as {
      readonly buffers: readonly { readonly offset: number | bigint; readonly length: number | bigint }[]
    }
    const gaps = buffers.map(({ offset, length }, i) => {
      const end = Number(offset) + Number(length)
      return Buffer.from(batch.body.bytes.subarray(end, Number(buffers[i + 1]?.offset ?? batch.body.bytes.length)))
    })
    t.ok(gaps.filter(({ length }) => length > 0).length >= 3, 'there are gaps')
    t.ok(gaps.every(gap => gap.length < 8 && gap.every(byte => byte === 0)), 'of zeros')
  })
}

t.test('and the values are right', async t => {
  const bench = await openWorkbench(t)
  const { frames } = await bench.result({ sql: rowsSql(3_000), output: toResult(columns), preserveOrder: true })
  const table = toTable(frames)
  t.strictSame([0, 1, 2].map(i => columnTexts(table, i)), [
    Array.from({ length: 3_000 }, () => 'x'), Array.from({ length: 3_000 }, (_, i) => String(i)),
    Array.from({ length: 3_000 }, (_, i) => i < 50 ? 'long'.repeat(i) : 'y'),
  ])
})
