/** What a client asks with a text, and what it is told of one. */

import type { TableColumn } from '../../catalog/table.ts'
import type { DialectName } from '../../planner/dialect/dialect.ts'
import type { PreparedParameter } from '../../planner/prepare-query.ts'
import type { EnumForm } from '../../proto/arrow-schema.ts'
import type { Compression } from '../../proto/compression.ts'
import type { QueryId } from '../../proto/ids.ts'
import type { TraceContext } from '../../proto/trace-context.ts'
import type { ClientInterface } from '../running-query.ts'
import type { Session } from './session.ts'

/** One text of a client. What is given besides counts for this text alone. */
export interface StatementInput {
  readonly session: Session
  readonly sql: string
  readonly clientInterface: ClientInterface
  readonly enums?: EnumForm | undefined
  /** Absent: none. */
  readonly compression?: Compression | undefined
  readonly parallel?: boolean | undefined
  /** False: as the session's own. */
  readonly cache?: boolean | undefined
  /** Of the text; null: DuckDB's own; absent: the session's. */
  readonly dialect?: DialectName | null | undefined
  /** The client's own id for it. */
  readonly queryId?: QueryId | undefined
  /** That the client's call belongs to. */
  readonly trace?: TraceContext | undefined
  /** Names that the text with parameters gave its columns, where values now stand in it. */
  readonly columnNames?: readonly string[] | undefined
  /** The text with parameters, if those names are not known yet. */
  readonly unbound?: string | undefined
  readonly catalog?: string | undefined
  readonly schema?: string | undefined
  readonly settings?: Readonly<Record<string, string>> | undefined
  /** Texts that run in the place of `sql`, one change, of which they are forms with other values: all or none. */
  readonly rows?: Iterable<string> | undefined
  /** Of the last statement's rows; null: all. A statement that gives no rows is left as it is. */
  readonly limit?: number | null | undefined
  readonly offset?: number | null | undefined
}

/** What a text is, without running it. */
export interface Description {
  readonly columns: readonly TableColumn[]
  /** It gives no rows but their number, if that: clients run it for its effect. */
  readonly isUpdate: boolean
  /** It changes data or objects. */
  readonly changes: boolean
}

/** The same of a text that may have parameters. */
export interface Preparation extends Description {
  readonly parameters: readonly PreparedParameter[]
}
