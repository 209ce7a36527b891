/** What lies in deploy/ fits what the product does. */

import { readFile } from 'node:fs/promises'
import t from 'tap'
import { Metrics } from '../coordinator/metrics.ts'
import { checkout } from './checkout.ts'

t.test('the dashboard asks for metrics that there are', async t => {
  const text = await readFile(new URL('deploy/grafana/skein.json', checkout), 'utf8')
  const dashboard = JSON.parse(text) as { panels: { title: string; targets: { expr: string }[] }[] }
  const known = new Metrics().text({
    running: 0, waiting: 0, executors: [], residentBytes: 0, cpuSeconds: 0, uptimeSeconds: 0,
  })
  const names = new Set([...known.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name))
  const asked = dashboard.panels.flatMap(({ targets }) => targets)
    .flatMap(({ expr }) => expr.match(/\b(skein|process)_[a-z_]+/g) ?? [])
  t.strictSame(asked.filter(name => !names.has(name.replace(/_bucket$/, ''))), [])
  t.ok(asked.length > 10)
})
