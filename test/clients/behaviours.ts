/**
 * What every client of Flight SQL meets, whatever its API: rows and types, failures with their text, changes, sessions.
 * A client is given as a function that opens it; what it alone can do, or cannot, is in its own file.
 */

import { type Table } from 'apache-arrow'
import type { Test } from 'tap'

/** A connection of its own: one session. */
export interface Door {
  ask(sql: string): Promise<Table>
  close(): Promise<void>
}

export interface Options {
  open(): Promise<Door>
  /** What the client says where the server says `text`; some keep it to themselves. */
  readonly says?: (text: RegExp) => RegExp
  /** Without a login a session is that of the connection, and clients in one process share theirs. */
  readonly sharesSession?: true
}

const LARGE_ROWS = 1_000_000
const CONCURRENT = 8
/** One value, below the 4 MiB that several clients take as a message. */
const LONG_TEXT = 3_000_000
const TOO_LONG_TEXT = 5_000_000

/** What the programs of the clients are called with. */
const [flight = '', user = '', password = ''] = process.argv.slice(2)
const { hostname: host, port } = new URL(`grpc://${flight}`)
export const given = { host, port: Number(port), user, password }

export async function behaviours(t: Test, { open, says = text => text, sharesSession }: Options): Promise<void> {
  const door = await open()
  const { ask } = door
  const rows = async (sql: string): Promise<unknown[]> => rowsOf(await ask(sql))

  await t.test('a statement gives its names and rows', async t => {
    t.strictSame(await rows("SELECT 42 AS answer, 'a' AS text UNION ALL SELECT 43, 'b' ORDER BY 1"),
      [{ answer: 42, text: 'a' }, { answer: 43, text: 'b' }])
  })
  await t.test('tables of several files are grouped and joined', async t => {
    const sql = 'SELECT k, count(*) AS n, sum(v)::BIGINT AS total FROM solid GROUP BY k ORDER BY k'
    t.strictSame(await rows(sql), [[0, 3n, 15n], [1, 2n, 7n], [2, 2n, 9n], [3, 2n, 11n], [4, 2n, 13n]]
      .map(([k, n, total]) => ({ k, n, total })))
    t.strictSame(await rows('SELECT count(*) AS n FROM people p JOIN people b ON p.boss = b.id'), [{ n: 47n }])
  })
  await t.test('whole numbers of every width, to their ends', async t => {
    t.strictSame(await rows(`SELECT (-128)::TINYINT a, 32767::SMALLINT b, (-2147483648)::INTEGER c,
      9223372036854775807::BIGINT d, 255::UTINYINT e, 18446744073709551615::UBIGINT f`),
    [{ a: -128, b: 32767, c: -2147483648, d: 2n ** 63n - 1n, e: 255, f: 2n ** 64n - 1n }])
  })
  await t.test('fractions, truth and bytes', async t => {
    t.strictSame(await rows("SELECT 0.1::DOUBLE d, 1.5::FLOAT f, true AS yes, false AS no, '\\x00\\xFF'::BLOB bytes"),
      [{ d: 0.1, f: 1.5, yes: true, no: false, bytes: Uint8Array.of(0, 255) }])
  })
  await t.test('decimals and HUGEINT, to the last digit', async t => {
    const table = await ask(`SELECT 12345678901234567890.12345678::DECIMAL(38,8) d, -0.01::DECIMAL(4,2) cents,
      99999999999999999999999999999999999999::HUGEINT h`)
    t.strictSame(table.schema.fields.map(({ type }) => String(type)),
      ['Decimal[38e+8]', 'Decimal[4e+2]', 'Decimal[38e0]'])
    t.strictSame(table.schema.fields.map(({ name }) => wholeOf(table.getChild(name)?.get(0))),
      [1234567890123456789012345678n, -1n, 10n ** 38n - 1n])
  })
  await t.test('days, times and moments', async t => {
    const table = await ask(`SELECT DATE '2024-02-29' d, TIME '12:34:56.789' t, TIMESTAMP '2024-02-29 12:00:00.123' ts,
      TIMESTAMPTZ '2024-02-29 12:00:00+02' tz`)
    const [row] = table.toArray() as Record<string, unknown>[]
    t.strictSame([row?.['d'], row?.['ts'], row?.['tz']].map(Number),
      [Date.UTC(2024, 1, 29), Date.UTC(2024, 1, 29, 12, 0, 0, 123), Date.UTC(2024, 1, 29, 10)])
    t.equal(Number(row?.['t']), 45_296_789_000)
  })
  await t.test('NULL in every column', async t => {
    t.strictSame(await rows(`SELECT NULL::INTEGER i, NULL::VARCHAR s, NULL::DATE d, NULL::BIGINT[] l,
      NULL::DECIMAL(9,2) m, NULL n`), [{ i: null, s: null, d: null, l: null, m: null, n: null }])
  })
  await t.test('lists, structs and maps', async t => {
    t.equal(JSON.stringify(await rows("SELECT [1, NULL, 3] l, {'a': 1, 'b': ['x']} s, MAP {'k': 7} m")),
      '[{"l":[1,null,3],"s":{"a":1,"b":["x"]},"m":{"k":7}}]')
  })
  await t.test('names and text of every script', async t => {
    t.strictSame(await rows('SELECT \'日本語 🦆 ß\' AS "größe 🦆", \'\' AS empty, \'it\'\'s\' AS quoted'),
      [{ 'größe 🦆': '日本語 🦆 ß', empty: '', quoted: "it's" }])
  })
  await t.test('a text of three million characters', async t => {
    const [row] = await rows(`SELECT repeat('abc', ${LONG_TEXT / 3}) AS text`) as { text: string }[]
    t.equal(row?.text.length, LONG_TEXT)
    t.ok(row?.text.startsWith('abcabc') === true && row.text.endsWith('abc'))
  })
  await t.test('a row that no message holds is refused with its size', async t => {
    const sql = `SELECT repeat('x', ${TOO_LONG_TEXT}) AS text`
    await t.rejects(ask(sql), { message: says(/a row of 5000004 bytes.*"text"/) })
  })
  await t.test('no row leaves the columns', async t => {
    const table = await ask("SELECT 1 AS a, 'b' AS b WHERE false")
    t.equal(table.numRows, 0)
    t.strictSame(table.schema.fields.map(({ name }) => name), ['a', 'b'])
  })
  await t.test('a million rows come whole, and in order', async t => {
    const table = await ask(`SELECT i::INTEGER AS i, i % 10 = 3 AS b FROM range(${LARGE_ROWS}) AS r(i) ORDER BY i`)
    t.equal(table.numRows, LARGE_ROWS)
    t.ok(isRising(table), 'in order')
  })
  await t.test('what cannot be parsed or bound is refused with the text of DuckDB', async t => {
    await t.rejects(ask('SELEC 1'), { message: says(/Parser Error/) })
    await t.rejects(ask('SELECT nothing'), { message: says(/Binder Error.*nothing/s) })
    await t.rejects(ask('SELECT * FROM no_such_table'), { message: says(/Catalog Error.*no_such_table/s) })
  })
  await t.test('a first row that fails is an error', async t => {
    await t.rejects(ask("SELECT ('x' || i)::INTEGER FROM range(3) r(i)"), { message: says(/Conversion Error/) })
  })
  await t.test('a row that fails after a million others is an error, and no short result', async t => {
    const sql = `SELECT CASE WHEN i = ${LARGE_ROWS} THEN 'last' ELSE i::VARCHAR END::INTEGER AS n
      FROM range(${LARGE_ROWS + 1}) r(i)`
    await t.rejects(ask(sql), { message: says(/Conversion Error.*last/s) })
    t.strictSame(await rows('SELECT 1 AS after'), [{ after: 1 }], 'the client goes on')
  })
  await t.test('statements at once have each its own answer', async t => {
    const answers = await Promise.all(Array.from({ length: CONCURRENT }, (_, i) =>
      rows(`SELECT ${i} AS i, count(*) AS n FROM range(${i * 10_000})`)))
    t.strictSame(answers, Array.from({ length: CONCURRENT }, (_, i) => [{ i, n: BigInt(i * 10_000) }]))
  })
  await t.test('a table is made, filled and changed once, and counts what it changed', async t => {
    await rows('CREATE OR REPLACE TABLE work.main.notes AS SELECT i::INTEGER AS i FROM range(10) r(i)')
    t.strictSame(await rows('INSERT INTO work.main.notes VALUES (100), (101)'), [{ Count: 2n }])
    t.strictSame(await rows('UPDATE work.main.notes SET i = i + 1 WHERE i >= 100'), [{ Count: 2n }])
    t.strictSame(await rows('DELETE FROM work.main.notes WHERE i < 5'), [{ Count: 5n }])
    t.strictSame(await rows('SELECT count(*) AS n, max(i) AS m FROM work.main.notes'), [{ n: 7n, m: 102 }])
    await rows('DROP TABLE work.main.notes')
    await t.rejects(ask('SELECT * FROM work.main.notes'), { message: says(/Catalog Error/) })
  })
  await t.test('a transaction is kept or undone as a whole', async t => {
    await rows('CREATE OR REPLACE TABLE work.main.account AS SELECT 10 AS amount')
    for (const [end, amount] of [['ROLLBACK', 10], ['COMMIT', 7]] as const) {
      await rows('BEGIN')
      await rows('UPDATE work.main.account SET amount = amount - 3')
      t.strictSame(await rows('SELECT amount FROM work.main.account'), [{ amount: 7 }])
      await rows(end)
      t.strictSame(await rows('SELECT amount FROM work.main.account'), [{ amount }], end)
    }
    await rows('DROP TABLE work.main.account')
  })
  await t.test('what a session makes is there for its statements', async t => {
    await rows('CREATE TEMP TABLE mine AS SELECT 1 AS a')
    await rows("SET VARIABLE me = 'first'")
    t.strictSame(await rows("SELECT a, getvariable('me') AS me FROM mine"), [{ a: 1, me: 'first' }])
  })
  const other = sharesSession ? 'of the process shares the session' : 'has a session of its own'
  await t.test(`another client ${other}`, async t => {
    const second = await open()
    const seen = second.ask('SELECT * FROM mine')
    if (sharesSession) t.strictSame(rowsOf(await seen), [{ a: 1 }])
    else await t.rejects(seen, { message: says(/Catalog Error.*mine/s) })
    await second.close()
  })
  await door.close()
}

/** Whole rows as plain objects. */
export function rowsOf(table: Table): unknown[] {
  return table.toArray().map((row: { toJSON(): object }) => row.toJSON())
}

/** A decimal without its point: apache-arrow gives it as little-endian words. */
function wholeOf(value: unknown): bigint {
  const words = [...value as Uint32Array]
  return BigInt.asIntN(32 * words.length, words.reduceRight((whole, word) => whole << 32n | BigInt(word), 0n))
}

function isRising(table: Table): boolean {
  let next = 0
  for (const value of table.getChild('i') ?? []) if (value !== next++) return false
  return next === table.numRows
}
