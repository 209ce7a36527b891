/** An HTTP door over a query service by hand. */

import { HttpServer } from '../../coordinator/serve/http.ts'
import { queryRoutes } from '../../coordinator/serve/http-routes.ts'
import { systemClock, type Clock } from '../../proto/clock.ts'
import type { QueryError } from '../../proto/errors.ts'
import type { FakeQueries } from './fake-queries.ts'
import { fakeStatements } from './fake-statements.ts'

interface Teardown {
  teardown(callback: () => void): void
}

export interface TestHttp {
  readonly port: number
  readonly faults: QueryError[]
}

export async function startHttp(t: Teardown, queries: FakeQueries, clock: Clock = systemClock): Promise<TestHttp> {
  const faults: QueryError[] = []
  let ids = 0
  const newId = () => `00000000-0000-4000-8000-${String(++ids).padStart(12, '0')}`
  const server = new HttpServer({
    routes: queryRoutes({ ...fakeStatements(t, queries, clock, newId), clock, newId, workerSlug: 'c1' }),
    newId, onFault: error => faults.push(error),
  })
  const port = await server.listen('127.0.0.1', 0)
  t.teardown(() => server.close())
  return { port, faults }
}
