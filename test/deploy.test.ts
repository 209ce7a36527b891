/** What lies in deploy/ fits what the product does. */

import { spawnSync } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import t from 'tap'
import { Metrics } from '../coordinator/metrics.ts'
import { parseConfig } from '../proto/config.ts'
import { checkout } from './checkout.ts'

const read = (path: string): Promise<string> => readFile(new URL(path, checkout), 'utf8')
const machine = { threads: 8, memoryBytes: 64e9, freeDiskBytes: () => 1e12 }
const known = new Set([...new Metrics().text({
  running: 0, waiting: 0, executors: [], residentBytes: 0, cpuSeconds: 0, uptimeSeconds: 0, lostRecords: 0,
  lostSpans: 0,
}).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name))
const unknown = (expressions: readonly string[]): string[] => expressions
  .flatMap(text => text.match(/\b(skein|process)_[a-z_]+/g) ?? [])
  .filter(name => !known.has(name.replace(/_bucket$/, '')))

t.test('the dashboard asks for metrics that there are', async t => {
  const dashboard = JSON.parse(await read('deploy/grafana/skein.json')) as {
    panels: { targets: { expr: string }[] }[]
  }
  const asked = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
  t.strictSame(unknown(asked), [])
  t.ok(asked.length > 10)
})

t.test('every alarm is about a metric that there is, and has its page', async t => {
  const { groups } = parse(await read('deploy/prometheus/alerts.yaml')) as {
    groups: { rules: { alert: string; expr: string }[] }[]
  }
  const rules = groups.flatMap(group => group.rules)
  t.strictSame(unknown(rules.map(({ expr }) => expr)), [])
  const page = await read('docs/operating.md')
  t.strictSame(rules.map(({ alert }) => alert), [...page.matchAll(/^### (Skein\w+)$/gm)].map(([, name]) => name))
})

t.test('the configuration of the walk-through is one', async t => {
  const page = await read('docs/operating.md')
  const [, indented = ''] = /```yaml\n([^]*?)```/.exec(page) ?? []
  const config = parseConfig(indented.replace(/^ {3}/gm, ''), {
    name: 'skein.yaml', folder: '/etc/skein', env: { KEY: 'a', SECRET: 'b' }, machine,
  })
  t.match(config, { defaultCatalog: 'lake', node: { advertise: '10.0.0.1:4290', drainMs: 120_000 } })
})

const systemd = spawnSync('systemd-analyze', ['--version']).error === undefined ? false : 'systemd-analyze is not here'

t.test('systemd takes the units', { skip: systemd }, async t => {
  const folder = fileURLToPath(new URL('deploy/systemd', checkout))
  const units = (await readdir(folder)).map(name => `${folder}/${name}`)
  const { stdout, stderr } = spawnSync('systemd-analyze', ['verify', ...units], { encoding: 'utf8' })
  const faults = `${stdout}${stderr}`.split('\n')
    .filter(line => line.includes('skein') && !line.includes('is not executable')) // it is not installed here
  t.strictSame(faults, [])
})
