/**
 * Plans that are not as we know them: every object of real plans gets one more field, every name another text, and
 * every field is once left out. Each must be Unsupported, or not matter: then the decoded plan is the same.
 */

import t from 'tap'
import { Unsupported } from '../../planner/unsupported.ts'
import { RoundTrip } from './round-trip.ts'

const roundTrip = await RoundTrip.open()
t.teardown(() => roundTrip.close())

const statements = [
  `SELECT id, k + 1.5 AS x, s LIKE 'a%' FROM t WHERE k > 3 AND s IN ('a', 'b', 'c') AND dt BETWEEN DATE '2024-01-01'
    AND DATE '2024-03-01'`,
  `SELECT g, sum(m), string_agg(s, ',' ORDER BY id), quantile_cont(d, 0.5), count(DISTINCT k) FILTER (b) FROM t
    GROUP BY ROLLUP (g) ORDER BY g LIMIT 5`,
  `SELECT t.id, u.v FROM t LEFT JOIN u ON t.k = u.k WHERE t.k NOT IN (SELECT k FROM one) OR EXISTS (FROM u x WHERE
    x.k = t.g)`,
  `SELECT id, lag(k, 2, 0) OVER (PARTITION BY g ORDER BY id), sum(d) OVER (ORDER BY d RANGE BETWEEN 1 PRECEDING AND
    CURRENT ROW EXCLUDE TIES) FROM t`,
  `WITH x AS MATERIALIZED (SELECT k FROM u UNION ALL SELECT 5) SELECT DISTINCT ON (k) k, list_transform([k], e -> e
    + k) FROM x ORDER BY k`,
  `SELECT unnest(l), st.a, CASE WHEN id > 1 THEN 'x'::ENUM('x', 'y') END, TRY_CAST(words[1] AS INTEGER) FROM nested`,
]

/** Parts of a plan that are not read, because nothing that the plan does depends on them. */
const unreadFields = [
  'arguments', 'original_arguments', 'returned_types', 'types', 'bindings', 'mark_types', 'projected_input',
  'expr_types', 'child_filter', 'variable_return_type', 'bind_data\\.stype', 'function_data\\.return_type',
]
const unread = new RegExp(`\\.(${unreadFields.join('|')})(\\[\\d+\\])*(\\.|$)`)
/** Texts that are values or free names. */
const freeText = new Set([
  'alias', 'value', 'names', 'first', 'ctename', 'bound_columns', 'field', 'file_filters', 'separator', 'child_name',
  'filename_column', 'distinct_validity', 'materialize',
])

type Json = Record<string, unknown>
interface Place { readonly path: string; readonly object: Json }

function places(value: unknown, path = ''): readonly Place[] {
  if (Array.isArray(value)) return value.flatMap((item, i) => places(item, `${path}[${i}]`))
  if (typeof value !== 'object' || value === null) return []
  const object = value as Json
  return [{ path, object }, ...Object.entries(object).flatMap(([name, inner]) => places(inner, `${path}.${name}`))]
}

/** Numbers that JSON.parse would round pass through as texts that are put back. */
const parse = (json: string) => JSON.parse(json.replace(/"(?:[^"\\]|\\.)*"|-?\d{16,}/g, token =>
  token.startsWith('"') ? token : `"bare ${token}"`)) as Json
const print = (value: unknown) => JSON.stringify(value).replace(/"bare (-?\d+)"/g, '$1')

/** Without the marks of casts, which no value depends on. */
function textOf(planJson: string, explainJson: string): string {
  return roundTrip.text(roundTrip.decode(planJson, explainJson)).replace(/\/\*@.*?\*\/ /g, '')
}

/** A statement's plan, to be changed in place, and what decoding gives then. */
class Specimen {
  readonly root: Json
  readonly #explainJson: string
  readonly #text: string

  constructor(planJson: string, explainJson: string) {
    this.root = parse(planJson)
    this.#explainJson = explainJson
    this.#text = textOf(planJson, explainJson)
  }

  static async of(sql: string): Promise<Specimen> {
    return new Specimen(await roundTrip.planJson(sql), await roundTrip.explainJson(sql))
  }

  /** 'unsupported', 'same', 'other', or what else was thrown. */
  outcome(): string {
    try {
      return textOf(print(this.root), this.#explainJson) === this.#text ? 'same' : 'other'
    } catch (thrown) {
      return thrown instanceof Unsupported ? 'unsupported' : `fault: ${String(thrown)}`
    }
  }
}

for (const [i, sql] of statements.entries()) {
  t.test(`a field that nobody knows is refused in plan ${i}`, async t => {
    const specimen = await Specimen.of(sql)
    const accepted: string[] = []
    for (const { path, object } of places(specimen.root)) {
      if (unread.test(path)) continue
      object['novel'] = 1
      if (specimen.outcome() !== 'unsupported') accepted.push(path)
      delete object['novel']
    }
    t.strictSame(accepted, [])
  })

  t.test(`a name that nobody knows is refused in plan ${i}`, async t => {
    const specimen = await Specimen.of(sql)
    const accepted: string[] = []
    for (const { path, object } of places(specimen.root)) {
      for (const [name, value] of Object.entries(object)) {
        if (typeof value !== 'string' || value.startsWith('bare ') || freeText.has(name)) continue
        if (unread.test(`${path}.${name}`)) continue
        if (name === 'name' && path.includes('expressions')) continue // any function's; binding refuses what is none
        object[name] = 'NOVEL'
        const found = specimen.outcome()
        if (found !== 'unsupported') accepted.push(`${path}.${name} ${value} ${found}`)
        object[name] = value
      }
    }
    t.strictSame(accepted, [])
  })

  t.test(`a field that is left out is refused or does not matter in plan ${i}`, async t => {
    const specimen = await Specimen.of(sql)
    const changed: string[] = []
    for (const { path, object } of places(specimen.root)) {
      for (const [name, value] of Object.entries(object)) {
        delete object[name]
        const found = specimen.outcome()
        if (found !== 'unsupported' && found !== 'same') changed.push(`${path}.${name} ${found}`)
        object[name] = value
      }
    }
    t.strictSame(changed, [])
  })
}

t.test('another shape of EXPLAIN, several statements and no JSON are Unsupported', async t => {
  const json = await roundTrip.planJson('SELECT k FROM u')
  const explainJson = await roundTrip.explainJson('SELECT k FROM u')
  const other = await roundTrip.planJson('SELECT u.k FROM u, one')
  const [plans] = [JSON.parse(json.replace(/\d{16,}/g, '0')) as { plans: unknown[] }]
  const texts = [other, '', '{', '[]', 'null', '{"error":true}', JSON.stringify({ error: false, plans: [] }),
    JSON.stringify({ error: false, plans: [...plans.plans, ...plans.plans] })]
  for (const text of texts) {
    t.throws(() => roundTrip.decode(text, explainJson), { name: Unsupported.name }, text.slice(0, 40))
  }
})
