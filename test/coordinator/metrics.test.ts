/** The text for Prometheus, and the settings that operators see. */

import t from 'tap'
import { Metrics } from '../../coordinator/metrics.ts'
import { settingsOf } from '../../coordinator/settings.ts'
import { parseConfig } from '../../proto/config.ts'
import { executorInfo } from '../../proto/cluster-values.ts'

const ended = {
  state: 'finished', code: '', elapsedMs: 30, planMs: 4, bytesFetched: 7, bytesCached: 3, exchangeBytes: 0,
} as const
const gauges = {
  running: 2, waiting: 1, executors: [], residentBytes: 1e8, cpuSeconds: 1.5, uptimeSeconds: 60,
  lostRecords: 3, lostSpans: 5,
}
const samples = (text: string): Record<string, number> => Object.fromEntries(text.trim().split('\n')
  .filter(line => !line.startsWith('#')).map(line => {
    const at = line.lastIndexOf(' ')
    return [line.slice(0, at), Number(line.slice(at + 1))]
  }))

t.test('what has ended is counted, with cumulative buckets', async t => {
  const metrics = new Metrics()
  metrics.ended(ended)
  metrics.ended({ ...ended, elapsedMs: 700 })
  metrics.ended({ ...ended, state: 'failed', code: 'EXECUTOR_LOST', elapsedMs: 1e8, planMs: 0 })
  metrics.refused()
  const info = executorInfo({ id: 'e1', slots: 4, memoryBytes: 10n })
  const found = samples(metrics.text({ ...gauges, executors: [{ info, state: 'active' }, { info, state: 'lost' }] }))
  t.match(found, {
    'skein_queries_ended_total{state="finished",code=""}': 2,
    'skein_queries_ended_total{state="failed",code="EXECUTOR_LOST"}': 1,
    'skein_query_seconds_bucket{le="0.025"}': 0, 'skein_query_seconds_bucket{le="0.05"}': 1,
    'skein_query_seconds_bucket{le="1800"}': 2, 'skein_query_seconds_bucket{le="+Inf"}': 3,
    'skein_query_seconds_count': 3, 'skein_planning_seconds_count': 2, 'skein_bytes_fetched_total': 21,
    'skein_queries_refused_total': 1, 'skein_queries_running': 2, 'skein_queries_waiting': 1,
    'skein_executors{state="active"}': 1, 'skein_executors{state="lost"}': 1, 'skein_slots': 4,
    'skein_memory_bytes': 10, 'skein_query_log_lost_total': 3, 'skein_spans_lost_total': 5,
  })
})

t.test('the text is as the exposition format wants it', async t => {
  const text = new Metrics().text(gauges)
  const odd = text.split('\n').filter(line =>
    !/^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{([a-z]+="[^"]*",?)+\})? -?[0-9.e+-]+|)$/.test(line))
  t.strictSame(odd, [])
  t.ok(text.endsWith('\n'))
})

t.test('settings are flat, and what is secret is masked', async t => {
  const config = parseConfig(`
buckets: { prod: { provider: s3, bucket: acme, region: eu-west-1, access_key_id: AKIA1, secret_access_key: hush } }
resource_groups: { bi: { weight: 3, users: [ann] } }`, {
    name: 'x', folder: '/etc/skein', env: {},
    machine: { threads: 8, memoryBytes: 1e9, freeDiskBytes: () => 1e9 },
  })
  const settings = Object.fromEntries(settingsOf(config).map(({ name, value }) => [name, value]))
  t.match(settings, {
    data_dir: '/etc/skein/skein-data', 'node.threads': '8', 'resource_groups.bi.weight': '3',
    'resource_groups.bi.users': 'ann', 'buckets.prod.credentials': '***', 'buckets.prod.region': 'eu-west-1',
  })
  t.notMatch(JSON.stringify(settings), /hush|AKIA1/)
})
