/** The configuration of a command: the file that was named, or ./skein.yaml if there is one, or none at all. */

import { access, readFile } from 'node:fs/promises'
import { loadConfig, parseConfig, type Config } from '../proto/config.ts'
import { thisMachine } from '../proto/machine.ts'

const DEFAULT_FILE = 'skein.yaml'

export async function openConfig(
  named: string | undefined, env: NodeJS.ProcessEnv, machine = thisMachine(),
): Promise<Config> {
  if (named === undefined && !await exists(DEFAULT_FILE)) {
    return parseConfig('', { name: DEFAULT_FILE, folder: process.cwd(), env, machine })
  }
  return loadConfig(named ?? DEFAULT_FILE, env, path => readFile(path, 'utf8'), machine)
}

function exists(path: string): Promise<boolean> {
  return access(path).then(() => true, () => false)
}

/** The same, but nothing is shared with another cluster on this box: a folder of its own, and any free ports. */
export function privateConfig(config: Config, folder: string): Config {
  const free = '127.0.0.1:0'
  return { ...config, dataDir: folder, listen: { http: free, flight: free, admin: free, node: null, results: null } }
}
