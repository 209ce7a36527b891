/** The planner, the catalog and pruning as queries use them. */

import type { Catalog } from '../catalog/catalog.ts'
import type { Planner } from '../planner/planner.ts'
import type { PlanThresholds } from '../planner/planned-query.ts'
import { pruneTable } from './prune-filter.ts'
import type { PlanPorts } from './plan-query.ts'
import type { TableReference } from './query-ports.ts'

export function planPorts(planner: Planner, catalog: Catalog, thresholds: PlanThresholds): PlanPorts {
  return {
    planner,
    catalog: {
      resolve: async (names, defaults) => {
        const files = names.flatMap(({ table, files }) => files === undefined ? [] : [{ table, files }])
        const tables = await catalog.resolve(names.filter(({ files }) => files === undefined).map(parts), defaults)
        return [...tables, ...await catalog.resolveFiles(files, defaults)]
      },
      invalidate: tables => catalog.invalidate(tables.map(({ name }) => name)),
    },
    prune: pruneTable,
    thresholds,
  }
}

function parts({ catalog, schema, table }: TableReference): readonly string[] {
  return [catalog, schema, table].filter(part => part !== null)
}
