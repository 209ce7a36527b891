/** What is removed twice at once is removed, and nobody fails for it. */

import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ByteBudget } from '../../executor/byte-budget.ts'
import { ExchangeFiles } from '../../executor/exchange-files.ts'
import type { QueryId } from '../../proto/ids.ts'
import { temporaryFolder } from './workbench.ts'

t.test('outputs of tasks go while their query goes', async t => {
  const files = await ExchangeFiles.open(join(temporaryFolder(t), 'exchange'), 'token', new ByteBudget(1_000_000))
  for (let round = 0; round < 50; round++) {
    const queryId = `q${round}` as QueryId
    const places = Array.from({ length: 4 }, (_, partition) => ({ queryId, stage: 0, partition, attempt: 0 }))
    for (const place of places) {
      const folder = files.outputFolder(place)
      for (let i = 0; i < 5; i++) writeFileSync(join(folder, `${i}.parquet`), 'x')
      mkdirSync(join(folder, 'more'))
    }
    await Promise.all([
      ...places.map(place => files.removeOutput(place)), files.removeQuery(queryId),
      ...places.map(place => files.removeOutput(place)),
    ])
    if (existsSync(join(files.root, queryId))) t.fail(`round ${round}: something is left`)
  }
  t.pass('50 rounds')
})
