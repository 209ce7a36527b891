/**
 * Which folder may import which, and which files may import an external package. A dependency that is not listed may be
 * imported by none, so a new one is a decision made here.
 */

import ts from 'typescript'
import { posix } from 'node:path'
import { builtinModules } from 'node:module'
import { report, sources, type Source } from './sources.ts'

const core = ['proto', 'cluster', 'cache', 'catalog', 'planner']
const product = [...core, 'executor', 'coordinator', 'cli']

/** Each folder may import itself and these. */
const folders: Readonly<Record<string, readonly string[]>> = {
  proto: [],
  cluster: ['proto'],
  cache: ['proto'],
  catalog: ['proto', 'cache'],
  planner: ['proto', 'catalog'],
  executor: ['proto', 'cluster', 'cache'],
  coordinator: core,
  cli: ['proto'],
  test: [...product, 'bench', '.ci'],
  bench: [...product, 'test'],
  '.ci': [],
}

const doors: Readonly<Record<string, RegExp>> = {
  '@grpc/grpc-js': /^(proto\/grpc|test\/)/,
  '@bufbuild/protobuf':
    /^(proto\/|executor\/|coordinator\/(serve\/|.*channel|.*task-definition)|cluster\/.*store|cli\/|test\/|bench\/)/,
  'apache-arrow': /^(proto\/arrow|test\/)/,
  '@duckdb/node-api': /^(executor\/(instances|.*vector.*|arrow-encoder)\.ts|planner\/duckdb\.ts|test\/|bench\/)/,
  '@duckdb/node-bindings': /^(executor\/(.*vector.*|arrow-encoder|instances)\.ts|test\/|bench\/)/,
  hyparquet: /^(cache\/footer\.ts|catalog\/row-file\.ts|test\/)/,
  '@aws-sdk/client-s3': /^(cache\/s3-store\.ts|test\/)/,
  'hyparquet-writer': /^(catalog\/(skeleton|row-file)\.ts|test\/)/,
  piscina: /^planner\//,
  'node-sql-parser': /^(planner\/dialect\/parser\.ts|test\/planner\/)/,
  yaml: /^(proto\/config|test\/)/,
  zod: /^proto\/config/,
  pino: /(^|\/)(main|log)\.ts$/,
  etcd3: /^cluster\/etcd-store\.ts$/,
  cockatiel: /^cluster\/etcd-(store|errors)\.ts$/,
  tap: /^test\//,
  typescript: /^\.ci\//,
  '@gizmodata/gizmosql-client': /^test\/(clients|interop)\//,
  '@firetiger-oss/flight-sql-client': /^test\/clients\//,
  '@lancedb/arrow-flight-sql-client': /^test\/clients\//,
  '@lakehouse-rs/flight-sql-client': /^test\/clients\//,
}

function faultsOf(source: Source): string[] {
  return ts.preProcessFile(source.text, true, true).importedFiles.flatMap(({ fileName }) => {
    const fault = fileName.startsWith('.') ? folderFault(source.path, fileName) : packageFault(source.path, fileName)
    return fault === undefined ? [] : [`${source.path}: ${fault}`]
  })
}

function folderFault(path: string, imported: string): string | undefined {
  const target = posix.normalize(posix.join(posix.dirname(path), imported))
  const [from = '', to = ''] = [path.split('/')[0], target.split('/')[0]]
  if (from !== to && !folders[from]?.includes(to)) return `${from} must not import ${to} (${imported})`
  if (!imported.endsWith('.ts') && !target.startsWith('proto/gen/')) return `write the .ts ending: ${imported}`
  return undefined
}

function packageFault(path: string, imported: string): string | undefined {
  if (imported.startsWith('node:')) return undefined
  if (builtinModules.includes(imported)) return `write node:${imported}`
  const name = imported.split('/').slice(0, imported.startsWith('@') ? 2 : 1).join('/')
  const door = doors[name]
  if (door === undefined) return `${name} is no dependency that may be imported`
  return door.test(path) ? undefined : `${name} has another door: ${door.source}`
}

report('imports', sources().filter(({ path }) => path.endsWith('.ts')).flatMap(faultsOf))
