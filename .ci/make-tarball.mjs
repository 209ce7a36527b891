#!/usr/bin/env node
/**
 * One file that installs Skein without a network: what is compiled, and of node_modules what runs it, of this platform.
 * `node .ci/make-tarball.mjs [FOLDER]` writes skein-VERSION-PLATFORM.tar.gz there, after `npm ci` and a build.
 */

import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const top = dirname(dirname(fileURLToPath(import.meta.url)))
const out = resolve(process.argv[2] ?? top)
const { version } = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8'))
const name = `skein-${version}-${process.platform}-${process.arch}`
const run = (command, words) => execFileSync(command, words, { cwd: top, encoding: 'utf8', maxBuffer: 1 << 26 })

/** Tests and benches are compiled too, and run nowhere else. */
const folders = ['proto', 'cluster', 'cache', 'catalog', 'planner', 'coordinator', 'executor', 'cli']
/** What the lock file has for production, as far as it is installed: native packages are those of this platform. */
const lock = JSON.parse(readFileSync(join(top, 'package-lock.json'), 'utf8'))
const wanted = Object.entries(lock.packages)
  .filter(([path, { dev, devOptional }]) => path !== '' && dev !== true && devOptional !== true)
  .map(([path]) => join(top, path)).filter(path => existsSync(path))
/** What packages have for those who read or compile against them: more than half of all bytes. */
const forReaders = /\.(map|d\.[cm]?ts)$|\/umd$/

const staging = mkdtempSync(join(tmpdir(), 'skein-tarball-'))
try {
  const root = join(staging, name)
  for (const folder of folders) cpSync(join(top, 'dist', folder), join(root, 'dist', folder), { recursive: true })
  for (const file of ['package.json', 'LICENSE', 'README.md', 'CHANGELOG.md']) cpSync(join(top, file), join(root, file))
  cpSync(join(top, 'deploy'), join(root, 'deploy'), { recursive: true })
  for (const path of wanted) {
    // packages inside a package are in the list themselves
    const isOwn = from => !relative(path, from).split('/').includes('node_modules')
    cpSync(path, join(root, relative(top, path)), {
      recursive: true, filter: from => from === path || (isOwn(from) && !forReaders.test(from)),
    })
  }
  mkdirSync(join(root, 'bin'))
  const launcher = '#!/bin/sh\nexec node "$(dirname "$(readlink -f "$0")")/../dist/cli/main.js" "$@"\n'
  writeFileSync(join(root, 'bin', 'skein'), launcher)
  chmodSync(join(root, 'bin', 'skein'), 0o755)
  mkdirSync(out, { recursive: true })
  const file = join(out, `${name}.tar.gz`)
  run('tar', ['-czf', file, '-C', staging, '--owner=0', '--group=0', name])
  process.stdout.write(`${file}\n`)
} finally {
  rmSync(staging, { recursive: true, force: true })
}
