/**
 * Statements made by chance from a seed over the tables of tables.ts: nested expressions of every common type, joins,
 * groups, windows, set operations and correlated subqueries, one in another. Every statement has one answer as a set of
 * rows: nothing depends on the order of rows, and nothing that is volatile occurs.
 */

import { chanceColumns, type Column, type Kind } from './chance-tables.ts'

/** Deeper expressions are leaves; texts stay readable when a test fails. */
const MAX_DEPTH = 3

export class StatementGenerator {
  #state: number
  #aliases = 0

  constructor(seed: number) {
    this.#state = seed
  }

  statement(): string {
    const query = this.#chance(0.1) ? this.#shared() : this.#query(2, [])
    if (this.#chance(0.15)) return `SELECT * FROM (${query}) AS q ORDER BY ALL LIMIT ${1 + this.#below(9)}`
    return this.#chance(0.2) ? this.#sorted(query) : query
  }

  /** Of joins, looked at one by one. */
  rows(depth: number, isFiltered: boolean): string {
    const { from, scope } = this.#from(depth)
    const where = isFiltered ? ` WHERE ${this.#truth(MAX_DEPTH - 1, scope, depth)}` : ''
    return `SELECT ${this.#number(1, scope, 0)} AS x0, ${this.#text(1, scope)} AS x1 FROM ${from}${where}`
  }

  /** In an order of all columns, which only rows that are the same share. */
  #sorted(query: string): string {
    const by = `ALL ${this.#pick(['ASC', 'DESC'])} NULLS ${this.#pick(['FIRST', 'LAST'])}`
    const some = this.#pick(['', '', ` OFFSET ${this.#below(20)}`])
    return `SELECT * FROM (${query}) AS q ORDER BY ${by}${some}`
  }

