/**
 * The one error type of the product, for what users and clusters do wrong. Callers may branch on its code, never
 * on its message; the code decides the gRPC, HTTP and SQLSTATE status and whether it may be tried again. Our own
 * faults are not QueryErrors: they are thrown as plain errors or assertions, and become INTERNAL at the edge.
 */

export interface ErrorClass {
  /** Number of the gRPC status. */
  readonly grpc: number
  readonly http: number
  readonly sqlState: string
  /** True if the same statement, sent again unchanged, may succeed. */
  readonly retryable: boolean
}

/** Source of the numbers: gRPC status codes; RFC 9110; PostgreSQL appendix A (errcodes). */
const classes = {
  // what the user wrote
  SYNTAX_ERROR: { grpc: 3, http: 400, sqlState: '42601', retryable: false },
  BIND_ERROR: { grpc: 3, http: 400, sqlState: '42000', retryable: false },
  TABLE_NOT_FOUND: { grpc: 5, http: 404, sqlState: '42P01', retryable: false },
  TABLE_EXISTS: { grpc: 6, http: 409, sqlState: '42P07', retryable: false },
  EXECUTION_ERROR: { grpc: 3, http: 400, sqlState: '22000', retryable: false },
  INVALID_REQUEST: { grpc: 3, http: 400, sqlState: '08P01', retryable: false },
  UNSUPPORTED_STATEMENT: { grpc: 12, http: 400, sqlState: '0A000', retryable: false },
  PERMISSION_DENIED: { grpc: 7, http: 403, sqlState: '42501', retryable: false },
  UNAUTHENTICATED: { grpc: 16, http: 401, sqlState: '28000', retryable: false },
  NOT_FOUND: { grpc: 5, http: 404, sqlState: '42704', retryable: false },
  TRANSACTION_ERROR: { grpc: 3, http: 409, sqlState: '25000', retryable: false },
  /** The temporary objects, or the open transaction, of a session are gone with its executor. */
  SESSION_LOST: { grpc: 10, http: 410, sqlState: '08006', retryable: false },
  INVALID_CONFIG: { grpc: 3, http: 500, sqlState: 'F0000', retryable: false },
  // data
  FILE_NOT_FOUND: { grpc: 5, http: 404, sqlState: '58P01', retryable: false },
  FILE_CORRUPT: { grpc: 15, http: 500, sqlState: 'XX001', retryable: false },
  FILE_CHANGED: { grpc: 14, http: 503, sqlState: '55006', retryable: true },
  // limits
  OUT_OF_MEMORY: { grpc: 8, http: 507, sqlState: '53200', retryable: false },
  DISK_FULL: { grpc: 8, http: 507, sqlState: '53100', retryable: false },
  RESULT_TOO_LARGE: { grpc: 8, http: 413, sqlState: '54000', retryable: false },
  PLANNING_LIMIT: { grpc: 8, http: 400, sqlState: '54001', retryable: false },
  SESSION_LIMIT: { grpc: 8, http: 429, sqlState: '53300', retryable: true },
  QUERY_QUEUE_FULL: { grpc: 14, http: 429, sqlState: '53000', retryable: true },
  DEADLINE_EXCEEDED: { grpc: 4, http: 504, sqlState: '57014', retryable: false },
  CANCELLED: { grpc: 1, http: 499, sqlState: '57014', retryable: false },
  // the cluster
  EXECUTOR_FULL: { grpc: 8, http: 503, sqlState: '53000', retryable: true },
  EXECUTOR_LOST: { grpc: 14, http: 503, sqlState: '58000', retryable: true },
  INPUT_LOST: { grpc: 14, http: 503, sqlState: '58000', retryable: true },
  /** A catalog's file is in use by others for longer than a statement waits. */
  CATALOG_BUSY: { grpc: 14, http: 503, sqlState: '55P03', retryable: true },
  NO_EXECUTOR: { grpc: 14, http: 503, sqlState: '57P03', retryable: true },
  UNAVAILABLE: { grpc: 14, http: 503, sqlState: '57P01', retryable: true },
  INTERNAL: { grpc: 13, http: 500, sqlState: 'XX000', retryable: false },
} as const satisfies Record<string, ErrorClass>

export type ErrorCode = keyof typeof classes

export const errorCodes = Object.keys(classes) as readonly ErrorCode[]

export interface QueryErrorOptions extends ErrorOptions {
  /** Where in the statement's text, in characters from 0; absent if the error has no place. */
  readonly position?: number | undefined
  /** When to send the statement again at the earliest; absent: nothing is known. */
  readonly retryAfterMs?: number | undefined
}

export class QueryError extends Error {
  override readonly name = 'QueryError'
  readonly code: ErrorCode
  readonly position: number | undefined
  readonly retryAfterMs: number | undefined

  constructor(code: ErrorCode, message: string, options?: QueryErrorOptions) {
    super(message, options)
    this.code = code
    this.position = options?.position
    this.retryAfterMs = options?.retryAfterMs
  }

  get class(): ErrorClass {
    return classes[this.code]
  }
}

/** The code that `text` names, or undefined: for reading codes off a wire. */
export function errorCode(text: string): ErrorCode | undefined {
  return Object.hasOwn(classes, text) ? text as ErrorCode : undefined
}

/** Any thrown thing as a QueryError; what is not one is our own fault, and INTERNAL. */
export function asQueryError(thrown: unknown): QueryError {
  if (thrown instanceof QueryError) return thrown
  return new QueryError('INTERNAL', thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown })
}

/** Fails to compile if a union member has no case, and throws if one slips through. */
export function unreachable(value: never): never {
  throw new Error(`no case for ${JSON.stringify(value)}`)
}
