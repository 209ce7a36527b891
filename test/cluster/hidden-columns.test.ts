/**
 * filename and file_row_number, which no `*` means, on a real cluster: plain DuckDB is asked the same of its readers.
 * Over a folder and over a store of the S3 protocol, in files that are cut among tasks.
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { DuckDBInstance } from '../duckdb.ts'
import { putFolder } from '../s3/folder.ts'
import { S3Server } from '../s3-server.ts'
import { difference } from '../sql/answer.ts'
import { Oracle } from '../sql/oracle.ts'
import { sessionsOf } from './asking.ts'
import { Skein } from './skein.ts'

const root = mkdtempSync(join(tmpdir(), 'skein-hidden-'))
const data = join(root, 'data')
await write()
const oracle = await Oracle.open(data, [], 'lake')
const server = await S3Server.start()
putFolder(server, data)
t.teardown(async () => {
  oracle.close()
  await server.close()
  rmSync(root, { recursive: true })
})

async function write(): Promise<void> {
  for (const folder of ['orders', 'big', 'clash', 'places', 'lines', 'docs']) {
    mkdirSync(join(data, folder), { recursive: true })
  }
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const copy = (sql: string, key: string) => connection.run(
    `COPY (${sql}) TO '${join(data, key)}' (FORMAT parquet, ROW_GROUP_SIZE 2048)`)
  for (let i = 0; i < 3; i++) {
    await copy(`SELECT i::INTEGER AS id, i % 7 AS grp, 'w' || i AS word
      FROM range(${i * 5000}, ${i * 5000 + 5000}) t(i)`, `orders/part-${i}.parquet`)
  }
  await copy(`SELECT (i * 7919 % 40000)::INTEGER AS v FROM range(40000) t(i)`, 'big/one.parquet')
  await copy(`SELECT i::INTEGER AS v, 'x' || i AS filename FROM range(10) t(i)`, 'clash/one.parquet')
  await copy(`SELECT i::INTEGER AS v, -i AS File_Row_Number FROM range(40000) t(i)`, 'places/one.parquet')
  await connection.run(`COPY (SELECT i AS v, i % 3 AS file_row_number FROM range(20000) t(i))
    TO '${join(data, 'keys')}' (FORMAT parquet, PARTITION_BY (file_row_number), ROW_GROUP_SIZE 2048)`)
  await connection.run(`COPY (SELECT i AS v, i % 3 AS year FROM range(300) t(i))
    TO '${join(data, 'hive')}' (FORMAT parquet, PARTITION_BY (year))`)
  connection.closeSync()
  instance.closeSync()
  for (const part of ['a', 'b']) {
    writeFileSync(join(data, `lines/${part}.csv`), `id,v\n${[1, 2, 3].map(i => `${i},${part}${i}\n`).join('')}`)
    writeFileSync(join(data, `docs/${part}.json`), [1, 2, 3].map(id => JSON.stringify({ id, part })).join('\n'))
  }
}

/** `@name` is the table of the files, by DuckDB's reader or as the catalog has it: each is asked once, one way. */
const questions = [
  `SELECT id, file_row_number, parse_filename(filename) AS f FROM @orders WHERE id % 997 = 3`,
  `SELECT count(*), sum(file_row_number * v), min(file_row_number), max(file_row_number) FROM @big`,
  `SELECT v FROM @big WHERE file_row_number BETWEEN 9000 AND 9009`,
  `SELECT *, file_row_number FROM @big WHERE v < 20`,
  `SELECT parse_filename(filename) AS f, count(*), sum(file_row_number), max(id) FROM @orders GROUP BY filename`,
  `SELECT count(*) FROM @orders WHERE filename LIKE '%part-1.parquet'`,
  `FROM @orders WHERE filename LIKE '%part-1.parquet' AND file_row_number < 3`,
  `FROM @orders SELECT *, parse_filename(filename) WHERE file_row_number = 4999`,
  `SELECT * FROM @orders ORDER BY filename DESC, file_row_number DESC LIMIT 5`,
  `SELECT a.* FROM @orders a JOIN @big b USING (file_row_number) WHERE b.v < 50`,
  `SELECT a.*, b.* FROM @orders a JOIN @orders b ON a.filename = b.filename AND a.file_row_number = b.id % 5000
    WHERE a.id % 500 = 0`,
  `SELECT * FROM @orders a JOIN @big b ON a.file_row_number = b.file_row_number AND a.id = b.v`,
  `SELECT count(*) FROM (SELECT *, filename FROM @orders) q WHERE q.filename LIKE '%-2.parquet'`,
  `SELECT * FROM (SELECT *, file_row_number FROM @orders) WHERE file_row_number = 17`,
  `WITH o AS (SELECT *, parse_filename(filename) AS f FROM @orders WHERE id < 3), p AS (FROM o) SELECT * FROM p, o q`,
  `SELECT * EXCLUDE (word) FROM @orders WHERE file_row_number = 1`,
  `SELECT o.* REPLACE (file_row_number AS id) FROM @orders AS o WHERE id % 999 = 0`,
  `SELECT max(COLUMNS(*)) FROM @orders WHERE file_row_number < 10`,
  `SELECT DISTINCT ON (filename) id FROM @orders ORDER BY filename, file_row_number`,
  `SELECT id, row_number() OVER (PARTITION BY filename ORDER BY file_row_number) AS n FROM @orders WHERE id % 1000 = 9`,
  `SELECT grp, count(DISTINCT filename) AS files FROM @orders GROUP BY grp`,
  `SELECT * FROM @orders SEMI JOIN @big b ON b.file_row_number = id WHERE filename LIKE '%0.parquet' AND id > 4990`,
  `SELECT (SELECT max(file_row_number) FROM @orders) AS m, * FROM @big WHERE v = 3`,
  `SELECT v, filename FROM @clash`,
  `SELECT *, file_row_number FROM @clash`,
  // a column or a key of that name hides the place of the row, also from who cuts files
  `SELECT count(*), sum(v), min(file_row_number), parse_filename(min(filename)) FROM @places`,
  `SELECT * FROM @places WHERE v BETWEEN 9000 AND 9009`,
  `SELECT *, parse_filename(filename) AS f FROM @places WHERE file_row_number > -3`,
  `SELECT file_row_number, count(*), sum(v) FROM @keys GROUP BY ALL`,
  `SELECT * FROM @keys WHERE v BETWEEN 9000 AND 9009`,
  `SELECT *, parse_filename(filename) AS f, file_row_number FROM @hive WHERE year = 1 AND v < 30`,
  `SELECT year, count(*), max(file_row_number) FROM @hive GROUP BY year`,
  `SELECT id, parse_filename(filename) AS f FROM @lines`,
  `SELECT *, parse_filename(filename) AS f FROM @lines WHERE filename LIKE '%a.csv'`,
  `SELECT *, parse_filename(filename) AS f FROM @docs`,
  // whatever means all columns
  `SELECT o, file_row_number FROM @orders o WHERE id % 997 = 3`,
  `SELECT o AS r, (o).word, o['grp'], count(*) FROM @orders AS o WHERE file_row_number = 17 GROUP BY o ORDER BY o`,
  `SELECT (SELECT max(o.id + v) FROM @big b WHERE v = 1 AND o IS NOT NULL) AS m, list_transform([1], o -> o + 1) AS l
    FROM @orders o WHERE file_row_number = 9 AND filename LIKE '%1.parquet'`,
  `SELECT q, n, h FROM (SELECT h AS q, file_row_number AS n, h FROM @hive h) WHERE q.v < 3`,
  `SELECT b, parse_filename(a.filename) AS f FROM @big b LEFT JOIN @orders a ON a.file_row_number = b.v AND a.id = 1
    WHERE b.v < 3`,
  `SELECT * FROM @orders o NATURAL JOIN (SELECT id, 1 AS file_row_number FROM @orders p WHERE id < 3) q
    WHERE o.file_row_number = 2`,
  `SELECT *, parse_filename(a.filename) AS f, b.file_row_number FROM @orders a NATURAL JOIN @orders b
    WHERE id % 999 = 7`,
  `FROM @orders a NATURAL LEFT OUTER JOIN (VALUES (7, 'x'), (8, 'y')) AS v(id, t) WHERE file_row_number IN (7, 9)`,
  `WITH c(grp, n) AS (SELECT grp, count(*) AS n FROM @orders GROUP BY grp) SELECT c.*, file_row_number
    FROM @orders o NATURAL JOIN c WHERE id = 4`,
  `FROM @orders o PIVOT (count(*) FOR grp IN (0, 1, 2) GROUP BY file_row_number) WHERE file_row_number < 4`,
  `FROM @orders o PIVOT (max(file_row_number) FOR grp IN (0, 1)) WHERE id % 500 = 1`,
  `FROM @hive h PIVOT (max(file_row_number) AS m FOR year IN (0, 1, 2) GROUP BY v) p, @big b
    WHERE b.v = p.v AND p.v < 9`,
  `SELECT count(*), (SELECT max(file_row_number) FROM @big b) AS m
    FROM (UNPIVOT (FROM @orders o WHERE id < 9) ON id, grp)`,
  `SELECT n, count(*), sum(value), (SELECT max(file_row_number) FROM @big b) AS m
    FROM @orders o UNPIVOT (value FOR n IN (id, grp)) GROUP BY n`,
  `SELECT o, r, unnest, filename LIKE '%0.parquet' AS is_first FROM @orders o, range(3) AS r(id), unnest([7, 8])
    WHERE o.id = r.id`,
  `SELECT COLUMNS('i'), file_row_number FROM @orders o WHERE id < 3`,
  `SELECT COLUMNS(c -> c LIKE '%d'), COLUMNS(lambda c: c <> 'id'), file_row_number FROM @orders o WHERE id < 3`,
  `SELECT COLUMNS([c for c in (*) if c <> 'id']), max(file_row_number) OVER () AS m FROM @orders o WHERE id < 3`,
  `SELECT max(COLUMNS('^[ig]')) + max(file_row_number) FROM @orders o`,
  `SELECT struct_pack(*COLUMNS(* EXCLUDE (word))) AS s, coalesce(*COLUMNS('^(id|grp)$')) AS c, file_row_number
    FROM @orders o WHERE id < 3`,
  `SELECT o.id AS o, count(*) OVER (PARTITION BY filename) AS n FROM @orders o WHERE id < 3 ORDER BY o.id`,
  `SELECT * LIKE 'g%', * SIMILAR TO 'w.*', o.* ILIKE 'ID', file_row_number FROM @orders o WHERE id < 3`,
  `SELECT * EXCLUDE word, file_row_number FROM @orders o WHERE id < 3`,
  `SELECT a, b, parse_filename(filename) AS f, * FROM @hive AS h(a, b) WHERE a < 5`,
  `SELECT * FROM (DESCRIBE SELECT *, filename FROM @orders o)`,
  `SELECT column_name, count FROM (SUMMARIZE SELECT o.*, file_row_number AS n FROM @orders o)`,
  // as text, whole
  `WITH RECURSIVE r AS (SELECT id, file_row_number AS n FROM @orders WHERE id = 5001 UNION ALL SELECT id, n + 1 FROM r
    WHERE n < 3) SELECT * FROM r`,
  `SELECT id, file_row_number FROM @orders WHERE typeof(getvariable('none')) = '"NULL"' AND id = 9999`,
]

