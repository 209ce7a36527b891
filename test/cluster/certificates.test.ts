/** `skein cert`: what it makes is what TLS takes, and it never writes over anything. */

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { NODE_NAME, readTls } from '../../proto/tls.ts'
import { Certificates, pem, runCert } from '../certificates.ts'

const folder = mkdtempSync(join(tmpdir(), 'skein-certs-'))
t.teardown(() => rmSync(folder, { recursive: true }))
const MADE = Date.parse('2026-01-01')
const certificates = new Certificates(join(folder, 'a'), MADE)
const NOW = Date.parse('2027-01-01')

t.test('a node is known by its name, its hosts and its unit, and is vouched for', async t => {
  const hosts = '10.0.0.5, fd00::1:2,node-1.example,::ffff:1.2.3.4'
  runCert(certificates.folder, ['node', 'n1'], { hosts, nowMs: MADE })
  const file = (name: string): string => join(certificates.folder, name)
  const ca = new X509Certificate(readFileSync(file('ca.pem')))
  const node = new X509Certificate(readFileSync(file('n1.pem')))
  t.ok(ca.ca && ca.verify(ca.publicKey))
  t.ok(node.checkIssued(ca) && node.verify(ca.publicKey) && !node.ca)
  t.ok(node.checkPrivateKey(createPrivateKey(readFileSync(file('n1.key')))))
  t.match(node.subject, /OU=node\nCN=n1/)
  t.strictSame([NODE_NAME, 'localhost', 'node-1.example'].filter(name => node.checkHost(name) === undefined), [])
  const addresses = ['127.0.0.1', '::1', '10.0.0.5', 'fd00::1:2', '::ffff:1.2.3.4']
  t.strictSame(addresses.filter(address => node.checkIP(address) === undefined), [])
  t.equal(node.checkHost('other.example'), undefined)
  t.equal(statSync(file('n1.key')).mode & 0o777, 0o600)
  t.equal(statSync(file('ca.key')).mode & 0o777, 0o600)
})

t.test('a user of the doors of clients is one by name', async t => {
  t.match(new X509Certificate(pem(certificates.make('client', 'bob')).cert).subject, /OU=client\nCN=bob/)
})

t.test('an operator has no host, and its use is that of a client', async t => {
  const tls = pem(certificates.make('operator', 'ann'))
  const ann = new X509Certificate(tls.cert)
  t.match(ann.subject, /OU=operator\nCN=ann/)
  t.equal(ann.subjectAltName, undefined)
  t.strictSame(ann.keyUsage, ['1.3.6.1.5.5.7.3.2'])
})

t.test('serial numbers are positive and of one length, lengths of all sizes are right', async t => {
  const wrong: string[] = []
  for (let i = 0; i < 100; i++) {
    const names = Array.from({ length: i }, (_, j) => `host-${j}.example`).join()
    runCert(certificates.folder, ['node', `many-${i}`], { hosts: names, nowMs: MADE })
    const one = new X509Certificate(readFileSync(join(certificates.folder, `many-${i}.pem`)))
    if (!/^[4-7][0-9A-F]{31}$/.test(one.serialNumber)) wrong.push(`${i}: serial ${one.serialNumber}`)
    if (i > 0 && one.checkHost(`host-${i - 1}.example`) === undefined) wrong.push(`${i}: names`)
  }
  t.strictSame(wrong, [])
})

t.test('years after 2049 are told in full', async t => {
  runCert(certificates.folder, ['node', 'late'], { days: '36500', nowMs: MADE })
  const late = new X509Certificate(readFileSync(join(certificates.folder, 'late.pem')))
  t.match(late.validTo, /2125 GMT$/)
})

t.test('what is wrong is named, and nothing is written over', async t => {
  type More = { readonly hosts?: string; readonly days?: string }
  const refuse = (words: readonly string[], message: RegExp, more: More = {}): void => {
    const run = (): string => runCert(certificates.folder, words, { ...more, nowMs: MADE })
    t.throws(run, { name: 'QueryError', message }, words.join(' '))
  }
  refuse(['ca'], /ca\.key is there already/)
  refuse(['node', 'n1'], /n1\.key is there already/)
  refuse(['node'], /^use: skein cert/)
  refuse(['ca', 'x'], /^use: skein cert/)
  refuse([], /^use: skein cert/)
  refuse(['node', '../x'], /'..\/x' is no name/)
  refuse(['node', 'ca'], /'ca' is no name/)
  refuse(['node', 'n2'], /not '10.0.0.5:80'/, { hosts: 'a,10.0.0.5:80' })
  refuse(['node', 'n2'], /--days takes .* not '0'/, { days: '0' })
  const without = (): string => runCert(join(folder, 'none'), ['node', 'n1'], { nowMs: MADE })
  t.throws(without, { message: /ca\.pem cannot be read: make it with/ })
  const other = new Certificates(join(folder, 'b'))
  writeFileSync(join(other.folder, 'ca.key'), readFileSync(join(certificates.folder, 'ca.key')))
  t.throws(() => other.run('node', 'n1'), { message: /the CA cannot be used: the key is of another/ })
})

t.test('a node says which of its files is wrong', async t => {
  const good = certificates.make('node', 'n9')
  const other = certificates.make('node', 'n8')
  const text = join(folder, 'text')
  writeFileSync(text, 'no certificate')
  runCert(certificates.folder, ['node', 'old'], { days: '10', nowMs: MADE })
  const old = { ...good, cert: join(certificates.folder, 'old.pem'), key: join(certificates.folder, 'old.key') }
  t.strictSame(readTls('tls', good, NOW), pem(good))
  const wrong: [Partial<typeof good>, RegExp][] = [
    [{ cert: join(folder, 'none') }, /^tls\.cert: ENOENT/], [{ ca: text }, /^tls\.ca: .*text is not PEM/],
    [{ key: text }, /^tls\.key: .*text is not PEM/], [{ key: other.key }, /^tls\.key: .*n8\.key is not the key of/],
    [old, /^tls\.cert: .*old\.pem has expired: it was valid to Jan 11 00:00:00 2026 GMT/],
  ]
  for (const [change, message] of wrong) {
    t.throws(() => readTls('tls', { ...good, ...change }, NOW), { name: 'QueryError', code: 'INVALID_CONFIG', message })
  }
  const early = (): unknown => readTls('tls', good, Date.parse('2020-01-01'))
  t.throws(early, { message: /is not valid before Dec 31 23:00:00 2025/ })
})

t.test('the secret is new each time, and of its owner alone', async t => {
  certificates.run('secret')
  const path = join(certificates.folder, 'secret.key')
  t.match(readFileSync(path, 'utf8'), /^[0-9a-f]{64}\n$/)
  t.equal(statSync(path).mode & 0o777, 0o600)
})
