/** Arrow messages as columns of raw buffers. */

import { Int32, Table, tableToIPC, Utf8, vectorFromArray } from 'apache-arrow'
import t from 'tap'
import { isNull, readBatch, readSchema } from '../../proto/arrow.ts'
import { readStream } from '../../proto/arrow-stream.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'

async function messages(): Promise<[RawFlightData, RawFlightData]> {
  const table = new Table({
    id: vectorFromArray([1, null, 3], new Int32()), name: vectorFromArray(['a', 'bc', null], new Utf8()),
  })
  const found: RawFlightData[] = []
  const source = async function* () { yield tableToIPC(table, 'stream') }
  for await (const message of readStream(source())) found.push(message)
  const [schema, batch] = found
  if (schema === undefined || batch === undefined) throw new Error('two messages were written')
  return [schema, batch]
}

t.test('a batch is read wherever its body lies in memory', async t => {
  const [schema, batch] = await messages()
  for (let shift = 0; shift < 8; shift++) {
    const memory = new Uint8Array(batch.dataBody.length + 8)
    memory.set(batch.dataBody, shift)
    const dataBody = memory.subarray(shift, shift + batch.dataBody.length)
    const { rowCount, columns: [id] } = readBatch(readSchema(schema), { ...batch, dataBody })
    t.equal(rowCount, 3)
    t.match(id, { kind: 'integer', type: undefined })
    t.strictSame(id?.kind === 'integer' ? [...id.values.filter((_, i) => !isNull(id, i))] : [], [1, 3])
  }
})

t.test('types that are given go with the columns', async t => {
  const [schema, batch] = await messages()
  const { columns } = readBatch(readSchema(schema, ['INTEGER', 'JSON']), batch)
  t.strictSame(columns.map(({ type }) => type), [{ kind: 'scalar', name: 'INTEGER' }, { kind: 'scalar', name: 'JSON' }])
})

t.test('a message that is not what it should be is refused', async t => {
  const [schema, batch] = await messages()
  t.throws(() => readSchema(batch), { message: 'a result must begin with its schema' })
  t.throws(() => readBatch(readSchema(schema), schema), { message: 'expected a record batch' })
  const cut = { ...batch, dataBody: batch.dataBody.subarray(0, batch.dataBody.length - 8) }
  t.throws(() => readBatch(readSchema(schema), cut), { message: 'a buffer is shorter than its column' })
})
