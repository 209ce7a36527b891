import t from 'tap'
import { csvCell } from '../../proto/csv-text.ts'
import { quoteName, quoteText, quoteTexts } from '../../proto/sql-text.ts'
import { DuckDBInstance } from '../duckdb.ts'

const odd = ['', 'a', 'Select', 'two words', `it's`, `"quoted"`, `''""`, 'a\\n\n', 'ü\u{1F986}', '$1; --', '[x, y]']

t.test('DuckDB reads quoted names and texts as what they were', async t => {
  const instance = await DuckDBInstance.create(':memory:')
  t.teardown(() => instance.closeSync())
  const connection = await instance.connect()
  for (const text of odd) {
    const sql = `SELECT ${quoteText(text)} AS ${quoteName(`x${text}`)}, ${quoteTexts([text, text])}`
    const result = await connection.runAndReadAll(sql)
    t.equal(result.columnNames()[0], `x${text}`)
    t.strictSame(result.getRowsJS(), [[text, [text, text]]], text)
  }
})

t.test('a cell of CSV is quoted only where it must be, and NULL is not an empty text', async t => {
  t.strictSame([null, '', 'a b', 'a,b', 'a"b', 'a\nb'].map(csvCell), ['', '""', 'a b', '"a,b"', '"a""b"', '"a\nb"'])
})
