/** A coordinator's own entry in the cluster: what others read of it, for as long as it lives. */

import { memberState, type DutyKeeper } from '../cluster/duty.ts'
import { coordinatorKey } from '../cluster/keys.ts'
import { Registration } from '../cluster/registration.ts'
import type { MetadataStore } from '../cluster/store.ts'
import { splitAddress } from '../proto/address.ts'
import type { Clock } from '../proto/clock.ts'
import { encodeCoordinatorInfo } from '../proto/cluster-values.ts'
import type { QueryError } from '../proto/errors.ts'
import type { CoordinatorId, Incarnation } from '../proto/ids.ts'
import type { CoordinatorLaunch } from '../proto/launch.ts'
import { packageVersion } from '../proto/package-version.ts'
import type { Doors } from './doors.ts'
import type { Log } from './log.ts'

interface Registered {
  readonly launch: CoordinatorLaunch
  readonly clock: Clock
  readonly log: Log
  readonly processId: number
  readonly duckdbVersion: string
  readonly onFatal: (cause: QueryError) => void
}

/** `doors`: where clients and operators reach it. */
export function register(
  { clock, log, launch: { config }, processId, duckdbVersion, onFatal }: Registered, store: MetadataStore,
  { coordinator: id, incarnation }: { readonly coordinator: CoordinatorId; readonly incarnation: Incarnation },
  doors: Doors, duty: DutyKeeper,
): Promise<Registration> {
  const { advertise, labels } = config.node
  const outside = (address: string): string =>
    advertise === null ? address : `${splitAddress(advertise).host}:${splitAddress(address).port}`
  const value = (): Uint8Array => encodeCoordinatorInfo({
    id, incarnation, processId, http: outside(doors.http), flight: outside(doors.flight), admin: outside(doors.admin),
    skeinVersion: packageVersion(), duckdbVersion, labels: { ...labels }, state: memberState(duty.duty),
  })
  return Registration.start({
    store, clock, key: coordinatorKey(id), name: `coordinator ${id}`, graceMs: config.storeGraceMs, value,
    onLost: () => log.warn({ id }, 'lease lost: registering anew'),
    onUsurped: onFatal,
    onReach: reason => {
      if (reason === null) log.info({}, 'the store answers again')
      else log.warn({ reason: reason.message }, 'no keepalive')
    },
  })
}