/** Told by DuckDB of its readers too. */
const failures = [
  `SELECT rowid FROM @orders`, `SELECT file_row_number FROM @lines`, `SELECT filename FROM @orders a, @big b`,
  `SELECT nothing, filename FROM @orders`, `SELECT * EXCLUDE (filename) FROM @orders`,
  `SELECT o.id, filename FROM @orders o NATURAL JOIN @big b`,
  `SELECT (o).filename FROM @orders o WHERE file_row_number = 1`,
]

const options = [
  `FROM read_parquet('@/big/*.parquet', file_row_number = true)`,
  `SELECT *, file_row_number FROM read_parquet('@/big/*.parquet', filename = 'fn') ORDER BY ALL LIMIT 0`,
  `SELECT * EXCLUDE (filename) FROM read_parquet('@/orders/*.parquet', filename = true, file_row_number = true)`,
  `SELECT * EXCLUDE (filename) FROM read_parquet('@/hive/*/*.parquet', file_row_number = true, filename = true)`,
  `SELECT a % 2 AS filename, count(*) FROM (SELECT id AS a FROM '@/orders/*.parquet') GROUP BY filename`,
  `SELECT * FROM '@/orders/*.parquet' NATURAL JOIN (SELECT 3 AS id) WHERE true`,
]

