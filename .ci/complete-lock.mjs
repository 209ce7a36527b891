/**
 * Adds to package-lock.json the optional packages of other platforms that a registry mirror did not list. Without them
 * `npm ci` stops with "Missing: … from lock file". Run it after `npm install`. An added entry has no checksum, so a
 * lock made against a complete registry, where this adds nothing, is better.
 */
import { readFileSync, writeFileSync } from 'node:fs'

const systems = ['darwin', 'win32', 'linux', 'freebsd', 'android', 'openharmony', 'netbsd', 'openbsd', 'sunos', 'aix']
const processors = ['x64', 'arm64', 'arm', 'ia32', 'ppc64', 'riscv64', 's390x', 'loong64', 'mips64el']

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'))
const missing = Object.entries(lock.packages).flatMap(([place, { dev, optionalDependencies = {} }]) =>
  place === '' ? [] : Object.entries(optionalDependencies)
    .filter(([name]) => ![`node_modules/${name}`, `${place}/node_modules/${name}`].some(path => path in lock.packages))
    .map(([name, version]) => [`node_modules/${name}`, entry(name, version, dev)]))

lock.packages = Object.fromEntries([...Object.entries(lock.packages), ...missing]
  .sort(([a], [b]) => a < b ? -1 : 1))
writeFileSync('package-lock.json', `${JSON.stringify(lock, null, 2)}\n`)
process.stdout.write(`${missing.length} optional packages added to package-lock.json\n`)

function entry(name, version, dev) {
  const words = name.split(/[-/]/)
  const os = systems.find(system => words.includes(system))
  const cpu = processors.find(processor => words.includes(processor))
  if (os === undefined || cpu === undefined) throw new Error(`${name}: its name tells no platform`)
  return {
    version: version.replace(/^[\^~]/, ''), cpu: [cpu], ...(dev ? { dev } : {}), optional: true, os: [os],
    ...(words.includes('musl') ? { libc: ['musl'] } : {}),
  }
}
