/**
 * What a configuration that was read again changes, and whether a running process can take it: buckets of other
 * machines, catalogs with their tables, the default catalog, resource groups and admins. Everything else is made at the
 * start, and a change of it is refused by its name, with all that came with it.
 */

import { isDeepStrictEqual } from 'node:util'
import { QueryError } from './errors.ts'
import type { Config, NodeConfig } from './config.ts'

/** As the file calls them. */
const fixed: Readonly<Record<
  Exclude<keyof Config, 'buckets' | 'catalogs' | 'defaultCatalog' | 'resourceGroups' | 'admins' | 'node'>, string
>> = {
  dataDir: 'data_dir', databases: 'catalogs (of type duckdb)', resultHoldBytes: 'result_hold_bytes', listen: 'listen',
  store: 'store', storeGraceMs: 'store_grace', secretKeyFile: 'secret_key_file', tls: 'tls', clientTls: 'client_tls',
  auth: 'auth', tracing: 'tracing',
}
const fixedOfNode: Readonly<Record<keyof NodeConfig, string>> = {
  threads: 'threads', memoryBytes: 'memory', spillBytes: 'spill', cacheBytes: 'cache', drainMs: 'drain_timeout',
  resultCacheBytes: 'result_cache', labels: 'labels', advertise: 'advertise',
}

/** The keys that change; none: they are the same. INVALID_CONFIG names all those that cannot without a restart. */
export function configChanges(before: Config, after: Config): string[] {
  const refused = [
    ...changedNames(fixed, before, after),
    ...changedNames(fixedOfNode, before.node, after.node).map(name => `node.${name}`),
  ].map(name => `${name}: cannot change without a restart`)
  for (const name of changedKeys(before.buckets, after.buckets)) {
    // which folders DuckDB may read is fixed when it is opened; one that no table is in any more does no harm
    if (after.buckets[name]?.provider === 'local') {
      refused.push(`buckets.${name}: a folder cannot be added or moved without a restart`)
    }
  }
  if (refused.length > 0) throw new QueryError('INVALID_CONFIG', `nothing was changed: ${refused.join('\n')}`)
  const groups = (config: Config) => Object.fromEntries(config.resourceGroups.map(group => [group.name, group]))
  return [
    ...changedKeys(before.buckets, after.buckets).map(name => `buckets.${name}`),
    ...Object.keys({ ...before.catalogs, ...after.catalogs }).flatMap(name => changedOfCatalog(name, before, after)),
    ...isDeepStrictEqual(before.admins, after.admins) ? [] : ['admins'],
    ...before.defaultCatalog === after.defaultCatalog ? [] : ['default_catalog'],
    ...changedKeys(groups(before), groups(after)).map(name => `resource_groups.${name}`),
  ]
}

function changedOfCatalog(name: string, before: Config, after: Config): string[] {
  const [old, now] = [before.catalogs[name], after.catalogs[name]]
  const path = `catalogs.${name}`
  if (old === undefined || now === undefined || !isDeepStrictEqual({ ...old, tables: {} }, { ...now, tables: {} })) {
    return [path]
  }
  return changedKeys(old.tables, now.tables).map(table => `${path}.tables.${table}`)
}

function changedNames<T extends object>(
  names: { readonly [Key in keyof T]?: string }, before: T, after: T,
): string[] {
  return (Object.keys(names) as (keyof T)[])
    .flatMap(key => isDeepStrictEqual(before[key], after[key]) ? [] : names[key] ?? [])
}

/** Added, removed or altered. */
function changedKeys(before: Readonly<Record<string, unknown>>, after: Readonly<Record<string, unknown>>): string[] {
  return Object.keys({ ...before, ...after }).filter(key => !isDeepStrictEqual(before[key], after[key]))
}
