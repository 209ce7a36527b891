/** A string of a foreign text in DuckDB's. */

import { quoteText } from '../../proto/sql-text.ts'
import { refused } from './refusal.ts'

export function escapeText(text: string, place?: number): string {
  if (text.includes('\0')) throw refused('a string with a zero character', place)
  return quoteText(text)
}
