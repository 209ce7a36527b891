/** Statements of sessions over a query service by hand: every statement reads, but those that begin with `set`. */

import type { DutyKeeper } from '../../cluster/duty.ts'
import { OwnCatalog } from '../../coordinator/session/own-catalog.ts'
import { OwnDatabases } from '../../coordinator/session/own-databases.ts'
import { OwnInstances } from '../../coordinator/session/own-instances.ts'
import { Sessions } from '../../coordinator/session/sessions.ts'
import { Statements } from '../../coordinator/session/statements.ts'
import { SlowReaders } from '../../coordinator/slow-readers.ts'
import { findParameters, parameterNames } from '../../planner/parameters.ts'
import type { Clock } from '../../proto/clock.ts'
import type { CoordinatorId } from '../../proto/ids.ts'
import { splitStatements } from '../../proto/sql-tokens.ts'
import type { FakeQueries } from './fake-queries.ts'

interface Teardown {
  teardown(callback: () => void): void
}

export interface FakeStatements {
  readonly sessions: Sessions
  readonly statements: Statements
  readonly own: OwnCatalog
}

export function fakeStatements(
  t: Teardown, queries: FakeQueries, clock: Clock, newId: () => string, duty?: DutyKeeper,
): FakeStatements {
  const sessions = new Sessions({
    clock, defaults: () => ({ catalog: 'lake', schema: 'main' }), ...(duty === undefined ? {} : { duty }),
  })
  t.teardown(() => sessions.closeAll())
  const own = new OwnInstances({
    sessions, clock, newId, coordinator: 'c' as CoordinatorId, executors: () => [], holdBytes: 1024,
    slowReaders: new SlowReaders(clock),
    databases: new OwnDatabases({}), planner: { hiding: async () => [] },
    connect: () => { throw new Error('no executor is there') },
    catalog: { resolve: async () => [], list: () => new Map(), tables: async () => [] },
  })
  const statements = new Statements({
    sessions, clock, newId, queries, own, catalogs: () => new Map(),
    statementsIn: async text => splitStatements(text).map(statement => statement.text.startsWith('set ')
      ? { ...statement, kind: 'set', name: 'x', value: 'y' }
      : { ...statement, kind: 'query', names: [], metadata: false }),
    // by the service's own words for it, without reading
    describe: request => queries.submit({ ...request, sql: `describe ${request.sql}` }).columns,
    // every parameter is a BIGINT
    prepare: async request => ({
      columns: await queries.submit({ ...request, sql: `describe ${request.sql}` }).columns,
      parameters: parameterNames(findParameters(request.sql)).map(name => ({ name, type: 'BIGINT' })),
    }),
    explain: async request => queries.submit(request),
    refresh: async () => undefined,
  })
  return { sessions, statements, own: new OwnCatalog(own, newId) }
}
