/**
 * What every stream of one result begins with: the schema, and the values of dictionaries. It follows from the columns
 * alone, so streams that several tasks make of one result begin alike, and whoever joins them knows what to leave out.
 */

import { dictionaryMessage } from './arrow-batch.ts'
import { arrowSchemaMessage, dictionaries, type EnumForm, type ResultColumn } from './arrow-schema.ts'
import type { RawFlightData } from './flight-data.ts'

export function resultLead(columns: readonly ResultColumn[], enums: EnumForm): RawFlightData[] {
  const schema = { dataHeader: arrowSchemaMessage(columns, enums), dataBody: new Uint8Array(0) }
  return [schema, ...dictionaries(columns, enums).map((values, id) => dictionaryMessage(id, values))]
}
