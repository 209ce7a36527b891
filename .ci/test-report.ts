/**
 * What a person reads of a test run: one line a test, each failure in full, and the totals. Leaves of the tree of tests
 * are counted, that is assertions. A file that asserted nothing, and skipped nothing, has failed.
 */

import { relative } from 'node:path'
import { type TestsStream } from 'node:test'

interface TestEvent {
  readonly name: string
  readonly nesting: number
  readonly file?: string | undefined
  readonly skip?: string | boolean | undefined
  readonly todo?: string | boolean | undefined
  readonly details: { readonly duration_ms?: number; readonly type?: string | undefined; readonly error?: unknown }
}

export class TestReport {
  readonly #print: (line: string) => void
  readonly #asserted = new Set<string>()
  #passed = 0
  #failed = 0
  #skipped = 0
  /** Skipped tests whose file the runner does not tell; each may be the only one of a file. */
  #placeless = 0
  /** Names of the open tests are not told with an event, so failures wait for their parent's name. */
  #waiting: string[] = []

  constructor(print: (line: string) => void) {
    this.#print = print
  }

  follow(stream: TestsStream): void {
    stream.on('test:pass', event => this.#result(event, true))
    stream.on('test:fail', event => this.#result(event, false))
    stream.on('test:stderr', ({ message }) => process.stderr.write(message))
  }

  /** Prints the totals; true if all is well. */
  end(files: readonly string[]): boolean {
    const quiet = files.filter(file => !this.#asserted.has(relative('.', file)))
    const silent = quiet.length <= this.#placeless ? [] : quiet
    for (const file of silent) this.#print(`not ok ${file}: asserted nothing`)
    this.#failed += silent.length
    const skipped = this.#skipped === 0 ? '' : `, ${this.#skipped} skipped`
    this.#print(`${this.#passed} passed, ${this.#failed} failed${skipped}`)
    return this.#failed === 0
  }

  #result(event: TestEvent, passed: boolean): void {
    const file = relative('.', event.file ?? '')
    const isFile = relative('.', event.name) === file
    if (passed && isFile) return
    if (event.file === undefined) this.#placeless++
    this.#asserted.add(file)
    const branch = /subtest/.test(describe(event.details.error)) || event.details.type === 'suite'
    if (!branch) this.#count(event, passed)
    if (!passed && !branch) this.#waiting.push(`  ${event.name}\n${describe(event.details.error)}`)
    if (event.nesting === 0 || isFile) this.#line(event, file, passed)
  }

  #count(event: TestEvent, passed: boolean): void {
    if (event.skip !== undefined || event.todo !== undefined) {
      this.#skipped++
      this.#print(`skip ${event.name} ${typeof event.skip === 'string' ? event.skip : ''}`)
    } else if (passed) {
      this.#passed++
    } else {
      this.#failed++
    }
  }

  #line(event: TestEvent, file: string, passed: boolean): void {
    const ms = Math.round(event.details.duration_ms ?? 0)
    this.#print(`${passed ? 'ok' : 'not ok'} ${file} ${event.name} (${ms} ms)`)
    for (const failure of this.#waiting) this.#print(failure)
    this.#waiting = []
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause: unknown = error.cause
  if (cause instanceof Error) return cause.stack ?? cause.message
  return cause === undefined ? error.message : String(cause)
}
