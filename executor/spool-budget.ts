/** Bytes that all result spools of this executor may hold together. */

export class SpoolBudget {
  #freeBytes: number

  constructor(totalBytes: number) {
    this.#freeBytes = totalBytes
  }

  /** False, and nothing taken, if there is no room. */
  take(byteCount: number): boolean {
    if (byteCount > this.#freeBytes) return false
    this.#freeBytes -= byteCount
    return true
  }

  give(byteCount: number): void {
    this.#freeBytes += byteCount
  }
}
