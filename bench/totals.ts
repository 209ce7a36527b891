/** The last line of a bench, which `.ci/run` and the run of all families add up: `3 passed, 0 failed, 1 not run`. */

export interface Totals {
  readonly passed: number
  readonly failed: number
  /** Families that could not run here: they neither passed nor failed. */
  readonly notRun: number
}

export const noTotals: Totals = { passed: 0, failed: 0, notRun: 0 }

export function addTotals(a: Totals, b: Totals): Totals {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, notRun: a.notRun + b.notRun }
}

export function totalsLine({ passed, failed, notRun }: Totals): string {
  return `${passed} passed, ${failed} failed${notRun === 0 ? '' : `, ${notRun} not run`}`
}

/** Undefined for any other line. */
export function totalsOf(line: string): Totals | undefined {
  const [, passed, failed, notRun = '0'] = /^(\d+) passed, (\d+) failed(?:, (\d+) not run)?$/.exec(line) ?? []
  if (passed === undefined || failed === undefined) return undefined
  return { passed: Number(passed), failed: Number(failed), notRun: Number(notRun) }
}