const refused: readonly (readonly [sql: string, message: RegExp])[] = [
  [`SELECT o, filename FROM @orders o, json_each('[1]')`, /a row as a whole beside columns that are not known cannot/],
  [`SELECT * FROM @orders o NATURAL JOIN json_each('[1]') WHERE file_row_number = 1`, /NATURAL JOIN of columns that/],
  [`SELECT o.id AS o, filename FROM @orders o ORDER BY o`, /a row as a whole beside an alias of its name cannot be/],
  [`SELECT COLUMNS('(i).*') AS 'x\\1', filename FROM @orders`, /COLUMNS with names made of a pattern cannot be/],
]

const files: Readonly<Record<string, readonly [reader: string, glob: string]>> = {
  orders: ['read_parquet', 'orders/*.parquet'], big: ['read_parquet', 'big/*.parquet'],
  clash: ['read_parquet', 'clash/*.parquet'], places: ['read_parquet', 'places/*.parquet'],
  keys: ['read_parquet', 'keys/*/*.parquet'], hive: ['read_parquet', 'hive/*/*.parquet'],
  lines: ['read_csv', 'lines/*.csv'], docs: ['read_json', 'docs/*.json'],
}
const reader = (name: string, base: string): string => `${files[name]?.[0]}('${base}/${files[name]?.[1]}')`
const named = (sql: string, of: (name: string) => string): string => sql.replaceAll(/@(\w+)( (?:AS )?[a-z]\b)?/g,
  (_, name: string, alias?: string) => `${of(name)}${alias ?? ` AS ${name}`}`)
