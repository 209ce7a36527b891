/** docs/dialects.md lists what the tables of the dialects hold. `GOLDEN=write` writes its tables anew. */

import { readFileSync } from 'node:fs'
import t from 'tap'
import { dialectNames } from '../../../planner/dialect/dialect-name.ts'
import { dialectNamed } from '../../../planner/dialect/translate.ts'
import { checkout } from '../../checkout.ts'
import { matchGolden } from '../../golden.ts'

const PAGE = 'docs/dialects.md'

function table(head: string, entries: readonly (readonly [string, string])[]): string {
  const lines = entries.map(([name, shown]) => `| \`${escaped(name)}\` | \`${escaped(shown)}\` |`)
  return [`| ${head} | DuckDB |`, '|---|---|', ...lines].join('\n')
}

/** A bar would end the cell. */
function escaped(text: string): string {
  return text.replaceAll('|', '\\|')
}

t.test('the page lists every function, operator and type', async t => {
  const sections: string[] = []
  for (const name of dialectNames) {
    const { functions, operators, types } = await dialectNamed(name)
    const sorted = <Value>(entries: Readonly<Record<string, Value>>): [string, Value][] =>
      Object.entries(entries).sort(([a], [b]) => a < b ? -1 : 1)
    sections.push(
      `### ${name}`,
      table('operator', sorted(operators).map(([word, { shown }]) => [word, shown])),
      table('function', sorted(functions).map(([word, { shown }]) => [word, shown])),
      table('type', sorted(types).map(([word, { plain, sized }]) => [word, plain ?? sized ?? ''])),
    )
  }
  const page = readFileSync(new URL(PAGE, checkout), 'utf8')
  const tables = `<!-- tables -->\n${sections.join('\n\n')}\n<!-- end of tables -->`
  matchGolden(t, PAGE, page.replace(/<!-- tables -->[\s\S]*<!-- end of tables -->/, () => tables))
})
