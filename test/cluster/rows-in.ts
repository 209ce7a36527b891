/** How many rows a message of Flight brings: those of a record batch; of a schema none. */

import { Message } from 'apache-arrow/ipc/metadata/message'
import type { FlightData } from '../../proto/gen/flight_pb.js'

export function rowsIn({ dataHeader }: Pick<FlightData, 'dataHeader'>): number {
  const header: unknown = Message.decode(dataHeader).header()
  return Number((header as { readonly length?: number }).length ?? 0)
}
