/** What a session's user may write next: DuckDB's suggestions over all tables, and what the session has made. */

import type { LoadedTable } from '../../catalog/catalog.ts'
import type { CompletionRequest, Suggestion } from '../../planner/completion.ts'
import type { OwnInstances } from './own-instances.ts'
import type { Session } from './session.ts'

export interface CompletionsOptions {
  readonly complete: (request: CompletionRequest) => Promise<readonly Suggestion[]>
  readonly tables: () => Promise<readonly LoadedTable[]>
  readonly own: Pick<OwnInstances, 'objects'>
}

/** More go to the planner for no one: a person reads some tens of suggestions. */
const MAX_TABLES = 2_000

export class Completions {
  readonly #options: CompletionsOptions

  constructor(options: CompletionsOptions) {
    this.#options = options
  }

  /** The best ones first. Tables that cannot be loaded have no suggestions. */
  async complete(
    session: Session, text: string, { catalog, schema }: Pick<Session, 'catalog' | 'schema'>, maxSuggestions: number,
  ): Promise<readonly Suggestion[]> {
    const { complete, tables, own } = this.#options
    const loaded = (await tables()).flatMap(one => one.state === 'loaded' ? [one.table] : []).slice(0, MAX_TABLES)
    const found = await complete({
      text, defaultCatalog: catalog, defaultSchema: schema, maxSuggestions,
      tables: loaded.map(({ name, columns }) => ({ name, columns })),
    })
    return [...ownNames(text, own.objects(session)), ...found].slice(0, maxSuggestions)
  }
}

/** Those that begin with the last word. */
function ownNames(text: string, names: ReadonlySet<string>): readonly Suggestion[] {
  const [word = ''] = /[\p{L}\p{N}_]+$/u.exec(text) ?? []
  if (word === '') return []
  return [...names].filter(name => name.startsWith(word.toLowerCase())).sort().map(name => ({
    text: name, start: text.length - word.length, kind: 'table', score: 0, next: null,
  }))
}
