/**
 * What a client is told of a statement before it runs: its columns, and its parameters with the types that DuckDB
 * infers for them. Nothing is planned beyond binding, and nothing runs; what may not run is refused here too.
 */

import type { TableColumn } from '../catalog/table.ts'
import { QueryError } from '../proto/errors.ts'
import { screen } from './authority.ts'
import { fromDuckdb } from './duckdb-error.ts'
import { bindText, findParameters, named, parameterNames, placedError } from './parameters.ts'
import { bindStatement } from './plan-query.ts'
import type { PlanRequest } from './planned-query.ts'
import type { PlanningDatabase, PlanningSession } from './planning-database.ts'
import { readStatement } from './statement.ts'

export type PrepareRequest = Omit<PlanRequest, 'thresholds'>

export interface PreparedParameter {
  readonly name: string
  /** DuckDB's text of it; null: any type may come, and none follows from the text. */
  readonly type: string | null
}

export interface PreparedQuery {
  /** With the types that follow if every value has the type of its parameter, or is a text where there is none. */
  readonly columns: readonly TableColumn[]
  readonly parameters: readonly PreparedParameter[]
}

/** More are refused: each is bound by itself. */
const MAX_PARAMETERS = 10_000

export async function prepareQuery(database: PlanningDatabase, request: PrepareRequest): Promise<PreparedQuery> {
  const { sql, tables } = request
  const names = parameterNames(findParameters(sql))
  if (names.length > MAX_PARAMETERS) {
    throw new QueryError('INVALID_REQUEST', `the statement has ${names.length} parameters, more than ${MAX_PARAMETERS}`)
  }
  const nulls = bindText(sql, new Map(names.map(name => [name, 'NULL'])))
  const session = await database.enter(request)
  const syntax = await readStatement(nulls.sql, text => database.syntax(text)).catch((thrown: unknown) => {
    throw placedError(thrown, nulls)
  })
  screen(syntax, tables, nulls.sql)
  const parameters = names.length === 0 ? [] : await session.parameters(sql).catch((thrown: unknown) => {
    throw fromDuckdb(thrown, sql)
  })
  const columnsWith = async (anyValue: string): Promise<readonly TableColumn[]> => {
    const typed = bindText(sql, new Map(parameters.map(({ name, type }) => {
      return [name, type === null ? anyValue : `CAST(NULL AS ${type})`]
    })))
    const bound = await bindStatement(session, syntax, { sql: typed.sql, tables }).catch((thrown: unknown) => {
      throw placedError(thrown, typed)
    })
    return bound.columns
  }
  const columns = await columnsWith('CAST(NULL AS VARCHAR)').catch(async (thrown: unknown) => {
    // `? + 1` takes no text
    if (parameters.every(({ type }) => type !== null)) throw thrown
    return columnsWith('NULL').catch(() => { throw thrown })
  })
  if (names.length === 0) return { columns, parameters }
  return { columns: named(columns, await namesOf(session, sql)), parameters: ordered(names, parameters) }
}

/** Not known for what DuckDB cannot describe. */
async function namesOf(session: PlanningSession, sql: string): Promise<readonly string[]> {
  return session.describedNames(sql).catch(() => [])
}

function ordered(names: readonly string[], parameters: readonly PreparedParameter[]): readonly PreparedParameter[] {
  const types = new Map(parameters.map(({ name, type }) => [name, type]))
  return names.map(name => ({ name, type: types.get(name) ?? null }))
}
