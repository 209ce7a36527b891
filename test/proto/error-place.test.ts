import t from 'tap'
import { castMark, readCastMark, withoutCastMarks } from '../../proto/cast-mark.ts'
import { errorAtByte } from '../../proto/error-place.ts'
import { DuckDBInstance } from '../duckdb.ts'

t.test("the line and the place are shown as DuckDB shows them", async t => {
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  for (const sql of ["SELECT 'x'::INTEGER", "SELECT\n  1,\n  'é', 'x'::INTEGER,\n  2"]) {
    const message = await connection.run(sql).then(() => '', (error: Error) => error.message)
    const [told = ''] = message.split('\n\n')
    const error = errorAtByte('EXECUTION_ERROR', told, Buffer.from(sql).indexOf('::'), sql)
    t.equal(error.message, message)
    t.equal(error.position, sql.indexOf('::'), 'in characters')
    t.equal(errorAtByte('EXECUTION_ERROR', message, 7, sql).message, message, 'not twice')
  }
  const long = `SELECT ${'1, '.repeat(40)}'x'::INTEGER${', 2'.repeat(40)}`
  const { message } = errorAtByte('EXECUTION_ERROR', 'why', long.indexOf("'x'"), long)
  const [, line = '', caret = ''] = message.split(/\n+/)
  t.ok(line.startsWith('LINE 1: ...') && line.endsWith('...') && line.length < 120, line)
  t.equal(line.indexOf("'x'"), caret.indexOf('^'))
  t.match(errorAtByte('EXECUTION_ERROR', 'why', undefined, 'SELECT 1'), { message: 'why', position: undefined })
  connection.closeSync()
})

t.test('a mark is read where it was written', async t => {
  for (const column of [null, 'amount', 'two words', 'é */ --', '%2A*']) {
    const origin = { offset: 41, column }
    const sql = `SELECT 'é', CAST(${castMark(origin)}c AS INTEGER)`
    t.strictSame(readCastMark(sql, Buffer.from(sql).indexOf('CAST')), origin)
    t.equal(readCastMark(sql, 0), undefined)
    t.equal(withoutCastMarks(sql), "SELECT 'é', CAST(c AS INTEGER)")
  }
  t.equal(castMark(null), '')
})
