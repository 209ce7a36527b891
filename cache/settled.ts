/** Many promises as one that ends when all have. */

/** Waits for all, also when one fails: what the others still write to must not go before. Throws the first failure. */
export async function settled<T>(all: readonly Promise<T>[], onFailure = (): void => undefined): Promise<T[]> {
  const failures: unknown[] = []
  const outcomes = await Promise.allSettled(all.map(each => each.catch((error: unknown) => {
    failures.push(error)
    onFailure()
    throw error
  })))
  if (failures.length > 0) throw failures[0]
  return outcomes.flatMap(outcome => outcome.status === 'fulfilled' ? [outcome.value] : [])
}
