/** ENUM columns as Arrow dictionaries, when that was asked for. */

import t from 'tap'
import type { DataType, Dictionary } from 'apache-arrow'
import { dictionaryMessage } from '../../proto/arrow-batch.ts'
import { columnForm } from '../../proto/arrow-schema.ts'
import { columnTexts, toTable } from './arrow-text.ts'
import { openWorkbench } from './workbench.ts'

const names = Array.from({ length: 300 }, (_, i) => `value ${i}`)
const wide = `ENUM(${names.map(name => `'${name}'`).join(', ')})`
const small = "ENUM('a', 'it''s', 'ünï')"

t.test('each ENUM has a dictionary, with indices as wide as its values need', async t => {
  const bench = await openWorkbench(t)
  const columns = [
    { name: 'small', type: small }, { name: 'wide', type: wide },
    { name: 'list', type: `${small}[]` }, { name: 'pair', type: `STRUCT(e ${small}, n BIGINT)` },
  ]
  const { outcome, frames } = await bench.result({
    sql: `SELECT CASE WHEN i%5>0 THEN ['a', 'it''s', 'ünï'][1+i%3]::${small} END, ('value ' || i%300)::${wide},
      ['ünï', NULL]::${small}[], {'e': 'it''s'::${small}, 'n': i} FROM range(5000) t(i) ORDER BY i`,
    output: { case: 'result', value: { columns, enumDictionaries: true } }, preserveOrder: true,
  })
  t.match(outcome, { kind: 'succeeded' })
  const table = toTable(frames)
  const types = [0, 1].map(i => (table.schema.fields[i]?.type as Dictionary<DataType>).indices.bitWidth)
  t.strictSame(types, [8, 16])
  const rows = Array.from({ length: 5000 }, (_, i) => i)
  t.strictSame(columnTexts(table, 0), rows.map(i => i % 5 > 0 ? ['a', "it's", 'ünï'][i % 3] : null))
  t.strictSame(columnTexts(table, 1), rows.map(i => `value ${i % 300}`))
  t.strictSame(columnTexts(table, 2), rows.map(() => '["ünï",null]'))
  t.strictSame(columnTexts(table, 3), rows.map(i => JSON.stringify({ e: "it's", n: i })))
})

t.test('an ENUM that would make a large dictionary is text, whatever was asked', t => {
  const large = `ENUM(${names.map(name => `'${name}${'x'.repeat(4000)}'`).join(', ')})`
  t.strictSame([columnForm(wide, 'dictionary').kind, columnForm(large, 'dictionary').kind], ['enum', 'scalar'])
  t.strictSame(columnForm(wide).kind, 'scalar')
  t.end()
})

t.test('a dictionary message has its values back to back', t => {
  const { dataBody } = dictionaryMessage(0, ['ab', '', 'é'])
  t.strictSame([...new Int32Array(dataBody.buffer, 0, 4)], [0, 2, 2, 4])
  t.equal(Buffer.from(dataBody.subarray(16, 20)).toString(), 'abé')
  t.end()
})
