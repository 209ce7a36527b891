/** What stands behind each door: the HTTP API, Flight SQL, and the operators' service, over the same queries. */

import type { ObjectStore } from '../cache/object-store.ts'
import type { DutyKeeper } from '../cluster/duty.ts'
import type { MetadataStore } from '../cluster/store.ts'
import type { Clock } from '../proto/clock.ts'
import { AdminService } from '../proto/gen/admin_pb.js'
import { Health } from '../proto/gen/health_pb.js'
import { ServerReflection } from '../proto/gen/reflection_pb.js'
import { FlightService } from '../proto/gen/flight_pb.js'
import { ResultService } from '../proto/gen/results_pb.js'
import type { Call } from '../proto/grpc-server.ts'
import { packageVersion } from '../proto/package-version.ts'
import type { DoorHandlers } from './doors.ts'
import type { NameDefaults } from './query-ports.ts'
import type { QueryService } from './query-service.ts'
import type { Completions } from './session/completions.ts'
import type { OwnCatalog } from './session/own-catalog.ts'
import type { Sessions } from './session/sessions.ts'
import type { Statements } from './session/statements.ts'
import type { Setting } from './settings.ts'
import { adminHandlers, type AboutCoordinator } from './serve/admin.ts'
import type { Events } from './serve/events.ts'
import { FlightPolls } from './serve/flight-polls.ts'
import { FlightResults } from './serve/flight-results.ts'
import { flightSqlHandlers } from './serve/flight-sql.ts'
import type { CoordinatorAdmin } from './serve/coordinator-admin.ts'
import { resultHandlers, type ChannelTo } from './serve/flight-tickets.ts'
import { autocompleteRoute } from './serve/http-autocomplete.ts'
import { explainRoute } from './serve/http-explain.ts'
import type { CacheAdminPorts } from './serve/cache-admin.ts'
import { healthRoutes, type HealthPorts } from './serve/http-health.ts'
import { healthHandlers, reflectionHandlers } from './serve/reflection.ts'
import { forUsers, queryRoutes } from './serve/http-routes.ts'
import { Logins } from './serve/logins.ts'
import type { CatalogLister } from './serve/ports.ts'
import { Signer } from '../proto/signed-text.ts'
import type { SystemTables } from './system/system-tables.ts'
import type { Users } from './users.ts'

export interface FaceOptions {
  readonly queries: QueryService
  readonly sessions: Sessions
  readonly statements: Statements
  readonly completions: Completions
  readonly ownCatalog: OwnCatalog
  readonly catalog: CatalogLister
  /** By the names of their buckets. */
  readonly stores: ReadonlyMap<string, ObjectStore>
  readonly cacheAdmin: CacheAdminPorts
  readonly health: HealthPorts
  readonly about: AboutCoordinator
  readonly settings: () => readonly Setting[]
  readonly reload: () => Promise<readonly string[]>
  readonly events: Events
  readonly system: Pick<SystemTables, 'parts'>
  readonly store: MetadataStore
  readonly moveCache: (executor: string) => Promise<number>
  readonly clock: Clock
  readonly defaults: () => NameDefaults
  readonly newId: () => string
  readonly users: Users
  readonly auth: 'none' | 'users'
  /** Signs tokens and tickets. */
  readonly key: Uint8Array
  /** To the other coordinators, and who may ask as one. */
  readonly channelTo: ChannelTo
  readonly nodeGuard: (call: Call) => void
  /** Names this coordinator to HTTP clients. */
  readonly workerSlug: string
  readonly duty: DutyKeeper
  readonly coordinators: CoordinatorAdmin
}

export function faces(options: FaceOptions): DoorHandlers {
  const { catalog, clock, newId, key, workerSlug } = options
  const { sessions, statements, users, auth, duty } = options
  const signer = new Signer(key, clock)
  const isOpen = auth === 'none'
  const logins = new Logins(signer, isOpen ? null : users)
  const results = new FlightResults(signer, clock, options.about.coordinator, duty)
  const polls = new FlightPolls(results, clock)
  const flight = flightSqlHandlers({
    sessions, statements, catalog, newId, signer, logins, version: packageVersion(), results, polls,
    own: options.ownCatalog, channelTo: options.channelTo,
  })
  const { queries } = options
  const admin = adminHandlers({ ...options, queries: {
    executors: () => queries.executors(), list: () => statements.list(), kill: id => statements.kill(id),
    setDraining: (executor, draining) => queries.setDraining(executor, draining),
    get load() { return queries.load },
  } })
  return {
    httpRoutes: [
      ...[
        ...queryRoutes({ sessions, statements, clock, newId, workerSlug }),
        autocompleteRoute({ sessions, completions: options.completions, newId }),
        explainRoute({ queries: options.queries, statements, newId, defaults: options.defaults }),
      ].map(route => isOpen ? route : forUsers(route, logins)),
      ...healthRoutes(options.health),
    ],
    flight: server => server.addService(FlightService, flight),
    admin: server => {
      const services = [AdminService, Health, ServerReflection]
      server.addService(AdminService, admin)
      server.addService(ResultService, resultHandlers(results, polls, logins, options.nodeGuard))
      server.addService(Health, healthHandlers(services, () => options.health.notReady() === null, clock))
      server.addService(ServerReflection, reflectionHandlers(services))
    },
  }
}
