/** The files of a task's scans: what is asked for, and what is told of failures. */

import { create } from '@bufbuild/protobuf'
import t from 'tap'
import { ScanFiles, type FilePort } from '../../executor/scan-files.ts'
import { QueryError } from '../../proto/errors.ts'
import { FileFormat, ScanSchema } from '../../proto/gen/executor_pb.js'

const split = (key: string, more: object = {}) =>
  ({ file: { bucket: 'prod', key, etag: 'e', sizeBytes: 9n }, fromRow: 0n, toRow: 0n, passing: false, ...more })
const columns = ['a', 'b', 'c'].map(name => ({ name, type: 'INTEGER' }))
const scans = [
  create(ScanSchema, {
    format: FileFormat.PARQUET, columns, touched: [2, 0], splits: [split('x'), split('y', { fromRow: 5n, toRow: 9n })],
  }),
  create(ScanSchema, { format: FileFormat.CSV, columns, touched: [], splits: [split('z', { passing: true })] }),
]

function port(distrusts = false) {
  const said: unknown[] = []
  const files: FilePort = {
    open: async wanted => {
      said.push(wanted)
      return {
        files: wanted.map(({ file }) => ({ path: `/cache/${file.key}.data`, bytesFetched: 2, bytesCached: 3 })),
        release: async () => { said.push('released') },
      }
    },
    prefetch: async () => undefined,
    areHere: () => Promise.resolve(true),
    distrust: async paths => {
      said.push(paths)
      return distrusts
    },
  }
  return { files, said }
}

const open = (files: FilePort) => ScanFiles.open(scans, [], files, new AbortController().signal)

t.test('every split is wanted with its columns and rows, and gets its path', async t => {
  const { files, said } = port()
  const opened = await open(files)
  t.match(said, [[
    { file: { key: 'x', sizeBytes: 9 }, isParquet: true, columns: ['c', 'a'], rows: null, passing: false },
    { file: { key: 'y' }, isParquet: true, columns: ['c', 'a'], rows: { from: 5, to: 9 }, passing: false },
    { file: { key: 'z' }, isParquet: false, columns: [], rows: null, passing: true },
  ]])
  t.strictSame(opened.paths, [['/cache/x.data', '/cache/y.data'], ['/cache/z.data']])
  t.strictSame([opened.bytesFetched, opened.bytesCached], [6, 9])
  await opened.release()
  t.equal(said.at(-1), 'released')
})

t.test('a failure names files as the user knows them', async t => {
  const { files, said } = port()
  const error = new QueryError('EXECUTION_ERROR', 'bad value in /cache/y.data', { position: 7 })
  const explained = await (await open(files)).explain(error)
  t.match(explained, { code: 'EXECUTION_ERROR', message: 'bad value in prod/y', position: 7 })
  t.equal(said.length, 1, 'and nothing is given up')
})

t.test('a corrupt file may be tried again if what is cached was given up', async t => {
  const corrupt = new QueryError('FILE_CORRUPT', 'Snappy decompression failure')
  const again = port(true)
  t.match(await (await open(again.files)).explain(corrupt), { code: 'UNAVAILABLE', class: { retryable: true } })
  t.strictSame(again.said[1], ['/cache/x.data', '/cache/y.data', '/cache/z.data'])
  t.equal(await (await open(port(false).files)).explain(corrupt), corrupt)
})
