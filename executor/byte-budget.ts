/** Bytes of memory or of disk that several holders share. */

export class ByteBudget {
  readonly totalBytes: number
  #usedBytes = 0

  constructor(totalBytes: number) {
    this.totalBytes = totalBytes
  }

  /** Never below 0, also while it is overdrawn. */
  get freeBytes(): number {
    return Math.max(0, this.totalBytes - this.#usedBytes)
  }

  /** False, and nothing taken, if there is no room. */
  take(byteCount: number): boolean {
    if (byteCount > this.freeBytes) return false
    this.#usedBytes += byteCount
    return true
  }

  give(byteCount: number): void {
    this.#usedBytes -= byteCount
  }

  /** For what somebody else has used already: there may be no room for it. */
  overdraw(byteCount: number): void {
    this.#usedBytes += byteCount
  }
}
