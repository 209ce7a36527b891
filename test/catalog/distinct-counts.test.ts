/** How many values a table's columns have, from what each row group says of its own. */

import t from 'tap'
import { openLake } from './lake.ts'

t.test('the same few values in all row groups, or in each its own', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  for (const file of [0, 1, 2]) {
    await lake.write(`d/${file}.parquet`, `SELECT 'kind ' || i % 7 AS kind, 'day ' || i // 4096 AS day,
      'w' || i * 7919 % 700 AS word, (i * 31 % 300)::INTEGER AS k
      FROM range(${file * 16_384}, ${(file + 1) * 16_384}) t(i)`, ', ROW_GROUP_SIZE 4096')
  }
  const { distinctCounts, columns } = await lake.table('d/*.parquet')
  const counts = Object.fromEntries(columns.map(({ name }, i) => [name, distinctCounts[i]]))
  t.equal(counts['kind'], 7)
  t.equal(counts['k'], 300)
  const within = (name: string, true_: number): void => {
    const count = counts[name] ?? NaN
    t.ok(count > true_ / 4 && count < true_ * 4, `${count}, and it is ${true_}: ${name}`)
  }
  within('day', 12)
  within('word', 700)
})
