/**
 * A text of SQL as it may be written down: without what is probably secret. A text that speaks of secrets, passwords,
 * keys or tokens by any name loses all of its strings; others lose the strings that hold credentials by their form.
 */

import { identifier, sqlTokens } from './sql-tokens.ts'

/** Names, whole or in part: `CREATE SECRET`, `secret_access_key`, `ATTACH … (PASSWORD …)`. */
const SECRET_NAME = /secret|passw|pwd|token|credential|^key_id$|access_?key|api_?key|private_?key|^attach$/i
/** `scheme://user:password@host`, `password=…`, and signatures of addresses. */
const SECRET_FORM = /:\/\/[^/\s]*:[^/\s]*@|(?:passw|pwd|secret|token|key|sig|signature|credential)\w*\s*=/i
const MASK = "'***'"
/** What a text has somewhere if either of them is in it: most have nothing, and need not be taken apart. */
const SUSPICIOUS = /secret|passw|pwd|token|credential|key|attach|sig|:\/\//i

/** The text itself if nothing is taken away. */
export function withoutSecrets(sql: string): string {
  if (!SUSPICIOUS.test(sql)) return sql
  const tokens = sqlTokens(sql)
  const speaksOfSecrets = tokens.some(token => SECRET_NAME.test(identifier(token) ?? ''))
  const isSecret = (text: string): boolean => speaksOfSecrets || SECRET_FORM.test(text)
  const shown = tokens.map(({ kind, text }) => {
    switch (kind) {
      case 'text': return isSecret(text) ? MASK : text
      case 'open': return isSecret(text) ? '***' : text
      case 'comment': return isSecret(text) ? '/* *** */' : text
      default: return text
    }
  })
  return shown.join('')
}

/** A message about a text, which may quote it. */
export function messageWithoutSecrets(message: string, sql: string): string {
  return withoutSecrets(sql) === sql ? withoutSecrets(message) : '***'
}
