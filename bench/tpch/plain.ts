/**
 * One plain DuckDB in a process of its own, so that its CPU time can be told apart. It opens the tables of a folder as
 * views and runs each statement that it is sent; rows are read and dropped. Run as a program it is that process.
 */

import { fork, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { quoteText } from '../../proto/sql-text.ts'
import { DuckDBInstance } from '../../test/duckdb.ts'
import { treeCpuMs } from '../processes.ts'
import type { TpchData } from './data.ts'

interface Done {
  readonly error?: string
}

export class PlainDuckDB {
  readonly #process: ChildProcess

  private constructor(process: ChildProcess) {
    this.#process = process
  }

  static async start({ folder, globs }: TpchData): Promise<PlainDuckDB> {
    const plain = new PlainDuckDB(fork(fileURLToPath(import.meta.url), [folder, JSON.stringify(globs)]))
    await plain.#answer()
    return plain
  }

  async run(sql: string): Promise<void> {
    this.#process.send(sql)
    await this.#answer()
  }

  cpuMs(): number {
    return treeCpuMs(this.#process.pid ?? 0)
  }

  stop(): void {
    this.#process.disconnect()
  }

  #answer(): Promise<void> {
    return new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error('the plain DuckDB process ended'))
      this.#process.once('exit', ended)
      this.#process.once('message', (done: Done) => {
        this.#process.off('exit', ended)
        if (done.error === undefined) resolve()
        else reject(new Error(done.error))
      })
    })
  }
}

async function serve(
  folder: string, globs: Readonly<Record<string, string>>, send: (done: Done) => void,
): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  for (const [table, glob] of Object.entries(globs)) {
    await connection.run(`CREATE VIEW ${table} AS FROM read_parquet(${quoteText(join(folder, glob))})`)
  }
  process.on('message', (sql: string) => {
    void connection.runAndReadAll(sql).then(() => send({}), (error: Error) => send({ error: error.message }))
  })
  send({})
}

const [, program, folder, globs] = process.argv
if (program === fileURLToPath(import.meta.url) && folder !== undefined && globs !== undefined) {
  await serve(folder, JSON.parse(globs) as Record<string, string>, done => process.send?.(done))
}
