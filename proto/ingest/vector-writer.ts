/** A vector of DuckDB as rows are written to it. Native calls check nothing: only what was checked is ever written. */

export interface VectorWriter {
  put(bytes: Uint8Array): void
  /** Whole words of 8 bytes; 1 is valid. */
  putValidity(mask: Uint8Array): void
  /**
   * Copies bytes, more than 12, into the vector's own memory, as the string of its first row, and gives their address
   * as two words; null if the vector is of text and these are not.
   */
  keepBytes(bytes: Uint8Array): readonly [low: number, high: number] | null
  /** The child of a list, with room for `rowCount` values. */
  listChild(rowCount: number): VectorWriter
  structChild(i: number): VectorWriter
  arrayChild(): VectorWriter
}
