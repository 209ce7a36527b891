/** Messages that every client takes, however large values and chunks are. */

import t from 'tap'
import { ArrowEncoder, MAX_MESSAGE_BYTES } from '../../executor/arrow-encoder.ts'
import { BodyPool } from '../../proto/body-pool.ts'
import { collectYoung } from '../../executor/young-collection.ts'
import { DuckInstance } from '../../executor/instances.ts'
import { encodeFlightHead } from '../../proto/flight-data.ts'
import { columnTexts, toTable } from './arrow-text.ts'
import { openWorkbench, toResult } from './workbench.ts'

/** What some clients take at most. */
const CLIENT_BYTES = 4 * 1024 * 1024

t.test('a row that would exceed 4 MiB is refused, with its largest column', async t => {
  const bench = await openWorkbench(t)
  const columns = [{ name: 'id', type: 'BIGINT' }, { name: 'a', type: 'VARCHAR' }]
  const run = (bytes: number) => bench.result({
    sql: `SELECT i, repeat('x', ${bytes}) FROM range(3) t(i)`, output: toResult(columns), preserveOrder: true,
  })
  const { frames } = await run(4_190_000)
  t.strictSame(columnTexts(toTable(frames), 1).map(text => text?.length), [4_190_000, 4_190_000, 4_190_000])
  const sizes = frames.map(frame => encodeFlightHead(frame).length + frame.dataBody.length)
  t.ok(sizes.every(size => size < CLIENT_BYTES), 'each message fits')
  t.match((await run(MAX_MESSAGE_BYTES - 12)).outcome, {
    kind: 'failed', cause: { code: 'RESULT_TOO_LARGE', message: /^1 row of 2 columns make a message of/ },
  })
  t.match((await run(4_200_000)).outcome, {
    kind: 'failed',
    cause: { code: 'RESULT_TOO_LARGE', message: /^a row of 4200012 bytes, 4200004 of them in column "a", exceeds/ },
  })
})

t.test('one chunk of more than 2 GiB comes as messages that fit', async t => {
  const instance = await DuckInstance.open({})
  const connection = await instance.connect()
  t.teardown(() => { connection.close(); instance.close() })
  const prepared = await connection.prepare("SELECT repeat('x', 1100000) AS a FROM range(2048)")
  const stream = await prepared.stream()
  const encoder = new ArrowEncoder([{ name: 'a', type: 'VARCHAR' }], new BodyPool())
  let [rowCount, largest, total] = [0, 0, 0]
  for (let next = await stream.next(); next !== null; next = await stream.next()) {
    t.equal(next.rowCount, 2048)
    for (const batch of encoder.append(next.chunk, next.rowCount)) {
      rowCount += batch.rowCount
      total += batch.body.bytes.length
      largest = Math.max(largest, batch.header.length + batch.body.bytes.length)
      batch.body.release()
      collectYoung(batch.body.bytes.length)
    }
  }
  for (const batch of encoder.finish()) rowCount += batch.rowCount
  t.equal(rowCount, 2048)
  t.ok(largest < CLIENT_BYTES && total > 2 ** 31, `${total} bytes, at most ${largest} at once`)
})

t.test('lists that fill more than 512 MiB in one chunk are refused', async t => {
  const bench = await openWorkbench(t)
  const columns = [{ name: 'a', type: 'BIGINT[]' }]
  const sql = 'SELECT list_resize([]::BIGINT[], 33000) FROM range(2048)'
  const { outcome } = await bench.result({ sql, output: toResult(columns) })
  t.match(outcome, { kind: 'failed', cause: { code: 'RESULT_TOO_LARGE', message: /lists of 67584000 values/ } })
})
