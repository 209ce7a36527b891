/**
 * docs/operating.md is true: every command of its blocks is run, as it stands but for the folders of a host. What
 * stands for a host is a folder, a network without any other machine, and, for systemd, a script that ends the process.
 */

import { spawnSync } from 'node:child_process'
import {
  chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { checkout } from './checkout.ts'
import { Skein } from './cluster/skein.ts'
import { Operator, until } from './cluster/watch.ts'

const page = readFileSync(new URL('docs/operating.md', checkout), 'utf8')
const [install = '', certificates = '', restart = '', backup = '', ...more] =
  [...page.matchAll(/^( *)```sh\n([^]*?)^ *```/gm)].map(([, indent = '', text = '']) =>
    text.split('\n').map(line => line.slice(indent.length)).join('\n'))
/** A launcher as the installed one, for the commands that need no installation. */
const launcher = `#!/bin/sh\nexec ${process.execPath} ${fileURLToPath(new URL('dist/cli/main.js', checkout))} "$@"\n`
/** Stands for curl, which a machine may not have. */
const ask = 'fetch(process.argv[1]).then(({ status }) => process.stdout.write(String(status)))'
const curl = `#!/bin/sh\nexec ${process.execPath} -e '${ask}' "$1"\n`
const WITHIN_MS = 180_000

function host(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'skein-host-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  for (const name of ['opt', 'bin']) mkdirSync(join(folder, name))
  return folder
}

function program(folder: string, name: string, text: string): void {
  writeFileSync(join(folder, 'bin', name), text)
  chmodSync(join(folder, 'bin', name), 0o755)
}

/** Runs `script` in `folder`, whose programs come first; fails with its first command that fails. */
function run(folder: string, script: string, wrapper: readonly string[] = []): string {
  const [command = '', ...words] = [...wrapper, 'sh', '-e', '-c', script]
  const PATH = `${join(folder, 'bin')}:${process.env['PATH']}`
  const { status, stdout, stderr, error } = spawnSync(command, words, {
    cwd: folder, encoding: 'utf8', timeout: WITHIN_MS, env: { ...process.env, PATH },
  })
  if (error !== undefined || status !== 0) throw new Error(`${script}\n${stdout}${stderr}${error?.message ?? ''}`)
  return stdout
}

const isolated = spawnSync('unshare', ['-n', 'ip', 'link', 'set', 'lo', 'up']).status === 0
  ? ['unshare', '-n'] : null

t.test('the page has no block that is not run here', async t => t.strictSame(more, []))

const skip = isolated === null && 'no namespaces here'

t.test('one file installs it where there is no network', { skip }, async t => {
  const folder = host(t)
  const made = spawnSync(process.execPath, ['.ci/make-tarball.mjs', folder], { cwd: checkout, encoding: 'utf8' })
  t.equal(made.status, 0, made.stderr)
  const script = install.replaceAll('/usr/local/bin', join(folder, 'bin'))
    .replaceAll(/(?<= )\/opt/g, join(folder, 'opt'))
  t.match(run(folder, `ip link set lo up\n${script}`, isolated ?? []), /^42\n──\n42\n/)
  const installed = readdirSync(join(folder, 'opt/skein/node_modules'))
  t.notOk(installed.some(name => ['typescript', 'tap', 'eslint'].includes(name)), 'nothing that only builds and tests')
})

t.test('the certificates of three hosts', async t => {
  const folder = host(t)
  program(folder, 'skein', launcher)
  run(folder, certificates)
  const files = readdirSync(join(folder, 'skein-certs'))
  for (const name of ['ca.pem', 'ca.key', 'host1.pem', 'host1.key', 'host3.pem', 'ann.pem', 'secret.key']) {
    t.ok(files.includes(name), name)
  }
})

t.test('an executor is drained, restarted, and takes work again', async t => {
  const folder = host(t)
  const skein = await Skein.start({ folder: join(folder, 'own'), executors: 2, config: {} })
  const operator = new Operator(skein.doors)
  t.teardown(async () => {
    operator.close()
    await skein.stop()
  })
  const [first] = await operator.executors()
  program(folder, 'skein', launcher.replace('"$@"', `"$@" --url ${skein.doors.admin}`))
  program(folder, 'systemctl', `#!/bin/sh\n[ "$1 $2" = "restart skein-executor" ] && kill -TERM ${first?.pid}\n`)
  const printed = run(folder, restart.replace(/\bID\b/, first?.id ?? ''))
  t.match(printed, new RegExp(`${first?.id} is drained`))
  await until('it is back', 60_000, async () => {
    const now = (await operator.executors()).find(({ id }) => id === first?.id)
    return now?.state === 'active' && now.pid !== first?.pid
  })
  const [look = ''] = /^5\. \*\*Look\*\*: .*$/m.exec(page) ?? []
  const [executors = '', top = '', ready = ''] = [...look.matchAll(/`([^`]+)`/g)].map(([, command = '']) => command)
  t.match(run(folder, executors), new RegExp(`${first?.id} .* active `))
  t.match(run(folder, top), new RegExp(first?.id.slice(0, 8) ?? ''))
  program(folder, 'curl', curl)
  t.equal(run(folder, ready.replace('http://10.0.0.1:4280', skein.doors.http ?? '')), '200')
})

t.test('the store is backed up, and restored with the users that it had', async t => {
  const folder = host(t)
  const skein = await Skein.start({ folder: join(folder, 'own'), executors: 1, config: {} })
  t.teardown(() => skein.stop())
  program(folder, 'skein', launcher.replace('"$@"', `"$@" --url ${skein.doors.admin}`))
  const [save = '', restore = ''] = backup.trim().split('\n')
  run(folder, 'echo "correct horse" | skein admin user add ann')
  t.match(run(folder, save), /^the store is in skein-store\.backup, \d+ bytes\n$/)
  t.equal(statSync(join(folder, 'skein-store.backup')).mode & 0o777, 0o600)
  t.throws(() => run(folder, save), { message: /EEXIST/ }, 'nothing is written over')
  run(folder, 'skein admin user remove ann; echo "correct horse" | skein admin user add bob')
  t.throws(() => run(folder, restore.replace(' --replace', '')), { message: /INVALID_REQUEST: the store is not empty/ })
  t.match(run(folder, restore), /^1 keys of revision \d+ are restored, 1 others removed\n$/)
  const users = run(folder, 'skein admin user list')
  t.match(users, /ann/)
  t.notMatch(users, /bob/)
  t.strictSame(readdirSync(folder).filter(name => name.includes('unfinished')), [])
})
