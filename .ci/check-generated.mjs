/** Fails if proto/gen is not what the .proto files give. Generates into a folder of its own and compares every file. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'

const fresh = 'build-generated'
const committed = 'proto/gen'

rmSync(fresh, { recursive: true, force: true })
const { status } = spawnSync(process.execPath, ['.ci/generate.mjs', fresh], { stdio: 'inherit' })
if (status === 0) compare()
else fail('generated code: could not be made')
rmSync(fresh, { recursive: true, force: true })

function compare() {
  const names = new Set([...files(fresh), ...files(committed)])
  const stale = [...names].filter(name => read(fresh, name) !== read(committed, name))
  if (stale.length > 0) fail(`generated code: not current, run npm run generate: ${stale.join(' ')}`)
  else process.stdout.write('generated code: ok\n')
}

function files(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => `${entry.parentPath ?? entry.path}/${entry.name}`.slice(folder.length + 1))
}

function read(folder, name) {
  try {
    return readFileSync(`${folder}/${name}`, 'utf8')
  } catch {
    return undefined
  }
}

function fail(message) {
  process.stdout.write(`${message}\n`)
  process.exitCode = 1
}
