/**
 * Nothing of a tree is believed without the text: a tree that is changed in any one place gives the very translation
 * that the unchanged one gives, or none; and one with a field that is not known gives none. Texts that are changed by
 * chance give a translation or a refusal, never a fault.
 */

import t from 'tap'
import { AstNode } from '../../../planner/dialect/ast-node.ts'
import { dialectNames } from '../../../planner/dialect/dialect-name.ts'
import { loadGrammar } from '../../../planner/dialect/parser.ts'
import { dialectNamed, translate, translateBy } from '../../../planner/dialect/translate.ts'
import { asQueryError, QueryError } from '../../../proto/errors.ts'
import { mulberry32 } from '../../random.ts'

const text = `SELECT x.a AS k, COUNT(DISTINCT b),
  CASE WHEN a > 1 AND NOT b = 2 OR c LIKE 'q%' THEN -a ELSE 3 + 4 * 5 END
  FROM t x LEFT JOIN u ON x.a = u.a AND u.b IN (1, 2) CROSS JOIN v AS w
  WHERE a BETWEEN 1 AND 2 + 3 AND c IS NOT NULL AND EXISTS (SELECT 1 FROM t) GROUP BY x.a, b - 1
  HAVING SUM(b) > 10 ORDER BY 1 DESC, SUM(b)`

type Tree = Record<string, unknown>

/** Each way to change the tree in one place, as the changed tree. */
function* changed(tree: unknown): Generator<{ readonly what: string; readonly tree: unknown }> {
  const places = [...objectsIn(tree, [])]
  for (const path of places) {
    const copy = (change: (node: Tree) => void): unknown => {
      const root = structuredClone(tree)
      change(path.reduce<unknown>((node, key) => (node as Tree)[key], root) as Tree)
      return root
    }
    const where = path.join('.')
    yield { what: `unknown field in ${where}`, tree: copy(node => { node['unheard_of'] = 1 }) }
    const node = path.reduce<unknown>((node, key) => (node as Tree)[key], tree) as Tree
    for (const [key, value] of Object.entries(node)) {
      if (value === null || value === '') continue
      yield { what: `no ${where}.${key}`, tree: copy(node => { delete node[key] }) }
      if (typeof value === 'string') yield { what: `other ${where}.${key}`, tree: copy(node => { node[key] = 'k1_' }) }
    }
    if ('left' in node) {
      const swap = (node: Tree): void => { [node['left'], node['right']] = [node['right'], node['left']] }
      yield { what: `swapped ${where}`, tree: copy(swap) }
    }
  }
}

function* objectsIn(value: unknown, path: readonly (string | number)[]): Generator<readonly (string | number)[]> {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) yield path
  for (const [key, inner] of Object.entries(value)) yield* objectsIn(inner, [...path, key])
}

for (const name of dialectNames) {
  t.test(`trees of ${name}`, async t => {
    const dialect = await dialectNamed(name)
    const grammar = await loadGrammar(dialect)
    const roots = new Map<string, unknown>()
    const rootOf = (sql: string): unknown => {
      const tree = roots.get(sql) ?? grammar(sql)
      roots.set(sql, tree)
      return Array.isArray(tree) ? tree[0] : tree
    }
    const right = translateBy(dialect, text, sql => new AstNode(rootOf(sql), 'statement'))
    let changes = 0
    const faults: string[] = []
    // the text is read in several parts, each with a tree of its own
    for (const part of [...roots.keys()]) {
      for (const { what, tree } of changed(rootOf(part))) {
        changes++
        try {
          const found = translateBy(dialect, text, sql => new AstNode(sql === part ? tree : rootOf(sql), 'statement'))
          if (found !== right || what.startsWith('unknown')) faults.push(`${what} became ${found}`)
        } catch (thrown) {
          if (!(thrown instanceof QueryError)) faults.push(`${what}: ${String(thrown)}`)
        }
      }
    }
    t.ok(changes > 400, `${changes} changes`)
    t.same(faults, [])
  })

  t.test(`texts of ${name} changed by chance`, async t => {
    const random = mulberry32(17)
    const below = (limit: number): number => Math.floor(random() * limit)
    const words = text.split(/\b/)
    const faults: string[] = []
    for (let i = 0; i < 60; i++) {
      const changed = [...words]
      const [from, to] = [below(words.length), below(words.length)]
      if (below(2) === 0) changed.splice(from, 1)
      else changed[from] = words[to] ?? ''
      const outcome = await translate(name, changed.join('')).then(() => null, asQueryError)
      if (outcome?.code === 'INTERNAL') faults.push(`${changed.join('')}: ${outcome.message}`)
    }
    t.same(faults, [])
  })
}