  /** From 0 to below 1: mulberry32 (Tommy Ettinger, 2017). */
  #random(): number {
    this.#state = (this.#state + 0x6D2B79F5) | 0
    let x = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count)
  }

  #chance(probability: number): boolean {
    return this.#random() < probability
  }

  #pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.#below(items.length)] ?? items[0]
  }

  /** A SELECT of one to three columns; `outer` columns may be used inside of it. */
  #query(depth: number, outer: readonly Column[]): string {
    const shape = this.#below(depth > 0 ? 9 : 3)
    if (shape === 7) return this.#setOperation(depth)
    if (shape === 8) return this.#chosen(depth)
    const { from, scope } = this.#from(depth)
    const where = this.#chance(0.6) ? ` WHERE ${this.#truth(MAX_DEPTH - 1, [...scope, ...outer], depth)}` : ''
    if (shape <= 2) return `SELECT ${this.#list(scope, outer, depth)} FROM ${from}${where}`
    if (shape <= 5) return this.#grouped(from + where, scope)
    return this.#windowed(from + where, scope)
  }

  /** One row of each, by an order of all columns; or rows turned into columns. */
  #chosen(depth: number): string {
    const { from, scope } = this.#from(depth - 1)
    const [p, q, r] = [this.#number(0, scope, 0), this.#text(0, scope), this.#number(1, scope, 0)]
    const all = `SELECT ${p} AS p, ${q} AS q, ${r} AS r FROM ${from}`
    const rows = `(${all})`
    const order = `p ${this.#pick(['ASC', 'DESC'])} NULLS ${this.#pick(['FIRST', 'LAST'])}, q, r`
    return this.#pick([
      () => `SELECT DISTINCT ON (${this.#pick(['p', 'q', 'p, q'])}) p, q, r FROM ${rows} AS a ORDER BY ALL`,
      () => `SELECT p, q, r FROM ${rows} AS a QUALIFY row_number() OVER (PARTITION BY `
        + `${this.#pick(['p', 'q', 'r % 2'])} ORDER BY ${order}) <= ${1 + this.#below(3)}`,
      () => `SELECT p, q FROM ${rows} AS a QUALIFY sum(r) OVER (PARTITION BY q) > ${this.#below(20)}`,
      () => `FROM (PIVOT ${rows} ON q IN ('s0', 's1', 's2') USING ${this.#pick(['sum(r)', 'count(r)', 'max(p)'])})`,
      () => `SELECT p, q, n, v FROM ${rows} AS a UNPIVOT (v FOR n IN (p, r))`,
      () => `SELECT p, count(*) AS n FROM (${rows} ORDER BY ALL LIMIT ${this.#below(30)}) AS a GROUP BY p`,
      () => `SELECT grouping(p, q) AS x, p, q, sum(r) AS y FROM ${rows} AS a GROUP BY GROUPING SETS ((p), (q, p), ())`,
      () => `SELECT p, arg_max(q, (r, q)) AS x, arg_min(r, (q, r)) AS y FROM ${rows} AS a GROUP BY p`,
      () => `SELECT p, r FROM ${rows} AS a UNION ALL BY NAME SELECT k AS r, name AS p2 FROM one`,
    ])()
  }

  /** A CTE that is read more than once. */
  #shared(): string {
    const name = `c${this.#aliases++}`
    const { from, scope } = this.#from(1)
    const items = ['p', 'q', 'r'].map(column => `${this.#number(1, scope, 0)} AS ${column}`).join(', ')
    const by = this.#chance(0.5) ? ` GROUP BY ALL` : ''
    const definition = `SELECT ${this.#chance(0.3) ? 'DISTINCT ' : ''}${items} FROM ${from}${by}`
    const [a, b] = [`a${this.#aliases++}`, `a${this.#aliases++}`]
    const columnsOf = (alias: string): readonly Column[] =>
      ['p', 'q', 'r'].map(column => ({ sql: `${alias}.${column}`, kind: 'number' }))
    const both = [...columnsOf(a), ...columnsOf(b)]
    const on = `${this.#number(0, columnsOf(a), 0)} = ${this.#number(0, columnsOf(b), 0)}`
    const where = this.#chance(0.5) ? ` WHERE ${this.#number(1, columnsOf(a), 0)} > (SELECT min(q) FROM ${name})` : ''
    const type = this.#pick(['JOIN', 'LEFT JOIN', 'FULL JOIN'])
    const body = this.#grouped(`${name} AS ${a} ${type} ${name} AS ${b} ON ${on}${where}`, both)
    return `WITH ${name} AS ${this.#pick(['', 'MATERIALIZED '])}(${definition}) ${body}`
  }

  #list(scope: readonly Column[], outer: readonly Column[], depth: number): string {
    const items = Array.from({ length: 1 + this.#below(3) }, (_, i) =>
      `${this.#value(this.#kind(), MAX_DEPTH, [...scope, ...outer], depth)} AS x${i}`)
    return `${this.#chance(0.15) ? 'DISTINCT ' : ''}${items.join(', ')}`
  }

  #kind(): Kind {
    return this.#pick(['number', 'number', 'number', 'text', 'text', 'truth', 'day', 'stamp', 'list', 'struct'])
  }

  #table(depth: number): { readonly from: string; readonly scope: readonly Column[] } {
    const alias = `a${this.#aliases++}`
    if (depth > 0 && this.#chance(0.2)) {
      const inner = this.#table(0)
      const key = inner.scope[0]?.sql ?? '1'
      const calls = `count(*) AS q, ${this.#pick(['max', 'sum'])}(${this.#number(1, inner.scope, 0)}) AS r`
      const from = `(SELECT ${key} AS p, ${calls} FROM ${inner.from} GROUP BY ALL) AS ${alias}`
      return { from, scope: ['p', 'q', 'r'].map(name => ({ sql: `${alias}.${name}`, kind: 'number' })) }
    }
    if (depth > 0 && this.#chance(0.06)) {
      const inner = this.#table(0)
      const from = `(SELECT ${this.#number(1, inner.scope, 0)} AS p, unnest(${this.#values(1, inner.scope)}) AS q `
        + `FROM ${inner.from}) AS ${alias}`
      return { from, scope: ['p', 'q'].map(name => ({ sql: `${alias}.${name}`, kind: 'number' })) }
    }
    const name = this.#pick(['t', 't', 't', 'u', 'u', 'u', 'one', 'solid', 'empty', 'nested'])
    const scope = (chanceColumns[name] ?? []).map(([column, kind]) => ({ sql: `${alias}.${column}`, kind }))
    return { from: `${name} AS ${alias}`, scope }
  }

  #from(depth: number): { readonly from: string; readonly scope: readonly Column[] } {
    let { from, scope } = this.#table(depth)
    for (let i = this.#below(3); i > 0; i--) {
      if (this.#chance(0.08)) {
        const joined = this.#chance(0.5) ? this.#nearest(from, scope) : this.#lateral(from, scope)
        from = joined.from
        scope = joined.scope
        continue
      }
      const right = this.#table(depth)
      const type = this.#pick(['JOIN', 'JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN', 'SEMI JOIN', 'ANTI JOIN'])
      const op = this.#pick(['=', '=', '=', 'IS NOT DISTINCT FROM', '<'])
      const on = [`${this.#number(0, scope, 0)} ${op} ${this.#number(0, right.scope, 0)}`]
      if (this.#chance(0.3)) on.push(this.#truth(1, [...scope, ...right.scope], 0))
      from = `${from} ${type} ${right.from} ON ${on.join(this.#chance(0.85) ? ' AND ' : ' OR ')}`
      if (type !== 'SEMI JOIN' && type !== 'ANTI JOIN') scope = [...scope, ...right.scope]
    }
    return { from, scope }
  }

  /** An ASOF join with rows of which no two are as near. */
  #nearest(left: string, scope: readonly Column[]): { readonly from: string; readonly scope: readonly Column[] } {
    const [alias, inner] = [`a${this.#aliases++}`, this.#table(0)]
    const [p, q] = [this.#number(0, inner.scope, 0), this.#number(0, inner.scope, 0)]
    // where it may be NULL, DuckDB's own answer depends on what its statistics say of the other side
    const near = `coalesce(${this.#number(0, scope, 0)}, 0) ${this.#pick(['>=', '>', '<=', '<'])} ${alias}.q`
    const isAlone = this.#chance(0.3)
    const key = isAlone ? `max(${p})` : p
    const right = `(SELECT ${key} AS p, ${q} AS q, count(*) AS r FROM ${inner.from} GROUP BY ALL) AS ${alias}`
    const on = isAlone ? near : `${this.#number(0, scope, 0)} = ${alias}.p AND ${near}`
    return {
      from: `${left} ASOF ${this.#pick(['JOIN', 'LEFT JOIN'])} ${right} ON ${on}`,
      scope: [...scope, ...['p', 'q', 'r'].map((name): Column => ({ sql: `${alias}.${name}`, kind: 'number' }))],
    }
  }

  #lateral(left: string, scope: readonly Column[]): { readonly from: string; readonly scope: readonly Column[] } {
    const [alias, inner] = [`a${this.#aliases++}`, this.#table(0)]
    const link = `${this.#number(0, inner.scope, 0)} ${this.#pick(['=', '=', '<'])} ${this.#number(0, scope, 0)}`
    const rows = `SELECT ${this.#number(1, inner.scope, 0)} AS p, ${this.#number(0, inner.scope, 0)} AS q `
      + `FROM ${inner.from} WHERE ${link}`
    const right = this.#pick([
      rows, `${rows} ORDER BY ALL LIMIT ${1 + this.#below(3)}`, `SELECT max(p) AS p, count(*) AS q FROM (${rows})`,
    ])
    return {
      from: `${left} ${this.#pick(['JOIN', 'LEFT JOIN'])} LATERAL (${right}) AS ${alias} ON TRUE`,
      scope: [...scope, ...['p', 'q'].map((name): Column => ({ sql: `${alias}.${name}`, kind: 'number' }))],
    }
  }

  #aggregate(scope: readonly Column[]): string {
    const number = () => this.#number(2, scope, 0)
    const call = this.#pick([
      () => 'count(*)', () => `count(${this.#value(this.#kind(), 1, scope, 0)})`, () => `sum(${number()})`,
      () => `min(${this.#value(this.#kind(), 2, scope, 0)})`, () => `max(${this.#value(this.#kind(), 1, scope, 0)})`,
      () => `count(DISTINCT ${number()})`, () => `sum(DISTINCT ${number()})`,
      () => `bool_or(${this.#truth(1, scope, 0)})`,
      () => `median(${number()})`, () => `avg(${number()})`,
      () => `quantile_disc(${number()}, 0.${1 + this.#below(9)})`, () => `histogram(${number()})`,
      () => `bit_xor((${number()})::BIGINT)`, () => `count_if(${this.#truth(1, scope, 0)})`,
      () => `count(DISTINCT ${this.#value(this.#kind(), 1, scope, 0)})`, () => `approx_count_distinct(${number()})`,
      () => this.#ordered(`first(${this.#value(this.#kind(), 1, scope, 0)}`, scope),
      () => this.#ordered(`last(${number()}`, scope), () => this.#ordered(`list(${number()}`, scope),
      () => this.#ordered(`string_agg(${this.#text(1, scope)}, '+'`, scope),
    ])()
    return this.#chance(0.25) ? `${call} FILTER (${this.#truth(1, scope, 0)})` : call
  }

  /** The call with an order that is total but for equal rows. */
  #ordered(call: string, scope: readonly Column[]): string {
    return `${call} ORDER BY ${scope.map(({ sql }) => `${sql} ${this.#pick(['ASC', 'DESC'])}`).join(', ')})`
  }

  #grouped(from: string, scope: readonly Column[]): string {
    const keys = Array.from({ length: this.#below(3) }, () => this.#value(this.#kind(), 1, scope, 0))
    const calls = Array.from({ length: 1 + this.#below(2) }, () => this.#aggregate(scope))
    const items = [...keys, ...calls].map((sql, i) => `${sql} AS x${i}`).join(', ')
    const numbers = keys.map((_, i) => `${i + 1}`).join(', ')
    const sets = this.#pick([numbers, numbers, `ROLLUP (${numbers})`, `CUBE (${numbers})`])
    const by = keys.length === 0 ? '' : ` GROUP BY ${sets}`
    return `SELECT ${items} FROM ${from}${by}${this.#chance(0.3) ? ` HAVING count(*) > ${this.#below(4)}` : ''}`
  }

  #windowed(from: string, scope: readonly Column[]): string {
    const by = this.#chance(0.6) ? `PARTITION BY ${this.#value(this.#kind(), 1, scope, 0)} ` : ''
    const order = scope.map(({ sql }) =>
      `${sql} ${this.#pick(['ASC', 'DESC'])} NULLS ${this.#pick(['FIRST', 'LAST'])}`).join(', ')
    const frame = this.#pick([
      '', '', ' ROWS 2 PRECEDING', ' ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING',
      ' GROUPS BETWEEN CURRENT ROW AND 1 FOLLOWING EXCLUDE CURRENT ROW',
    ])
    const call = () =>
      `${this.#pick(['sum', 'count', 'min', 'max', 'avg', 'first_value', 'last_value'])}(${this.#number(1, scope, 0)})`
    const ranked = () => this.#pick([
      'dense_rank()', 'rank()', 'row_number()', 'percent_rank()', 'cume_dist()', `ntile(${1 + this.#below(5)})`,
      `${this.#pick(['lag', 'lead'])}(${this.#number(1, scope, 0)}, ${this.#below(3)})`,
      `lead(${this.#text(1, scope)}, 1, 'none')`, `nth_value(${this.#number(1, scope, 0)}, 2)`,
    ])
    const [name, rows] = this.#chance(0.5) ? [ranked(), ''] : [call(), frame]
    const over = `${name} OVER (${by}ORDER BY ${order}${rows})`
    const second = this.#chance(0.2) ? `, count(*) OVER (PARTITION BY ${this.#number(1, scope, 0)}) AS x2` : ''
    return `SELECT ${this.#value(this.#kind(), 1, scope, 0)} AS x0, ${over} AS x1${second} FROM ${from}`
  }

  #setOperation(depth: number): string {
    const op = this.#pick(['UNION', 'UNION ALL', 'EXCEPT', 'INTERSECT', 'EXCEPT ALL', 'INTERSECT ALL'])
    return `${this.rows(depth - 1, false)} ${op} ${this.rows(depth - 1, false)}`
  }

  #value(kind: Kind, depth: number, scope: readonly Column[], queries: number): string {
    switch (kind) {
      case 'number': return this.#number(depth, scope, queries)
      case 'text': return this.#text(depth, scope)
      case 'truth': return this.#truth(depth, scope, queries)
      case 'day': return this.#day(depth, scope)
      case 'stamp': return this.#stamp(depth, scope)
      case 'list': return this.#values(depth, scope)
      case 'struct': return this.#struct(depth, scope)
    }
  }

  #column(kind: Kind, scope: readonly Column[], otherwise: string): string {
    const [first, ...more] = scope.filter(column => column.kind === kind)
    return first === undefined ? otherwise : this.#pick([first, ...more]).sql
  }

  #number(depth: number, scope: readonly Column[], queries: number): string {
    if (depth <= 0) {
      if (this.#chance(0.8)) return this.#column('number', scope, '7')
      return this.#pick(['0', '-1', '2', '3.25', '100::BIGINT', 'NULL::INTEGER', '1.5::DECIMAL(9,1)', '5::HUGEINT'])
    }
    const inner = () => this.#number(depth - 1, scope, 0)
    if (queries > 0 && this.#chance(0.15)) return this.#scalarQuery(scope, queries)
    return this.#pick([
      () => this.#number(0, scope, 0), () => `(${inner()} ${this.#pick(['+', '-', '*'])} ${inner()})`,
      () => `(${inner()} // ${inner()})`,
      () => `(${inner()} % ${inner()})`, () => `abs(${inner()})`, () => `-(${inner()})`,
      () => `coalesce(${inner()}, ${inner()})`,
      () => `CASE WHEN ${this.#truth(depth - 1, scope, 0)} THEN ${inner()} ELSE ${inner()} END`,
      () => `nullif(${inner()}, ${inner()})`,
      () => `length(${this.#text(depth - 1, scope)})`, () => `greatest(${inner()}, ${inner()})`,
      () => `TRY_CAST(${this.#text(depth - 1, scope)} AS INTEGER)`,
      () => `round(${inner()}, 1)`, () => `day(${this.#day(depth - 1, scope)})`,
      () => `list_sum([${inner()}, ${inner()}])`, () => `len(${this.#values(depth - 1, scope)})`,
      () => `(${this.#values(depth - 1, scope)})[1]`, () => `struct_extract(${this.#struct(depth - 1, scope)}, 'a')`,
      () => `hour(${this.#stamp(depth - 1, scope)})`, () => `list_sum(${this.#values(depth - 1, scope)})`,
      () => `(${inner()})::DECIMAL(20,3)`,
      () => `datediff('day', ${this.#day(depth - 1, scope)}, ${this.#day(depth - 1, scope)})`,
    ])()
  }

  #scalarQuery(outer: readonly Column[], queries: number): string {
    const { from, scope } = this.#from(queries - 1)
    const link = `${this.#number(0, scope, 0)} ${this.#pick(['=', '=', '<', '>='])} ${this.#number(0, outer, 0)}`
    const call = this.#chance(0.25) ? 'count(*)' : `${this.#pick(['max', 'min', 'sum'])}(${this.#number(1, scope, 0)})`
    return `(SELECT ${call} FROM ${from} WHERE ${link})`
  }

  #text(depth: number, scope: readonly Column[]): string {
    if (depth <= 0 && this.#chance(0.2)) return this.#pick([`''`, `'s1'`, `'a''b'`, 'NULL::VARCHAR'])
    if (depth <= 0) return this.#column('text', scope, `'z'`)
    const inner = () => this.#text(depth - 1, scope)
    return this.#pick([
      () => this.#text(0, scope), () => `(${inner()} || ${inner()})`, () => `upper(${inner()})`,
      () => `(${this.#number(depth - 1, scope, 0)})::VARCHAR`,
      () => `substr(${inner()}, ${1 + this.#below(3)})`, () => `coalesce(${inner()}, ${inner()})`,
      () => `replace(${inner()}, 's', 'x')`,
      () => `concat_ws('-', ${inner()}, ${inner()})`,
      () => `CASE WHEN ${this.#truth(depth - 1, scope, 0)} THEN ${inner()} END`,
      () => `strftime(${this.#day(depth - 1, scope)}, '%m/%d')`, () => `(${this.#values(depth - 1, scope)})::VARCHAR`,
      () => `struct_extract(${this.#struct(depth - 1, scope)}, 'b c')`, () => `md5(${inner()})`,
      () => `split_part(${inner()}, 's', 2)`, () => `lpad(${inner()}, ${1 + this.#below(6)}, '*')`,
    ])()
  }

  #stamp(depth: number, scope: readonly Column[]): string {
    if (depth <= 0 && this.#chance(0.2)) return `TIMESTAMP '2024-03-31 01:${10 + this.#below(50)}:00.5'`
    if (depth <= 0) return this.#column('stamp', scope, `TIMESTAMP '2024-02-29 23:59:59'`)
    return this.#pick([
      () => this.#stamp(0, scope), () => `(${this.#day(depth - 1, scope)})::TIMESTAMP`,
      () => `date_trunc('hour', ${this.#stamp(depth - 1, scope)})`,
      () => `timezone('${this.#pick(['America/New_York', 'Asia/Kolkata', 'UTC'])}', `
        + `(${this.#stamp(depth - 1, scope)})::TIMESTAMPTZ)`,
      () => `time_bucket(INTERVAL ${1 + this.#below(50)} MINUTE, ${this.#stamp(depth - 1, scope)})`,
      () => `(${this.#stamp(depth - 1, scope)} + INTERVAL ${this.#below(90)} MINUTE)`,
    ])()
  }

  #values(depth: number, scope: readonly Column[]): string {
    if (depth <= 0 && this.#chance(0.2)) return this.#pick(['[1, NULL, 3]', '[]::INTEGER[]', 'NULL::INTEGER[]'])
    if (depth <= 0) return this.#column('list', scope, '[4, 2]')
    const number = (): string => this.#number(depth - 1, scope, 0)
    return this.#pick([
      () => this.#values(0, scope), () => `[${number()}, ${number()}]`,
      () => `list_sort(${this.#values(depth - 1, scope)})`,
      () => `list_transform(${this.#values(depth - 1, scope)}, lambda x: x + ${number()})`,
      () => `list_filter(${this.#values(depth - 1, scope)}, lambda x: x > ${number()})`,
      () => `list_concat(${this.#values(depth - 1, scope)}, ${this.#values(0, scope)})`,
      () => `(${this.#values(depth - 1, scope)})[1:2]`,
    ])()
  }

  #struct(depth: number, scope: readonly Column[]): string {
    if (depth <= 0 && this.#chance(0.2)) return `{'a': 1, 'b c': 'v1'}`
    if (depth <= 0) return this.#column('struct', scope, `{'a': 7, 'b c': 's1'}`)
    return this.#pick([
      () => this.#struct(0, scope),
      () => `{'a': ${this.#number(depth - 1, scope, 0)}, 'b c': ${this.#text(depth - 1, scope)}}`,
      () => `CASE WHEN ${this.#truth(depth - 1, scope, 0)} THEN ${this.#struct(0, scope)} END`,
    ])()
  }

  #day(depth: number, scope: readonly Column[]): string {
    if (depth <= 0 && this.#chance(0.2)) return `DATE '2024-03-0${1 + this.#below(9)}'`
    if (depth <= 0) return this.#column('day', scope, `DATE '2024-02-29'`)
    return this.#pick([
      () => this.#day(0, scope), () => `(${this.#day(depth - 1, scope)} + ${this.#below(40)})`,
      () => `date_trunc('month', ${this.#day(depth - 1, scope)})::DATE`,
      () => `last_day(${this.#day(depth - 1, scope)})`,
      () => `(${this.#day(depth - 1, scope)} - INTERVAL ${this.#below(5)} MONTH)::DATE`,
    ])()
  }

  #truth(depth: number, scope: readonly Column[], queries: number): string {
    if (depth <= 0 && this.#chance(0.5)) return `(${this.#number(0, scope, 0)} > ${this.#below(5)})`
    if (depth <= 0) return this.#column('truth', scope, 'TRUE')
    const kind = this.#kind()
    const inner = () => this.#truth(depth - 1, scope, 0)
    const value = () => this.#value(kind, depth - 1, scope, 0)
    if (queries > 0 && this.#chance(0.25)) return this.#subqueryTest(scope, queries)
    return this.#pick([
      () => `(${value()} ${this.#pick(['=', '<>', '<', '>', '<=', '>='])} ${value()})`,
      () => `(${inner()} AND ${inner()})`, () => `(${inner()} OR ${inner()})`,
      () => `(NOT ${inner()})`, () => `(${value()} IS ${this.#pick(['NULL', 'NOT NULL'])})`,
      () => `(${value()} IS DISTINCT FROM ${value()})`,
      () => `(${value()} ${this.#pick(['IN', 'NOT IN'])} (${value()}, ${value()}))`,
      () => `(${value()} BETWEEN ${value()} AND ${value()})`,
      () => `list_contains(${this.#values(depth - 1, scope)}, ${this.#number(depth - 1, scope, 0)})`,
      () => {
        const [like, pattern] = [this.#pick(['LIKE', 'NOT LIKE', 'ILIKE']), this.#pick(['s%', '%1', 's_', '%S%', ''])]
        return `(${this.#text(depth - 1, scope)} ${like} '${pattern}')`
      },
    ])()
  }

  #subqueryTest(outer: readonly Column[], queries: number): string {
    const { from, scope } = this.#from(queries - 1)
    const linked = `${this.#number(0, scope, 0)} ${this.#pick(['=', '<>', '<'])} ${this.#number(0, outer, 0)}`
    const link = this.#chance(0.5) ? ` WHERE ${linked}` : ''
    const one = `SELECT ${this.#number(1, scope, 0)} FROM ${from}${link}`
    return this.#pick([
      () => `(${this.#number(1, outer, 0)} IN (${one}))`, () => `(${this.#number(1, outer, 0)} NOT IN (${one}))`,
      () => `EXISTS (${one})`, () => `(NOT EXISTS (${one}))`,
      () => {
        const op = `${this.#pick(['<', '>=', '<>', '='])} ${this.#pick(['ANY', 'ALL'])}`
        return `(${this.#number(1, outer, 0)} ${op} (${one}))`
      },
    ])()
  }
}
