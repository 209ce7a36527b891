/**
 * A text in which nothing means the hidden columns of a table but their names. What means all columns of such a table
 * is written without them:
 *
 *   SELECT *, filename FROM t     ▶   SELECT * EXCLUDE (t.filename, t.file_row_number), filename FROM t
 *   SELECT t, filename FROM t     ▶   SELECT {'a': t.a, 'b': t.b} AS t, filename FROM t
 *   t NATURAL JOIN u              ▶   t JOIN u USING (a)
 *   t PIVOT (max(filename) …)     ▶   (SELECT * EXCLUDE (…), filename FROM t) AS t PIVOT (max(filename) …)
 *
 * DuckDB's own parser judges that: but for these, the tree of the new text has to be that of the old one. What cannot
 * be said so is refused.
 *
 * On an instance that keeps views, whose `*` must not change, the tables with these columns are others (`apart`), and
 * the text names them in the place of the plain ones.
 */

import { cannotHide, type HidingRequest } from './hidden-columns.ts'
import { HidingWalk } from './hiding-walk.ts'
import { readingParts } from './reading-parts.ts'
import type { Tree } from './syntax.ts'
import { edited, type Edit } from './text-edits.ts'
import { isTree, listOf, textOf } from './tree.ts'

export type ParseTrees = (sql: string) => Promise<readonly unknown[]>

/** UNSUPPORTED_STATEMENT if something that means all columns of one of `tables` cannot be told which. */
export async function hideColumns(request: HidingRequest, parse: ParseTrees): Promise<readonly Edit[]> {
  const edits: Edit[] = []
  for (const { text, start, trees } of await readingParts(request.sql, parse)) {
    for (const edit of await hideIn({ ...request, sql: text }, trees, parse)) {
      edits.push({ ...edit, start: edit.start + start, end: edit.end + start })
    }
  }
  return edits
}

async function hideIn(
  request: HidingRequest, trees: readonly unknown[], parse: ParseTrees,
): Promise<readonly Edit[]> {
  const { sql } = request
  const walk = new HidingWalk(request)
  for (const tree of trees) walk.visit(tree)
  const edits = walk.edits.toSorted((a, b) => a.start - b.start)
  if (edits.length === 0) return edits
  const isSame = await isExpected(walk, edited(sql, edits), trees, parse).catch(() => false)
  if (!isSame) throw cannotHide('this statement')
  return edits
}

/** Rejects if the new text does not parse. */
async function isExpected(
  walk: HidingWalk, text: string, trees: readonly unknown[], parse: ParseTrees,
): Promise<boolean> {
  const expected = shape(trees, walk.excluded, await expectedNodes(walk, parse))
  return shape(await parse(text), walk.excluded, new Map()) === expected
}

/** What the new tree has to hold in the place of old nodes. */
async function expectedNodes({ rewritten, changed }: HidingWalk, parse: ParseTrees): Promise<Map<Tree, Tree>> {
  const expected = new Map<Tree, Tree>(changed)
  for (const [node, { text, isRelation }] of rewritten) {
    const [tree] = await parse(isRelation ? `SELECT 1 FROM ${text}` : `SELECT ${text}`)
    const select = isTree(tree) && isTree(tree['node']) ? tree['node'] : {}
    const made = isRelation ? select['from_table'] : listOf(select['select_list'])[0]
    const { alias, column_name_alias: names, sample } = node
    const kept = Object.entries({ alias, column_name_alias: names, sample }).filter(([, value]) => value !== undefined)
    expected.set(node, { ...isTree(made) ? made : {}, ...Object.fromEntries(kept) })
  }
  return expected
}

/** Equal if two trees differ in nothing but places, what is excluded, and `expected`. */
function shape(trees: readonly unknown[], excluded: ReadonlySet<string>, expected: ReadonlyMap<Tree, Tree>): string {
  return JSON.stringify(trees, (key, found: unknown) => {
    if (key === 'query_location') return undefined
    if (!isTree(found)) return found
    const value = expected.get(found) ?? found
    const sorted = Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1))
    if (value['class'] !== 'STAR') return sorted
    const { exclude_list: names = [], qualified_exclude_list: qualified = [], ...star } = sorted
    const isOther = (name: unknown): boolean => !excluded.has(textOf(name).toLowerCase())
    return {
      ...star, names: listOf(names).filter(isOther),
      qualified: listOf(qualified).filter(one => isTree(one) && isOther(one['column'])),
    }
  })
}
