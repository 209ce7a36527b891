/** Arguments in the places of parameters, and nowhere else. */

import t from 'tap'
import { asQueryError } from '../../proto/errors.ts'
import { withArguments } from '../../proto/sql-parameters.ts'

t.test('values come in by order, by number and by name', async t => {
  t.equal(withArguments('select ?, ?', ['1', "'b'"]), "select (1), ('b')")
  t.equal(withArguments('select $2, $1, $1', ['1', '2']), 'select (2), (1), (1)')
  t.equal(withArguments('select $a + $b', ['a := 1', 'B := 2']), 'select (1) + (2)')
  t.equal(withArguments('select 1', []), 'select 1')
})

t.test('what only looks like a parameter stays', async t => {
  const text = `select '?', "$1", $$ ? $$, a$1 -- ?\n /* $2 */`
  t.equal(withArguments(text, []), text)
})

t.test('a value too few or too many is refused', async t => {
  const failure = (sql: string, values: string[]) => {
    try {
      return withArguments(sql, values)
    } catch (error) {
      return asQueryError(error).message
    }
  }
  t.equal(failure('select ?, ?', ['1']), 'no value is given for the parameter $2')
  t.equal(failure('select ?', ['1', '2']), 'the statement has no parameter $2')
})
