/** The coordinator's structured log, as its parts write it; main.ts gives the real one. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
