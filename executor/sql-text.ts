/** Names and values as SQL text. */

/** `name` as an identifier that keeps its case and may hold anything. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

export function literalList(texts: readonly string[]): string {
  return `[${texts.map(literal).join(', ')}]`
}
