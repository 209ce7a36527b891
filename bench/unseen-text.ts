/** Texts that no plan and no result is kept for, though they ask the same. */

/** A comment inside: one before or behind a statement is no part of it. */
export function unseenText(sql: string, mark: string): string {
  const marked = sql.replace(/^\s*\w+/, word => `${word} /* ${mark} */`)
  if (marked === sql) throw new Error(`no word to put a comment behind: ${sql}`)
  return marked
}
