/**
 * The tokens of a text in a foreign dialect, with what its strings and quoted names mean. Every dialect has rules of
 * its own for quotes, escapes and comments (`Lexicon`), and to read one by another's is how a text changes its meaning.
 * What a dialect allows beyond them is refused here, at its place.
 */

import { refused, syntaxError } from './refusal.ts'

export type TokenKind = 'word' | 'name' | 'text' | 'number' | 'symbol'

export interface Token {
  readonly kind: TokenKind
  /** Of a word as written, of a name or text what it means, else as written. */
  readonly value: string
  /** Of a word in upper case, of a symbol as written; empty: a name, text or number. */
  readonly word: string
  /** Characters of the text: [start, end). */
  readonly start: number
  readonly end: number
}

/** How a dialect writes; its quotes are single characters. */
export interface Lexicon {
  readonly textQuotes: readonly string[]
  /** Opening quotes of names, each with its closing one. */
  readonly nameQuotes: Readonly<Record<string, string>>
  /** What a backslash in a string means before this character; null: it means itself in strings. */
  readonly escapes: Readonly<Record<string, string>> | null
  /** A backslash before another character is dropped; false: refused. */
  readonly dropsBackslash: boolean
  /** Line comments besides `--`. */
  readonly lineComments: readonly string[]
  /** `--` begins a comment only with a space after it. */
  readonly spaceAfterDashes: boolean
  readonly nestedComments: boolean
  /** Letters that stand before a string: N'…' is an ordinary string, r'…' one without escapes. */
  readonly prefixes: Readonly<Record<string, 'plain' | 'raw'>>
  /** Three quotes begin a string of their own kind. */
  readonly tripleQuotes: boolean
}

const SPACE = /\s+/uy
const NUMBER = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y
const WORD = /[\p{L}_][\p{L}\p{N}_$]*/uy
const SYMBOL = /<=>|<>|!=|<=|>=|\|\||&&|::|->|=>|:=|<<|>>|[-+*/%=<>(),.;[\]:^&|~!?@#$]/y

export function foreignTokens(sql: string, lexicon: Lexicon): readonly Token[] {
  return new Lexer(sql, lexicon).tokens()
}

class Lexer {
  readonly #sql: string
  readonly #lexicon: Lexicon
  #at = 0

  constructor(sql: string, lexicon: Lexicon) {
    this.#sql = sql
    this.#lexicon = lexicon
  }

  tokens(): readonly Token[] {
    const tokens: Token[] = []
    while (this.#at < this.#sql.length) {
      if (this.#match(SPACE) !== null || this.#comment()) continue
      tokens.push(this.#token())
    }
    return tokens
  }

  #token(): Token {
    const start = this.#at
    const char = this.#sql[start] ?? ''
    if (this.#lexicon.textQuotes.includes(char)) return this.#text(start, this.#lexicon.escapes !== null)
    const close = this.#lexicon.nameQuotes[char]
    if (close !== undefined) return this.#name(start, close)
    const word = this.#match(WORD)
    if (word !== null) {
      if (!this.#lexicon.textQuotes.includes(this.#sql[this.#at] ?? '')) return this.#made('word', word, start)
      const prefix = this.#lexicon.prefixes[word.toLowerCase()]
      if (prefix === undefined) throw refused(`a string with ${word} before it`, start)
      return this.#text(start, prefix === 'plain' && this.#lexicon.escapes !== null)
    }
    const number = this.#match(NUMBER)
    if (number !== null) {
      if (this.#match(WORD) !== null) throw refused('a number with letters after it', start)
      return this.#made('number', number, start)
    }
    const symbol = this.#match(SYMBOL)
    if (symbol === null) throw syntaxError(`no token begins with ${JSON.stringify(char)}`, start)
    return this.#made('symbol', symbol, start)
  }

  #made(kind: TokenKind, value: string, start: number): Token {
    const word = kind === 'word' ? value.toUpperCase() : kind === 'symbol' ? value : ''
    return { kind, value, word, start, end: this.#at }
  }

  /** The place is the opening quote; two quotes are one. */
  #text(start: number, hasEscapes: boolean): Token {
    const quote = this.#sql[this.#at] ?? ''
    if (this.#lexicon.tripleQuotes && this.#sql.startsWith(quote.repeat(3), this.#at)) {
      throw refused('a string of three quotes', start)
    }
    let value = ''
    for (this.#at++; this.#at < this.#sql.length;) {
      const char = this.#sql[this.#at] ?? ''
      if (char === quote) {
        if (this.#sql[this.#at + 1] !== quote) {
          this.#at++
          return this.#made('text', value, start)
        }
        value += quote
        this.#at += 2
      } else if (char === '\\' && hasEscapes) {
        value += this.#escape()
      } else {
        value += char
        this.#at++
      }
    }
    throw syntaxError('a string without its end', start)
  }

  #escape(): string {
    const { escapes, dropsBackslash } = this.#lexicon
    const start = this.#at
    const char = this.#sql[start + 1] ?? ''
    this.#at += 2
    const meant = escapes?.[char]
    if (meant !== undefined) return meant
    if (!dropsBackslash || /[0-7xuU]/.test(char)) throw refused(`the escape \\${char} in a string`, start)
    return char
  }

  #name(start: number, close: string): Token {
    let value = ''
    for (this.#at++; this.#at < this.#sql.length;) {
      const char = this.#sql[this.#at] ?? ''
      if (char === '\\' && this.#lexicon.escapes !== null && close === '`' && !this.#lexicon.dropsBackslash) {
        throw refused('an escape in a name', this.#at)
      }
      this.#at++
      if (char !== close) value += char
      else if (this.#sql[this.#at] === close) {
        value += close
        this.#at++
      } else if (value === '') throw syntaxError('an empty name', start)
      else return this.#made('name', value, start)
    }
    throw syntaxError('a name without its end', start)
  }

  #comment(): boolean {
    const { lineComments, spaceAfterDashes, nestedComments } = this.#lexicon
    const start = this.#at
    const starts = (mark: string): boolean => this.#sql.startsWith(mark, start)
    if ((starts('--') && (!spaceAfterDashes || !/[^\s]/.test(this.#sql[start + 2] ?? ' ')))
      || lineComments.some(starts)) {
      const end = this.#sql.indexOf('\n', start)
      this.#at = end < 0 ? this.#sql.length : end + 1
      return true
    }
    if (!starts('/*')) return false
    if (starts('/*!') || starts('/*M!')) throw refused('a comment that runs', start)
    let depth = 0
    const marks = /\/\*|\*\//g
    for (marks.lastIndex = start; ;) {
      const mark = marks.exec(this.#sql)
      if (mark === null) throw syntaxError('a comment without its end', start)
      if (mark[0] === '*/') depth--
      else if (nestedComments || depth === 0) depth++
      if (depth > 0) continue
      this.#at = marks.lastIndex
      return true
    }
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#sql)
    if (match === null) return null
    this.#at = pattern.lastIndex
    return match[0]
  }
}
