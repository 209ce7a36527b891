/** Hive keys; DuckDB is the judge. */

import t from 'tap'
import type { FileKey } from '../../cache/key.ts'
import { hiveLayout as layoutOf } from '../../catalog/hive.ts'
import { hiveStat, hiveType } from '../../catalog/hive-types.ts'
import { openLake } from './lake.ts'

const hiveLayout = (files: readonly FileKey[]) =>
  layoutOf(files, { hivePartitioning: true, hiveTypes: {}, hiveAutocast: true })
const file = (key: string): FileKey => ({ bucket: 'lake', key, etag: 'e', sizeBytes: 1 })

t.test('keys come in the order of their bytes, with their texts', async t => {
  const layout = hiveLayout([file('t/z=1/a=x%20y/f'), file('t/z=__HIVE_DEFAULT_PARTITION__/a=NULL/f')])
  t.strictSame(layout, { keys: ['a', 'z'], types: ['VARCHAR', 'BIGINT'], values: [['x y', '1'], [null, null]] })
})

t.test('what is not key=value is no key', async t => {
  t.strictSame(hiveLayout([file('t/a=b=c/=1/x/k=1.parquet')]).keys, [])
  t.strictSame(hiveLayout([file('k=1/k=2/f')]).values, [['1']], 'of a key twice in a path the first counts')
})

t.test('files with other keys than the first are named', async t => {
  t.throws(() => hiveLayout([file('a=1/f'), file('b=1/g')]), {
    code: 'FILE_CORRUPT', message: "'b=1/g' in bucket lake has the Hive keys [b], but 'a=1/f' has [a]",
  })
  t.throws(() => hiveLayout([file('a=1/f'), file('g')]), { code: 'FILE_CORRUPT' })
})

t.test('options leave keys out, and give them types', async t => {
  const files = [file('a=1/b=x/f'), file('a=2/b=y/g')]
  const options = { hivePartitioning: null, hiveTypes: {}, hiveAutocast: true }
  t.strictSame(layoutOf(files, options).types, ['BIGINT', 'VARCHAR'])
  t.strictSame(layoutOf([...files, file('c/h')], options), { keys: [], types: [], values: [[], [], []] })
  t.strictSame(layoutOf(files, { ...options, hivePartitioning: false }).keys, [])
  t.strictSame(layoutOf(files, { ...options, hiveTypes: { a: 'UTINYINT' } }).types, ['UTINYINT', 'VARCHAR'])
  t.strictSame(layoutOf(files, { ...options, hiveAutocast: false }).types, ['VARCHAR', 'VARCHAR'])
})

t.test('the type of a key is what all its values are', async t => {
  t.strictSame([
    hiveType(['1', '-5', null]), hiveType(['2024-01-01', '2024-1-2']), hiveType(['1', '2024-01-01']), hiveType([null]),
    hiveType(['2024-01-01 10:00:00', '2024-01-01T10:00']), hiveType(['01']), hiveType(['9223372036854775808']),
  ], ['BIGINT', 'DATE', 'VARCHAR', 'VARCHAR', 'TIMESTAMP', 'VARCHAR', 'VARCHAR'])
})

t.test('types, texts and values are those that DuckDB reads', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  const texts = [
    '1', '-1', '+1', '01', '1.5', '1e3', ' 1', '1 ', '9223372036854775807', '9223372036854775808',
    '-9223372036854775808', '2024-01-01', '2024-1-1', '20240101', '2024-13-01', '2024-02-30', '2024-02-29',
    '2023-02-29', '2024-01', '2024-01-01 ', '2024-01-01 10:00:00', '2024-01-01T10:00:00', '2024-01-01 10:00',
    '2024-01-01 10', '2024-01-01T10:00:00Z', '2024-01-01 10:00:00.5', 'true', 'NULL', 'nUll', '',
    '__HIVE_DEFAULT_PARTITION__',
    '__hive_default_partition__', 'a%20b', 'a+b', 'a b', '%', '%zz', '%C3%A9', 'é', '12345-01-01', '--1', '24:00',
    '2024-01-01 10%3A00%3A00', '%31', '1969-12-31', '1969-12-31 23:59:59.999999',
  ]
  for (const [i, text] of texts.entries()) {
    const key = `h${i}/k=${text}/f.parquet`
    await lake.write(key, 'SELECT 1 v')
    const [[type, value, isNull]] = await lake.rows(`SELECT typeof(k),
      CASE WHEN typeof(k) IN ('DATE', 'TIMESTAMP') THEN epoch_us(k::VARCHAR::TIMESTAMP)::VARCHAR ELSE k::VARCHAR END,
      k IS NULL
      FROM read_parquet('${lake.path(`h${i}`)}/*/*.parquet', hive_partitioning = true)`) as [[string, string, boolean]]
    const { types: [own = ''], values: [[read = null] = []] } = hiveLayout([file(key)])
    t.equal(own, type, `type of '${text}'`)
    t.equal(read === null, isNull, `NULL is '${text}'`)
    const stat = read === null ? null : hiveStat(read, own)
    if (stat === null) continue
    t.equal(String(own === 'DATE' ? BigInt(stat) * 86_400_000_000n : stat), value, `value of '${text}'`)
  }
})
