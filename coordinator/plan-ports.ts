/** The planner, the catalog and pruning as queries use them. */

import type { Catalog } from '../catalog/catalog.ts'
import { pruneFiles } from '../catalog/prune.ts'
import type { Planner } from '../planner/planner.ts'
import type { PlanThresholds } from '../planner/planned-query.ts'
import { pruneFilters } from './prune-filter.ts'
import type { PlanPorts } from './plan-query.ts'
import type { TableReference } from './query-ports.ts'
import type { AllTables } from './system/all-tables.ts'

export function planPorts(
  planner: Planner, catalog: Catalog, all: Pick<AllTables, 'resolve'>, thresholds: PlanThresholds,
): PlanPorts {
  return {
    planner,
    catalog: {
      resolve: async (names, asking) => {
        const files = names.flatMap(({ table, files }) => files === undefined ? [] : [{ table, files }])
        const tables = await all.resolve(names.filter(({ files }) => files === undefined).map(parts), asking)
        return [...tables, ...await catalog.resolveFiles(files, asking, asking.hidden !== undefined)]
      },
      invalidate: tables => catalog.invalidate(tables.map(({ name }) => name)),
    },
    prune: (table, filters, columns) => {
      const known = pruneFilters(filters)
      return catalog.bloomFilters.prune(table, known, columns, pruneFiles(table, known, columns))
    },
    thresholds,
  }
}

function parts({ catalog, schema, table }: TableReference): readonly string[] {
  return [catalog, schema, table].filter(part => part !== null)
}
