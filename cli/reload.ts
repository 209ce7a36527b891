/**
 * The configuration file, read again by processes that run: one reload after another, each taken as a whole, or refused
 * as a whole with the reason.
 */

import type { Config } from '../proto/config.ts'
import { configChanges } from '../proto/config-change.ts'
import { asQueryError } from '../proto/errors.ts'

/** What tells a process that its file has changed. */
export interface Reloading {
  /** The file as it is now. */
  readonly read: () => Promise<Config>
  /** Calls back at every SIGHUP. */
  readonly onSignal: (reload: () => void) => void
  /** Told in one line of what a person at the terminal should know. */
  readonly onNotice: (line: string) => void
}

export class Reload {
  readonly #reloading: Reloading
  /** Takes it wholly, or rejects with nothing changed. */
  readonly #take: (config: Config) => Promise<void>
  #config: Config
  #turn: Promise<unknown> = Promise.resolve()

  constructor(config: Config, reloading: Reloading, take: (config: Config) => Promise<void>) {
    this.#config = config
    this.#reloading = reloading
    this.#take = take
    reloading.onSignal(() => { void this.#bySignal() })
  }

  /** The keys that have changed. Rejects, with nothing changed, if the file is wrong or asks for a restart. */
  run(): Promise<readonly string[]> {
    const run = this.#turn.then(async () => {
      const next = await this.#reloading.read()
      const changed = configChanges(this.#config, next)
      if (changed.length > 0) await this.#take(next)
      this.#config = next
      return changed
    })
    this.#turn = run.catch(() => undefined)
    return run
  }

  async #bySignal(): Promise<void> {
    const { onNotice } = this.#reloading
    try {
      const changed = await this.run()
      onNotice(changed.length === 0 ? 'the configuration is what it was' : `reloaded: ${changed.join(', ')}`)
    } catch (error) {
      const { code, message } = asQueryError(error)
      onNotice(`not reloaded: ${code}: ${message}`)
    }
  }
}
