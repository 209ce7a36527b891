/** Calls and what was masked as one, with their expressions already in DuckDB's SQL. */

import type { CallForm, OrderTerm, WindowForm } from './call-form.ts'
import { castTo } from './cast.ts'
import type { Call, Dialect, Rendered, Rule, Value } from './dialect.ts'
import type { Masks } from './mask.ts'
import { refused, UNCAST_JSON } from './refusal.ts'

/** Larger ones would be no count of days. */
const INTERVAL_COUNT = /^[+-]?\d{1,9}$/

/** `inline`: the form's expressions, in its order. */
export function renderCall(form: CallForm, inline: readonly Value[], masks: Masks): Value {
  const { first, last } = form
  const args = inline.slice(0, form.args.length)
  const list = args.map(({ sql }) => sql).join(', ')
  const value = (rendered: Rendered): Value => ({ ...rendered, first, last })
  switch (form.kind) {
    case 'group': {
      const [only, ...more] = args
      if (only === undefined || more.length > 0) return { ...value({ sql: `(${list})`, kind: 'tuple' }), members: args }
      const { word: _, ...inner } = only
      return { ...inner, first, last }
    }
    case 'list': case 'subscript': return { ...value({ sql: `(${list})`, kind: 'tuple' }), members: args }
    case 'array': return value({ sql: `[${list}]`, kind: 'unknown' })
    case 'unnest': return value({ sql: `(SELECT unnest(${list}))`, kind: 'query' })
    case 'interval': return { ...value(interval(form, args, masks)), word: form.name }
    case 'call': return value(renderFunction(form, inline, masks))
    default: throw new Error(`no case for ${String(form.kind)}`)
  }
}

function interval(form: CallForm, [count]: readonly Value[], { source }: Masks): Rendered {
  const refuse = (): never => { throw refused('this interval', source.place(form.first)) }
  if (count === undefined) return refuse()
  if (count.text === undefined) return { sql: `(INTERVAL 1 ${form.name} * ${count.sql})`, kind: 'interval' }
  const [number = ''] = count.text.trim().split(/\s+/)
  if (!INTERVAL_COUNT.test(number)) return refuse()
  return { sql: `(INTERVAL 1 ${form.name} * (${Number(number)}))`, kind: 'interval' }
}

function renderFunction(form: CallForm, inline: readonly Value[], masks: Masks): Rendered {
  const { source, dialect } = masks
  const place = source.place(form.first)
  const refuse = (what: string, at: Value | undefined): never => {
    throw refused(what, at === undefined ? place : source.place(at.first))
  }
  const rule = Object.hasOwn(dialect.functions, form.name) ? dialect.functions[form.name] : undefined
  if (rule === undefined) throw refused(`the function ${form.name}`, place)
  checkUse(form, rule, place)
  const rest = [...inline]
  const args = rest.splice(0, form.args.length)
  const json = args.find(({ kind }) => kind === 'json')
  if (json !== undefined && form.name !== 'COUNT') refuse(UNCAST_JSON, json)
  const orderBy = rest.splice(0, form.order.length)
  const filter = form.filter === null ? '' : ` FILTER (WHERE ${rest.shift()?.sql ?? ''})`
  const partition = rest.splice(0, form.window?.partition.length ?? 0)
  const over = form.window === null ? '' : ` OVER (${windowText(form.window, partition, rest, rule, dialect)})`
  const call: Call = {
    name: form.name, args: form.hasStar ? [{ sql: '*', kind: 'unknown', first: form.first, last: form.first }] : args,
    argNames: form.argNames, distinct: form.distinct,
    order: form.order.length === 0 ? '' : ` ORDER BY ${orderText(form.order, orderBy, dialect)}`, orderBy,
    orderTerms: form.order, separator: form.separator, ignoresNulls: form.ignoresNulls, type: form.type,
    window: filter + over,
    cast: (value, type, isTry) => castTo(value, type, isTry, dialect),
    refuse: (what, argument) => refuse(what, argument),
  }
  return rule.make(call)
}

/** What a rule does not expect must not get lost in it. */
function checkUse(form: CallForm, { use }: Rule, place: number): void {
  const { name, distinct, filter, window, order, hasStar, separator } = form
  const not = (what: string): never => { throw refused(`${what} of ${name}`, place) }
  if (use !== 'aggregate' && (distinct || filter !== null)) not(distinct ? 'DISTINCT' : 'FILTER')
  if (use !== 'aggregate' && use !== 'window' && window !== null) not('OVER')
  if (use === 'window' && window === null) throw refused(`${name} without OVER`, place)
  if (use !== 'aggregate' && (order.length > 0 || separator !== null)) not('ORDER BY')
  if (hasStar && name !== 'COUNT' && name !== 'COUNT_BIG') not('*')
  if (use === 'group' || use === 'table') throw refused(`${name} here`, place)
}

export function windowText(
  window: WindowForm, partition: readonly Value[], order: readonly Value[], rule: Rule, dialect: Dialect,
): string {
  const frame = window.frame ?? rule.frame ?? null
  return [
    ...partition.length === 0 ? [] : [`PARTITION BY ${partition.map(({ sql }) => sql).join(', ')}`],
    ...window.order.length === 0 ? [] : [`ORDER BY ${orderText(window.order, order, dialect)}`],
    ...frame === null ? [] : [frame],
  ].join(' ')
}

/** With the direction and the place of NULLs always said. */
export function orderText(terms: readonly OrderTerm[], values: readonly Rendered[], { nulls }: Dialect): string {
  return terms.map(({ descending, nulls: said }, i) => {
    const first = nulls === 'smallest' ? !descending : nulls === 'largest' && descending
    const place = said ?? (first ? 'FIRST' : 'LAST')
    return `${values[i]?.sql ?? ''} ${descending ? 'DESC' : 'ASC'} NULLS ${place}`
  }).join(', ')
}
