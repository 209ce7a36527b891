/** README and docs are true: every command in them is run here, and one that is not known here fails. */

import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { parseConfig } from '../proto/config.ts'
import { DuckDBInstance } from './duckdb.ts'

const built = dirname(dirname(fileURLToPath(import.meta.url)))
const checkout = process.cwd()
const main = join(built, 'cli/main.js')
const runProgram = promisify(execFile)

interface Outcome { readonly stdout: string; readonly stderr: string }

/** Runs `node dist/cli/main.js …` of a document in `folder`, with its words as a shell splits them. */
function skein(folder: string, line: string): Promise<Outcome> {
  const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(match => match[1] ?? match[2] ?? '')
  const running = runProgram(process.execPath, [main, ...words.slice(2)], { cwd: folder })
  running.child.stdin?.end('\\d\n') // for the shell; the others do not read it
  return running
}

/** Whose blocks have a test of their own. */
const elsewhere: ReadonlySet<string> = new Set(['operating.md'])

/** Commands of all ```sh blocks, with the document they stand in. */
function documented(): { file: string; line: string }[] {
  const docs = readdirSync(join(checkout, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.md') && !elsewhere.has(name)).map(name => join('docs', name))
  const files = ['README.md', 'CONTRIBUTING.md', join('bench', 'results.md'), ...docs]
  return files.flatMap(file => blocks(readFileSync(join(checkout, file), 'utf8'), 'sh')
    .flatMap(block => block.split('\n')).map(line => line.replace(/\s+#.*$/, '').trim())
    .filter(line => line !== '' && !line.startsWith('#')).map(line => ({ file, line })))
}

function blocks(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(match => match[1] ?? '')
}

/** Run by CI itself on every change (see .ci/run), or by a developer's own hands; they cannot run inside a test. */
const runByCi = new Set([
  'npm ci', 'npm run build', 'npm run check', 'npm test', 'npm run test:interop', 'npm run soak', 'npm run generate',
  '.ci/run',
])

/** Lines that the tests below run, by how they begin. */
const runHere = [
  'node dist/cli/main.js start', 'node dist/cli/main.js query', 'node dist/cli/main.js explain',
  'node dist/cli/main.js admin', 'node dist/cli/main.js shell', 'node dist/cli/main.js cert', 'npm run demo',
]

t.test('every command in a document is run by a test or by CI', async t => {
  const commands = documented()
  t.ok(commands.length > 5)
  const known = (line: string): boolean => line.split(' && ').every(part =>
    runByCi.has(part) || runHere.some(start => part.startsWith(start))
    || /^npm (test|run soak|run bench) -- /.test(part)
    || /^(GOLDEN|SEEDS?|SKEIN_[A-Z_]+|BENCH)=\S+ npm (test|run)/.test(part))
  t.strictSame(commands.filter(({ line }) => !known(line)), [])
})

t.test('what running text calls a command is one', async t => {
  const { stdout: help } = await runProgram(process.execPath, [main, 'help'])
  const commands = new Set([...help.matchAll(/\bskein +([a-z]+)/g)].map(([, command]) => command))
  const [ofAdmin = ''] = /skein admin [^]*?--url/.exec(help) ?? []
  const docs = readdirSync(join(checkout, 'docs')).filter(name => name.endsWith('.md')).map(name => join('docs', name))
  const named = ['README.md', 'CONTRIBUTING.md', ...docs].flatMap(file =>
    [...readFileSync(join(checkout, file), 'utf8').matchAll(/`skein ([a-z]+)(?: ([a-z]+))?[^`]*`/g)]
      .map(([text, command = '', word]) => ({ file, text, command, word })))
  t.ok(named.length > 20)
  t.strictSame(named.filter(({ command, word }) => !commands.has(command)
    || (command === 'admin' && word !== undefined && !new RegExp(`\\b${word}\\b`).test(ofAdmin))), [])
})

t.test('the commands of the README work on its own configuration', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'skein-readme-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const readme = readFileSync(join(checkout, 'README.md'), 'utf8')
  const [config = ''] = blocks(readme, 'yaml')
  const free = ['http', 'flight', 'admin'].map(door => `${door}: "127.0.0.1:0"`).join(', ')
  writeFileSync(join(folder, 'skein.yaml'), `${config}listen: { ${free} }\n`)
  await sampleTables(join(folder, 'lake'))
  const commands = blocks(readme, 'sh').flatMap(block => block.split('\n'))
    .filter(line => line.startsWith('node dist/cli/main.js'))
  const start = commands.find(line => line.includes(' start ')) ?? ''
  const server = spawn(process.execPath, [main, ...start.split(' ').slice(2)], {
    cwd: folder, stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => { server.kill('SIGKILL') })
  const doors = await readDoors(server)
  for (const command of commands.filter(line => line !== start)) {
    const face = command.includes(' admin ') ? ` --url ${doors.get('admin')}` : ''
    const { stdout } = await skein(folder, command.replace('http://127.0.0.1:4280', doors.get('http') ?? '') + face)
    t.not(stdout, '', command)
  }
  server.kill('SIGTERM')
  t.equal(await new Promise(resolve => { server.once('exit', resolve) }), 0)
})

t.test('the demo runs, shows every executor at work, and survives the loss of one', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'skein-demo-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const { stdout } = await runProgram(process.execPath, [main, 'demo', '--scale', '0.01'], { cwd: folder })
  t.match(stdout, /executor \w{8} {2}█/)
  const answers = stdout.split('▸').slice(-2).map(part => /─[\s\S]*?\(\d+ rows?\)/.exec(part)?.[0])
  t.type(answers[0], 'string')
  t.equal(answers[1], answers[0])
  t.match(stdout.split('▸').at(-1), /executor \w{8} {2}█/, 'the query runs again for it')
  t.match(stdout, 'Next, on the same data')
})

t.test('the demo runs over an S3 server, and tells what came from it and what was at hand', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'skein-demo-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const { stdout } = await runProgram(process.execPath, [main, 'demo', '--s3', '--scale', '0.01'], { cwd: folder })
  t.match(stdout, /An S3 server with that data at http:\/\/127\.0\.0\.1:\d+/)
  t.match(stdout, /[1-9][\d.]* [kM]B fetched, 0 B in the caches/)
  t.match(stdout, /[1-9][\d.]* [kM]B in the caches[^]*All of that in/)
})

/** The two tables that the README's configuration names. */
async function sampleTables(lake: string): Promise<void> {
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  for (const name of ['orders', 'events/day=2026-01-01']) {
    mkdirSync(join(lake, name), { recursive: true })
    const path = join(lake, name, '1.parquet')
    await connection.run(`COPY (SELECT range AS id FROM range(10)) TO '${path}' (FORMAT parquet)`)
  }
  connection.closeSync()
}

async function readDoors(server: ChildProcess): Promise<Map<string, string>> {
  const doors = new Map<string, string>()
  if (server.stdout === null) throw new Error('standard output is a pipe')
  for await (const line of createInterface({ input: server.stdout })) {
    if (line === 'ready') return doors
    const [name = '', address = ''] = line.split(' ')
    doors.set(name, address)
  }
  throw new Error('the server ended before it was ready')
}

t.test('the certificates of docs/cluster.md can be made, and its configuration is one', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'skein-docs-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const text = readFileSync(join(checkout, 'docs', 'cluster.md'), 'utf8')
  const commands = documented().filter(({ file, line }) => file.endsWith('cluster.md') && line.includes('main.js cert'))
  for (const { line } of commands) await skein(folder, line)
  const made = ['ann.key', 'ann.pem', 'ca.key', 'ca.pem', 'host-1.key', 'host-1.pem', 'secret.key']
  t.strictSame(readdirSync(join(folder, 'skein-certs')).sort(), made)
  const machine = { threads: 2, memoryBytes: 1e9, freeDiskBytes: () => 1e9 }
  const [yaml = ''] = blocks(text, 'yaml')
  const { store, tls } = parseConfig(yaml, { name: 'skein.yaml', folder, env: {}, machine })
  t.match([store?.hosts.length, tls?.cert], [3, join(folder, 'certs', 'host-1.pem')])
})
