/**
 * What a foreign dialect is: tables of its functions, operators, types and constants, each with what it is in DuckDB,
 * and how its texts are read. What does not stand in a table is refused; nothing passes because DuckDB happens to have
 * something of the same name.
 */

import type { Lexicon } from './lexer.ts'

export type DialectName = 'mysql' | 'snowflake' | 'bigquery' | 'tsql' | 'trino'

/** What is known of an expression's type from the text alone. fraction: a number that is no integer type. */
export type Kind = 'unknown' | 'integer' | 'fraction' | 'number' | 'text' | 'date' | 'timestamp' | 'boolean'
  | 'interval' | 'null' | 'tuple' | 'type' | 'path' | 'json' | 'query'

/** SQL of DuckDB's. */
export interface Rendered {
  readonly sql: string
  readonly kind: Kind
}

/** An expression of the text, and the tokens it stands in: [first, last]. */
export interface Value extends Rendered {
  readonly first: number
  readonly last: number
  /** Of a string: what it means. */
  readonly text?: string | undefined
  /** Of a bare name or word, which may be a date unit: in upper case. */
  readonly word?: string | undefined
  /** Of a tuple: its members. */
  readonly members?: readonly Value[]
  /** Of a pattern: its ESCAPE. */
  readonly escape?: string
  /** Of a type: what is done to a cast. */
  readonly type?: CastType
}

/** A call as a rule sees it. */
export interface Call {
  readonly name: string
  readonly args: readonly Value[]
  /** Names that arguments are given. */
  readonly argNames: readonly (string | null)[]
  readonly distinct: boolean
  /** ORDER BY of the arguments or WITHIN GROUP, with ` ORDER BY ` before it; empty: none. */
  readonly order: string
  /** Expressions of that order. */
  readonly orderBy: readonly Value[]
  readonly orderTerms: readonly { readonly descending: boolean }[]
  /** MySQL's SEPARATOR, as DuckDB's string. */
  readonly separator: string | null
  readonly ignoresNulls: boolean
  /** Of CAST, CONVERT and their like. */
  readonly type: CastType | null
  /** FILTER and OVER, to stand behind an aggregate. */
  readonly window: string
  cast(value: Value, type: CastType, isTry: boolean): Rendered
  /** Throws the refusal of `what` at the call, or at one of its arguments. */
  refuse(what: string, argument?: Value): never
}

/** How a call is written in DuckDB. */
export interface Rule {
  /** aggregate: may have DISTINCT, FILTER, OVER. window: must have OVER. group: of GROUP BY alone. */
  readonly use: 'scalar' | 'aggregate' | 'window' | 'table' | 'group'
  /** For the page of the docs. */
  readonly shown: string
  readonly make: (call: Call) => Rendered
  /** The frame where the text gives none; absent: DuckDB's. */
  readonly frame?: string
}

export interface Operator {
  /** Binds tighter when higher. */
  readonly level: number
  readonly shown: string
  readonly make: (left: Value, right: Value, refuse: (what: string) => never) => Rendered
}

export interface CastType {
  readonly sql: string
  readonly kind: Kind
  /** Characters that a cast keeps; null: all. */
  readonly length: number | null
}

/** A type's name in DuckDB without and with sizes; null: refused so. */
export interface TypeRule {
  readonly plain: string | null
  readonly sized: string | null
  readonly kind: Kind
}

export interface Dialect {
  readonly name: DialectName
  readonly lexicon: Lexicon
  /** node-sql-parser's name of it. */
  readonly grammar: 'mysql' | 'snowflake' | 'bigquery' | 'transactsql' | 'trino'
  readonly functions: Readonly<Record<string, Rule>>
  readonly operators: Readonly<Record<string, Operator>>
  readonly types: Readonly<Record<string, TypeRule>>
  /** Words that are values by themselves. */
  readonly constants: Readonly<Record<string, Rendered>>
  /** Where NULLs stand in an order that does not say so. */
  readonly nulls: 'smallest' | 'largest' | 'last'
  /** What a cast of a fraction to an integer does; absent: as DuckDB, which rounds halves of a DOUBLE to even. */
  readonly castsOfFractions?: 'cut' | 'half-up'
  /** What a column is named that the text does not name; absent: its text. */
  readonly unnamed?: (position: number, expression: number) => string
  /** Two names are one only if they are alike in case after this folding; absent: case means nothing. */
  readonly foldsNames?: 'upper'
  readonly options: {
    /** LIMIT skipped, count. */
    readonly limitWithComma?: boolean
    readonly top?: boolean
    readonly qualify?: boolean
    readonly groupByAll?: boolean
    readonly withRollup?: boolean
    /** A string may name a column, after AS. */
    readonly textAliases?: boolean
    /** `SELECT name = value` names a column. */
    readonly aliasEquals?: boolean
    /** A CTE may name itself without RECURSIVE. */
    readonly recursiveUnsaid?: boolean
    /** UNION must say ALL or DISTINCT. */
    readonly unionSaysWhich?: boolean
    readonly minus?: boolean
    /** A join without ON is a CROSS JOIN. */
    readonly joinWithoutOn?: boolean
    /** The name of a table may hold its whole path between quotes. */
    readonly dottedNames?: boolean
    /** `:name` after a value is a path into JSON. */
    readonly jsonPaths?: boolean
    /** Subscripts count from here; absent: there are none. */
    readonly subscripts?: 'one' | 'named'
    readonly lambdas?: boolean
  }
}
