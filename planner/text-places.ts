/** Where in a text the nodes of its syntax tree stand; a tree tells where they begin, and its tokens where they end. */

import { meaningfulTokens, type SqlToken } from '../proto/sql-tokens.ts'
import type { Tree } from './syntax.ts'
import { listOf, placeOf, textOf } from './tree.ts'

/** Positions are those of tokens; -1: there is none. */
export class TextPlaces {
  readonly tokens: readonly SqlToken[]
  readonly #sql: string

  constructor(sql: string) {
    this.#sql = sql
    this.tokens = meaningfulTokens(sql)
  }

  /** Where the node begins. */
  at(node: Tree): number {
    const start = placeOf(node, this.#sql)
    return start === undefined ? -1 : this.tokens.findIndex(token => token.start === start)
  }

  /** Of a star in `*COLUMNS(…)`: behind the first one. */
  atStar(star: Tree): number {
    const at = this.at(star)
    const isUnpacked = this.tokens[at]?.text === '*' && this.tokens[at + 1]?.text.toUpperCase() === 'COLUMNS'
    return isUnpacked && star['columns'] === true ? at + 1 : at
  }

  /** The last part of the name that begins at `at`. */
  endOfChain(at: number): number {
    let end = at
    while (this.tokens[end + 1]?.text === '.') end += 2
    return end
  }

  /** What closes the parenthesis `at`. */
  closing(at: number): number {
    if (this.tokens[at]?.text !== '(') return -1
    let depth = 0
    for (let i = at; i < this.tokens.length; i++) {
      const { kind, text } = this.tokens[i] ?? {}
      if (kind === 'symbol') depth += text === '(' ? 1 : text === ')' ? -1 : 0
      if (depth === 0) return i
    }
    return -1
  }

  /** The token `*` of a star that begins at `at`: `*`, `t.*`, `COLUMNS(*)`, `COLUMNS(t.*)`. */
  starBehind(at: number): number {
    const isColumns = this.tokens[at]?.text.toUpperCase() === 'COLUMNS' && this.tokens[at + 1]?.text === '('
    const star = this.endOfChain(isColumns ? at + 2 : at)
    return this.tokens[star]?.text === '*' ? star : -1
  }

  /** The last token of the right side of the join at `at`, with its alias and the names of its columns. */
  endOfJoined(right: Tree, at: number): number {
    const open = this.tokens.findIndex(({ text }, i) => i >= at && text.toUpperCase() === 'JOIN') + 1
    let end = this.tokens[open]?.text === '(' ? this.closing(open) : this.endOfChain(open)
    if (textOf(right['alias']) === '') return end
    end += this.tokens[end + 1]?.text.toUpperCase() === 'AS' ? 2 : 1
    return listOf(right['column_name_alias']).length === 0 ? end : this.closing(end + 1)
  }
}
