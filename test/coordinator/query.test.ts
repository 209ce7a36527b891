/** The life of a query, as a table. */

import { AssertionError } from 'node:assert/strict'
import t from 'tap'
import { accepted, advance, elapsedMs, publicState, type Query, type QueryEvent } from '../../coordinator/query.ts'
import type { QueryRequest } from '../../coordinator/running-query.ts'
import { QueryError } from '../../proto/errors.ts'
import type { QueryId } from '../../proto/ids.ts'

const cause = new QueryError('EXECUTION_ERROR', 'Conversion Error: x')
const planned: QueryEvent = { kind: 'planned', planMs: 3, stageCount: 2, wholeReason: null, mayShare: true }
const events: readonly QueryEvent[] = [
  planned, { kind: 'admitted' }, { kind: 'reserved' }, { kind: 'outgrown' }, { kind: 'complete', atMs: 9 },
  { kind: 'failed', atMs: 9, cause }, { kind: 'cancelled', atMs: 9, cause }, { kind: 'found' }, { kind: 'gone' },
]
const after = (...count: QueryEvent[]): Query => count.reduce(advance, accepted('q1' as QueryId, {} as QueryRequest, 2))
const queries = [
  ...[0, 1, 2, 3, 4, 5].map(count => after(...events.slice(0, count))), after({ kind: 'failed', atMs: 9, cause }),
  after({ kind: 'cancelled', atMs: 9, cause }), after(planned, { kind: 'found' }),
]
/** Every state against every event; a new state or event must add its row or column. */
const expected = [
  // planned  admitted   reserved   outgrown    complete   failed     cancelled  found      gone
  ['queued',  'bug',     'bug',     'bug',      'bug',     'failed',  'cancelled', 'bug',     'bug'],  // planning
  ['bug',     'reserving', 'bug',     'bug',      'bug',     'failed',  'cancelled', 'serving', 'bug'],  // queued
  ['bug',     'bug',     'running', 'bug',      'bug',     'failed',  'cancelled', 'bug',     'bug'],  // reserving
  ['bug',     'bug',     'bug',     'delivering', 'finished', 'failed',  'cancelled', 'bug',     'bug'],  // running
  ['bug',     'bug',     'bug',     'bug',      'finished', 'failed',  'cancelled', 'bug',     'bug'],  // delivering
  ...['finished', 'failed', 'cancelled'].map(state => events.map(() => state)),
  ['bug',     'bug',     'bug',     'delivering', 'finished', 'failed',  'cancelled', 'bug',     'queued'], // serving
]

t.test('every query takes every event as the table says', async t => {
  const actual = queries.map(query => events.map(event => {
    try {
      return advance(query, event).life.state
    } catch (error) {
      return error instanceof AssertionError ? 'bug' : error
    }
  }))
  t.strictSame(actual, expected)
})

t.test('clients see five states, and a time that stops at the end', async t => {
  t.strictSame(queries.map(publicState),
    ['planning', 'planning', 'running', 'running', 'running', 'finished', 'failed', 'cancelled', 'running'])
  t.strictSame(queries.map(query => elapsedMs(query, 100)), [98, 98, 98, 98, 98, 7, 7, 7, 98])
})
