/** The sessions that own an instance on this executor: opened at their first bind, ended by their coordinator. */

import { QueryError } from '../../proto/errors.ts'
import type { BindRequest } from '../../proto/gen/session_pb.js'
import type { CoordinatorId, SessionId } from '../../proto/ids.ts'
import type { BodyPool } from '../../proto/body-pool.ts'
import type { InstanceSet } from '../instance-set.ts'
import type { ResultSpool } from '../result-spool.ts'
import type { FilePort } from '../scan-files.ts'
import type { DatabaseFiles } from './database-files.ts'
import { OwnSession } from './own-session.ts'
import { TextScreen } from './text-screen.ts'

export interface SessionHostOptions {
  readonly instances: InstanceSet
  readonly files: FilePort
  readonly pool: BodyPool
  /** Where the cluster's tables may lie; absolute, free of links. */
  readonly directories: readonly string[]
  readonly databaseFiles: DatabaseFiles
  readonly newSpool: (resultId: string) => ResultSpool
}

export class SessionHost {
  readonly options: SessionHostOptions
  readonly #sessions = new Map<SessionId, Promise<OwnSession>>()

  constructor(options: SessionHostOptions) {
    this.options = options
  }

  /** Opens it if the request says so. */
  async open({ sessionId, coordinatorId, principal, open }: BindRequest, signal: AbortSignal): Promise<OwnSession> {
    const id = sessionId as SessionId
    if (!this.#sessions.has(id)) {
      if (!open) throw lost()
      const opened = this.#open(id, coordinatorId as CoordinatorId, principal, signal)
      this.#sessions.set(id, opened)
      opened.catch(() => this.#sessions.delete(id))
    }
    const session = await this.find(id)
    const { options } = session
    if (options.principal === principal && options.coordinator === coordinatorId) return session
    throw new QueryError('PERMISSION_DENIED', `session ${id} is another's`)
  }

  find(id: string): Promise<OwnSession> {
    return this.#sessions.get(id as SessionId) ?? Promise.reject(lost())
  }

  async close(id: string): Promise<void> {
    const session = this.#sessions.get(id as SessionId)
    this.#sessions.delete(id as SessionId)
    await session?.then(one => one.close(), () => undefined)
  }

  async closeOf(coordinator: CoordinatorId): Promise<void> {
    for (const [id, opened] of [...this.#sessions]) {
      const session = await opened.catch(() => null)
      if (session?.options.coordinator === coordinator) await this.close(id)
    }
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#sessions.keys()].map(id => this.close(id)))
  }

  async #open(
    id: SessionId, coordinator: CoordinatorId, principal: string, signal: AbortSignal,
  ): Promise<OwnSession> {
    const { instances, directories, files, databaseFiles, pool } = this.options
    const connections = await instances.session(id, directories, signal)
    const screen = await TextScreen.open(connections.admin, directories)
    return new OwnSession({ id, coordinator, principal, connections, files, databaseFiles, pool, screen })
  }
}

function lost(): QueryError {
  return new QueryError('SESSION_LOST', 'the session has no objects on this executor any more')
}
