/** A cell of CSV (RFC 4180). NULL is nothing at all, an empty text a pair of quotes: so they stay apart. */

export function csvCell(text: string | null): string {
  if (text === null) return ''
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
