/** Many promises as one that ends when all have. */

/**
 * Waits for all, also when one fails: what the others still write to must not go before. Throws the first failure. What
 * `begin` starts is told to end with `signal`, and by the first failure.
 */
export async function settledOrEnded<T>(
  signal: AbortSignal, begin: (ends: AbortSignal) => readonly Promise<T>[],
): Promise<T[]> {
  const failed = new AbortController()
  const failures: unknown[] = []
  const outcomes = await Promise.allSettled(begin(AbortSignal.any([signal, failed.signal])).map(
    each => each.catch((error: unknown) => {
      failures.push(error)
      failed.abort()
      throw error
    })))
  if (failures.length > 0) throw failures[0]
  return outcomes.flatMap(outcome => outcome.status === 'fulfilled' ? [outcome.value] : [])
}