const plain = (sql: string): string => named(sql, name => reader(name, data))

const folder = { name: 'files', config: { provider: 'local', path: data }, environment: {} }
const remote = {
  name: 'prod', environment: { SKEIN_WHOLE_BYTES: '0', SKEIN_BROADCAST_ROWS: '0' },
  config: {
    provider: 'custom', bucket: 'lake', endpoint: server.endpoint, access_key_id: 'test',
    secret_access_key: 'testsecret',
  },
}

for (const [i, { name, config: bucket, environment }] of [folder, remote].entries()) {
  t.test(`over ${name}`, async t => {
    const tables = Object.fromEntries(Object.entries(files).map(([table, [, glob]]) => [table, glob]))
    const of = (format: string, names: readonly string[]) => ({
      type: 'bucket_tables', bucket: name, file_format: format,
      tables: Object.fromEntries(names.map(one => [one, tables[one]])),
    })
    const config = {
      buckets: { [name]: bucket },
      catalogs: {
        lake: of('parquet', ['orders', 'big', 'clash', 'places', 'keys', 'hive']), csvs: of('csv', ['lines']),
        jsons: of('json', ['docs']),
      },
      default_catalog: 'lake', node: { memory: '2GB', spill: '1GB', cache: '100MB' },
    }
    const skein = await Skein.start({ folder: join(root, `own${i}`), executors: 2 + i, config, environment })
    t.teardown(() => skein.stop())
    const catalogs: Readonly<Record<string, string>> = { lines: 'csvs.main.lines', docs: 'jsons.main.docs' }
    const asTable = (sql: string): string => named(sql, name => catalogs[name] ?? name)
    const asFiles = (sql: string): string => named(sql, table => reader(table, `s3://${name}`))
    for (const [at, sql] of questions.entries()) {
      if (at % 2 !== i) continue
      const text = at % 4 < 2 ? asTable(sql) : asFiles(sql)
      const outcome = await skein.query(text)
      const wrong = outcome.kind === 'error' ? `${outcome.code}: ${outcome.message}`
        : difference(await oracle.run(plain(sql)), outcome.answer, /ORDER BY [^)]*$/.test(sql))
      t.equal(wrong, undefined, text)
    }
    for (const sql of i === 0 ? options : []) {
      const outcome = await skein.query(sql.replaceAll('@', `s3://${name}`))
      const wrong = outcome.kind === 'error' ? `${outcome.code}: ${outcome.message}`
        : difference(await oracle.run(sql.replaceAll('@', data)), outcome.answer, false)
      t.equal(wrong, undefined, sql)
    }
    for (const sql of failures) {
      t.match(await oracle.run(plain(sql)).catch((error: unknown) => error), Error, sql)
      const text = i === 0 ? asTable(sql) : asFiles(sql)
      t.match(await skein.query(text), { kind: 'error', code: 'BIND_ERROR' }, text)
    }
    for (const [sql, message] of i === 0 ? refused : []) {
      t.match(await skein.query(asTable(sql)), { kind: 'error', code: 'UNSUPPORTED_STATEMENT', message }, sql)
    }
    const shown = await skein.query('SELECT DISTINCT filename FROM orders ORDER BY ALL')
    t.match(shown, { answer: { rows: [0, 1, 2].map(part => [`s3://${name}/orders/part-${part}.parquet`]) } })
    const sum = await skein.query('SELECT sum(file_row_number) FROM big')
    t.match(sum, { stats: { tasks: environment === folder.environment ? 1 : 4 } }, 'one file, cut among the tasks')
    const one = await skein.query(`SELECT sum(id) FROM orders WHERE filename = 's3://${name}/orders/part-1.parquet'`)
    t.match(one, { answer: { rows: [['37497500']] } })
    const placed = await skein.query('SELECT *, filename,\n  nope FROM orders')
    t.match(placed, { kind: 'error', code: 'BIND_ERROR', position: 22, message: /"nope" not found/ })
    const own = sessionsOf(skein)()
    t.match(await own('CREATE TEMP TABLE few AS SELECT id FROM orders WHERE id < 3'), { kind: 'rows' })
    t.match(await own('SELECT filename FROM few'), { kind: 'error', code: 'BIND_ERROR' })
    t.match(await own('SELECT file_row_number FROM orders WHERE id = 2'), { answer: { rows: [['2']] } })
  })
}
