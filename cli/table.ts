/** Rows of text as a table for people: columns as wide as their widest cell, numbers to the right. */

/** A cell longer than this is cut, with an ellipsis. */
const MAX_CELL = 60

export function formatTable(
  names: readonly string[], rows: readonly (readonly (string | null)[])[], numeric: readonly boolean[] = [],
): string {
  const cells = rows.map(row => names.map((_, i) => shorten(row[i] ?? 'NULL')))
  const widths = names.map((name, i) => Math.max(width(name), ...cells.map(row => width(row[i] ?? ''))))
  const line = (row: readonly string[]): string => row.map((cell, i) => {
    const gap = ' '.repeat(Math.max(0, (widths[i] ?? 0) - width(cell)))
    return numeric[i] === true ? gap + cell : cell + gap
  }).join('  ').trimEnd() + '\n'
  const rule = widths.map(each => '─'.repeat(each)).join('  ') + '\n'
  return line(names) + rule + cells.map(line).join('')
}

function shorten(cell: string): string {
  const oneLine = cell.replace(/\n/g, '⏎')
  return oneLine.length > MAX_CELL ? `${oneLine.slice(0, MAX_CELL - 1)}…` : oneLine
}

/** Characters, not UTF-16 units. */
function width(text: string): number {
  return [...text].length
}
