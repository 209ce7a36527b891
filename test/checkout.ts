/** The top of the checkout, for tests that read files which are not compiled: the nearest with a package.json. */

import { existsSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

export const checkout: URL = above(new URL('./', import.meta.url))

function above(folder: URL): URL {
  if (existsSync(new URL('package.json', folder))) return folder
  const parent = new URL('../', folder)
  return parent.href === folder.href ? pathToFileURL(`${process.cwd()}/`) : above(parent)
}
