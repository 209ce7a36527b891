/** Quoting of names and texts in SQL. */

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

export function quoteText(text: string): string {
  return `'${text.replaceAll(`'`, `''`)}'`
}
