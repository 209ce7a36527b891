/** INTERVAL: Arrow counts the time part in nanoseconds, so what exceeds 292 years is an error and never wraps. */

import { FixedEncoder } from './column-encoder.ts'
import { checkInterval, intervalToNanos } from './value-conversion.ts'

export class IntervalEncoder extends FixedEncoder {
  constructor() {
    super(16, 16, intervalToNanos)
  }

  protected override take(from: number, count: number): void {
    for (let i = from, end = from + count; i < end; i++) if (this.isValid(i)) checkInterval(this.data, i)
    super.take(from, count)
  }
}
