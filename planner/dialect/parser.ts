/**
 * The door to node-sql-parser: the grammar of one dialect, loaded at its first use. The package's trees are read as
 * unknown values, field by field (ast-node.ts); its other abilities, above all writing SQL, are not used.
 */

import { AstNode } from './ast-node.ts'
import type { Dialect } from './dialect.ts'

type Grammar = (sql: string) => unknown

/** One build a dialect: 200 to 280 KB, 15 ms. */
const builds = {
  mysql: () => import('node-sql-parser/build/mysql.js'),
  snowflake: () => import('node-sql-parser/build/snowflake.js'),
  bigquery: () => import('node-sql-parser/build/bigquery.js'),
  transactsql: () => import('node-sql-parser/build/transactsql.js'),
  trino: () => import('node-sql-parser/build/trino.js'),
}

const loaded = new Map<string, Grammar>()

export async function loadGrammar({ grammar }: Dialect): Promise<Grammar> {
  const known = loaded.get(grammar)
  if (known !== undefined) return known
  const { Parser } = (await builds[grammar]()).default
  const parser = new Parser()
  const parse: Grammar = sql => parser.astify(sql, { database: grammar })
  loaded.set(grammar, parse)
  return parse
}

/** The grammar does not take the text; `offset`: where it stopped, in characters, if it says so. */
export class NotParsed extends Error {
  readonly offset: number | undefined

  constructor(offset: number | undefined, cause: unknown) {
    super('not parsed', { cause })
    this.offset = offset
  }
}

/** The tree of one SELECT. */
export function parseSelect(parse: Grammar, sql: string): AstNode {
  let tree: unknown
  try {
    tree = parse(sql)
  } catch (thrown) {
    const { location } = thrown as { readonly location?: { readonly start?: { readonly offset?: number } } }
    throw new NotParsed(location?.start?.offset, thrown)
  }
  return new AstNode(Array.isArray(tree) && tree.length === 1 ? tree[0] : tree, 'statement')
}
