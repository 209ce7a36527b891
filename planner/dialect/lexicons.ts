/** How the dialects write strings, names and comments. */

import type { Lexicon } from './lexer.ts'

const plain: Lexicon = {
  textQuotes: ["'"], nameQuotes: { '"': '"' }, escapes: null, dropsBackslash: false, lineComments: [],
  spaceAfterDashes: false, nestedComments: false, prefixes: {}, tripleQuotes: false,
}

/** `%` and `_` keep their backslash: it is for LIKE. */
export const mysqlLexicon: Lexicon = {
  ...plain, textQuotes: ["'", '"'], nameQuotes: { '`': '`' }, lineComments: ['#'], spaceAfterDashes: true,
  escapes: {
    "'": "'", '"': '"', b: '\b', n: '\n', r: '\r', t: '\t', Z: '\x1a', '\\': '\\', '%': '\\%', _: '\\_', 0: '\0',
  },
  dropsBackslash: true,
}

export const snowflakeLexicon: Lexicon = {
  ...plain, lineComments: ['//'], dropsBackslash: true,
  escapes: { "'": "'", '"': '"', '\\': '\\', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' },
}

export const bigqueryLexicon: Lexicon = {
  ...plain, textQuotes: ["'", '"'], nameQuotes: { '`': '`' }, lineComments: ['#'], tripleQuotes: true,
  escapes: {
    "'": "'", '"': '"', '`': '`', '?': '?', '\\': '\\', a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t',
    v: '\v',
  },
  prefixes: { r: 'raw' },
}

export const tsqlLexicon: Lexicon = {
  ...plain, nameQuotes: { '"': '"', '[': ']' }, nestedComments: true, prefixes: { n: 'plain' },
}

export const trinoLexicon: Lexicon = plain
