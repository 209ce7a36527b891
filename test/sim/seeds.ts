/** Which seeds a run of the simulation takes: `SEED=17` one, `SEEDS=2000` the first 2,000, `SEEDS=2001-4000` others. */

export function seedsOf(environment: NodeJS.ProcessEnv, usual: string): number[] {
  const { SEED, SEEDS = usual } = environment
  if (SEED !== undefined) return [whole(SEED)]
  const [first, last] = SEEDS.includes('-') ? SEEDS.split('-').map(whole) : [1, whole(SEEDS)]
  if (first === undefined || last === undefined || last < first) throw new Error(`SEEDS=${SEEDS}: not a range`)
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
}

function whole(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new Error(`${text} is no seed`)
  return value
}
