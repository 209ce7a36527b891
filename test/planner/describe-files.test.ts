/** Columns and reading options of files, so that what is read with them is what plain DuckDB reads. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { describeFiles as describe, type FilesToDescribe } from '../../planner/describe-files.ts'
import { quoteText } from '../../proto/sql-text.ts'
import { DuckDBInstance } from '../duckdb.ts'

const describeFiles = (files: Omit<FilesToDescribe, 'each'>) => describe({ ...files, each: false })
const folder = await mkdtemp(join(tmpdir(), 'skein-describe-'))
const instance = await DuckDBInstance.create(':memory:')
const connection = await instance.connect()
t.teardown(async () => {
  instance.closeSync()
  await rm(folder, { recursive: true })
})

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}

async function rows(sql: string): Promise<unknown> {
  return (await connection.runAndReadAll(sql)).getRowsJson()
}

/** Reads with the options that were found, as an executor does. */
async function read(format: 'csv' | 'json', paths: readonly string[]): Promise<unknown> {
  const { readOptions } = await describeFiles({ format, paths, options: {} })
  const options = Object.entries(readOptions).map(([name, value]) => `, ${name} = ${value}`).join('')
  return rows(`FROM read_${format}([${paths.map(quoteText).join(', ')}]${options})`)
}

t.test('CSV files of every dialect are read as plain DuckDB reads them', async t => {
  const texts = [
    'id,name,day\n1,"x ""y"", z",2024-01-02\n2,b,\n',
    'id\tname\tday\n1\tx\t31/12/2020\n2\ty\t30/11/2021\n',
    'id;at\n1;2024-01-02 03:04:05\n2;\n',
    '1|2.5\n3|4.5\n',
    'a,b\n1,it\'s\n2,5" pipe\n',
  ]
  for (const [i, text] of texts.entries()) {
    const path = await file(`${i}.csv`, text)
    t.strictSame(await read('csv', [path]), await rows(`FROM read_csv('${path}')`), text)
  }
})

t.test('a quoted field in a later file is read though the first one has none', async t => {
  const paths = [await file('first.csv', 'a,b\n1,x\n'), await file('second.csv', 'a,b\n2,"y, z"\n')]
  t.strictSame(await read('csv', paths), [['1', 'x'], ['2', 'y, z']])
})

t.test('JSON files are read as plain DuckDB reads them, as an array, by lines and spread over lines', async t => {
  const texts = [
    '[{"a": 1, "b": {"c": [1, 2]}}, {"a": 2, "b": null}]',
    '{"a": 1, "d": "2024-01-02"}\n{"a": 2.5, "d": null}\n',
    '{\n  "a": 1\n}\n{\n  "a": 2\n}\n',
  ]
  for (const [i, text] of texts.entries()) {
    const path = await file(`${i}.json`, text)
    t.strictSame(await read('json', [path]), await rows(`FROM read_json('${path}')`), text)
  }
})

t.test('options that are given win over what is found', async t => {
  const path = await file('plain.csv', 'a,b\n1,2\n')
  const { columns, readOptions } = await describeFiles({ format: 'csv', paths: [path], options: { header: 'false' } })
  t.strictSame(columns.map(column => column.type), ['VARCHAR', 'VARCHAR'])
  t.equal(readOptions['header'], 'false')
})

t.test('Parquet columns have exact types', async t => {
  const path = join(folder, 'types.parquet')
  await rows(`COPY (SELECT 1::DECIMAL(9,2) AS d, [{'a': 1::HUGEINT}] AS l, '{}'::JSON AS j) TO '${path}'`)
  const { columns, readOptions } = await describeFiles({ format: 'parquet', paths: [path], options: {} })
  t.strictSame(columns, [
    { name: 'd', type: 'DECIMAL(9,2)' }, { name: 'l', type: 'STRUCT(a DOUBLE)[]' }, { name: 'j', type: 'JSON' },
  ])
  t.strictSame(readOptions, {})
})

t.test('a missing and a damaged file are told apart, and no other file is reached', async t => {
  const code = (paths: readonly string[]): Promise<unknown> =>
    describeFiles({ format: 'parquet', paths, options: {} }).then(() => 'ok', (error: { code: string }) => error.code)
  t.equal(await code([join(folder, 'nowhere.parquet')]), 'FILE_NOT_FOUND')
  t.equal(await code([await file('damaged.parquet', 'PAR1 and so on')]), 'FILE_CORRUPT')
  const options = { columns: `(FROM read_text('/etc/passwd'))` }
  await t.rejects(describeFiles({ format: 'csv', paths: [join(folder, '0.csv')], options }))
})
