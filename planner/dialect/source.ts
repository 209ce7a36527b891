/** The tokens of one text, and looking around in them. A range is of tokens, half open: [from, to). */

import type { Token } from './lexer.ts'
import { refused, syntaxError } from './refusal.ts'

export interface Range {
  readonly from: number
  readonly to: number
}

const closing: Readonly<Record<string, string>> = { '(': ')', '[': ']' }

/** Clauses that dialects have and translations have not. */
const clauses: ReadonlySet<string> = new Set(`FOR INTO NATURAL STRAIGHT_JOIN TABLESAMPLE SAMPLE PIVOT UNPIVOT ASOF
  MATCH_RECOGNIZE LATERAL AGAINST PARTITION QUALIFY CONNECT START OPTION`.split(/\s+/))

/** Brackets in brackets; more are a fault of whoever wrote the text, and would exhaust the stack. */
const MAX_DEPTH = 100

export class Source {
  readonly tokens: readonly Token[]
  /** Of each opening bracket its closing one. */
  readonly #closes = new Map<number, number>()

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens
    const open: number[] = []
    tokens.forEach(({ word, start }, i) => {
      if (closing[word] !== undefined) {
        open.push(i)
        if (open.length > MAX_DEPTH) throw syntaxError(`brackets are nested more than ${MAX_DEPTH} deep`, start)
      }
      if (word !== ')' && word !== ']') return
      const last = open.pop()
      if (last === undefined || closing[this.word(last)] !== word) throw syntaxError(`unexpected ${word}`, start)
      this.#closes.set(last, i)
    })
    const [left] = open
    if (left !== undefined) throw syntaxError(`${this.word(left)} is not closed`, this.place(left))
  }

  /** In upper case; empty for what is no word or symbol, and beyond the end. */
  word(i: number): string {
    return this.tokens[i]?.word ?? ''
  }

  is(i: number, ...words: readonly string[]): boolean {
    return words.every((word, at) => this.word(i + at) === word)
  }

  isName(i: number): boolean {
    const kind = this.tokens[i]?.kind
    return kind === 'word' || kind === 'name'
  }

  /** In characters; the end of the text for what is beyond it. */
  place(i: number): number {
    return this.tokens[i]?.start ?? this.tokens.at(-1)?.end ?? 0
  }

  close(open: number): number {
    const close = this.#closes.get(open)
    if (close === undefined) throw new Error(`token ${open} opens no bracket`)
    return close
  }

  /** The first token outside of inner brackets for which `isIt`; `to` if there is none. */
  find({ from, to }: Range, isIt: (i: number) => boolean): number {
    for (let i = from; i < to; i++) {
      if (isIt(i)) return i
      if (this.#closes.has(i)) i = this.close(i)
    }
    return to
  }

  findWord(range: Range, ...words: readonly string[]): number {
    return this.find(range, i => this.is(i, ...words))
  }

  /** At the commas outside of inner brackets; of an empty range nothing. */
  split({ from, to }: Range): readonly Range[] {
    if (from === to) return []
    const pieces: Range[] = []
    for (let start = from; ;) {
      const comma = this.findWord({ from: start, to }, ',')
      if (comma === start || comma === to - 1) throw this.unexpected(comma)
      pieces.push({ from: start, to: comma })
      if (comma === to) return pieces
      start = comma + 1
    }
  }

  /** A query stands here, perhaps in brackets of its own. */
  startsQuery(i: number): boolean {
    for (; this.is(i, '('); i++);
    return ['SELECT', 'WITH', 'VALUES'].includes(this.word(i))
  }

  /** Begins a clause that is not translated, unless it is quoted. */
  isClause(i: number): boolean {
    return clauses.has(this.word(i))
  }

  unexpected(i: number): Error {
    const token = this.tokens[i]
    if (token === undefined) return syntaxError('the text ends too early', this.place(i))
    if (this.isClause(i)) return refused(token.word, token.start)
    return syntaxError(`unexpected ${token.kind === 'text' ? 'string' : JSON.stringify(token.value)}`, token.start)
  }

  expect(i: number, word: string): void {
    if (!this.is(i, word)) throw this.unexpected(i)
  }
}
