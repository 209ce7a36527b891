/** The configuration file and the messages about it. */

import t from 'tap'
import { loadConfig, parseConfig } from '../../proto/config.ts'
import { DEFAULT_GROUP, groupOf } from '../../proto/resource-group.ts'
import type { Machine } from '../../proto/machine.ts'
import { parseSize } from '../../proto/sizes.ts'

const machine: Machine = { threads: 8, memoryBytes: 100e9, freeDiskBytes: () => 400e9 }
const source = { name: 'skein.yaml', folder: '/etc/skein', env: { WHERE: '/data', N: '3', EMPTY: '' }, machine }
const parse = (text: string) => parseConfig(text, source)
const problems = (text: string): string[] => {
  try {
    parse(text)
    return []
  } catch (error) {
    t.match(error, { name: 'QueryError', code: 'INVALID_CONFIG' })
    return error instanceof Error ? error.message.split('\n') : []
  }
}

const small = `
buckets: { lake: { provider: local, path: ./lake } }
catalogs: { tpch: { type: bucket_tables, bucket: lake, tables: { orders: "orders/*.parquet" } } }
`

const plain = { fileFormat: 'csv', unionByName: null, hivePartitioning: true, read: {} }

t.test('a whole file becomes a configuration', async t => {
  t.strictSame(parse(`
data_dir: ../data
buckets:
  lake: { provider: local, path: ./lake }
  other: { provider: local, path: "\${WHERE}/x\${N}\${EMPTY}" }
catalogs:
  tpch:
    type: bucket_tables
    bucket: lake
    file_format: csv
    assume_immutable: true
    listing_ttl: 25h
    tables:
      lineitem: "tpch/lineitem/*.csv"
      "Odd name":
        path: a
        file_format: csv
        union_by_name: false
        csv:
          { delimiter: ";", quote: "'", header: "true", null_text: [NA, ""], types: { "a b": "DECIMAL(9,2)" }, skip: 2 }
      docs: { path: "\${WHERE}*", file_format: json, json: { format: array, columns: { a: "VARCHAR[]" } } }
  more: { type: bucket_tables, bucket: other, tables: {} }
  work: { type: duckdb, bucket: lake, path: desk/work.duckdb, writers: [ann, "etl-*"], host: "\${WHERE}" }
default_catalog: more
admins: [ann]
node: { threads: "\${N}", memory: 16GB, spill: 1.5 GiB, cache: 512MB, result_cache: 0, labels: { site: a } }
result_hold_bytes: 4MiB
resource_groups:
  default: { max_running_per_user: 2 }
  bi: { weight: 4, users: [ann, "dash-*"], max_running: 9, statement_timeout: 5m, queue_timeout: 10s }
listen: { http: "0.0.0.0:0", flight: "[::1]:81" }
`), {
    dataDir: '/etc/data',
    buckets: { lake: { provider: 'local', path: '/etc/skein/lake' }, other: { provider: 'local', path: '/data/x3' } },
    catalogs: {
      tpch: {
        type: 'bucket_tables', bucket: 'lake', assumeImmutable: true, listingTtlMs: 90_000_000,
        tables: {
          lineitem: { ...plain, path: 'tpch/lineitem/*.csv' },
          'Odd name': { ...plain, path: 'a', unionByName: false, read: {
            delim: "';'", quote: "''''", header: 'true', skip: '2', nullstr: "['NA', '']",
            types: `{"a b": 'DECIMAL(9,2)'}`,
          } },
          docs: {
            ...plain, path: '/data*', fileFormat: 'json', read: { format: "'array'", columns: `{"a": 'VARCHAR[]'}` },
          },
        },
      },
      more: {
        type: 'bucket_tables', bucket: 'other', assumeImmutable: false, listingTtlMs: 1000,
        tables: {},
      },
    },
    databases: {
      work: {
        bucket: 'lake', path: 'desk/work.duckdb', file: '/etc/skein/lake/desk/work.duckdb', writers: ['ann', 'etl-*'],
        host: '/data',
      },
    },
    defaultCatalog: 'more',
    node: {
      threads: 3, memoryBytes: 16e9, spillBytes: 1.5 * 2 ** 30, cacheBytes: 512e6, resultCacheBytes: 0,
      drainMs: 3_000, labels: { site: 'a' },
      advertise: null,
    },
    resultHoldBytes: 4 * 2 ** 20,
    resourceGroups: [
      {
        ...DEFAULT_GROUP, name: 'bi', weight: 4, users: ['ann', 'dash-*'], maxRunning: 9, statementTimeoutMs: 300_000,
        queueTimeoutMs: 10_000,
      },
      { ...DEFAULT_GROUP, maxRunningPerUser: 2 },
    ],
    listen: { http: '0.0.0.0:0', flight: '[::1]:81', admin: '127.0.0.1:4283', node: null, results: null },
    store: null, storeGraceMs: 60_000, secretKeyFile: null, tls: null, clientTls: null, auth: 'users', admins: ['ann'],
    tracing: null,
  })
})

const orders = (definition: string): string => small.replace('"orders/*.parquet"', definition)

t.test('what is left out comes from the machine or has a default', async t => {
  const { dataDir, defaultCatalog, node, listen, resultHoldBytes } = parse(small)
  t.strictSame([dataDir, defaultCatalog, resultHoldBytes], ['/etc/skein/skein-data', 'tpch', 32 * 2 ** 20])
  t.strictSame(node, {
    threads: 8, memoryBytes: 60e9, spillBytes: 100e9, cacheBytes: 100e9, resultCacheBytes: 2 ** 29, labels: {},
    advertise: null, drainMs: 3_000,
  })
  t.strictSame(listen, {
    http: '127.0.0.1:4280', flight: '127.0.0.1:4281', admin: '127.0.0.1:4283', node: null, results: null,
  })
  t.match(parse(''), { buckets: {}, catalogs: {}, defaultCatalog: 'memory' })
})

t.test('each wrong key gives one line', async t => {
  const expected: [string, string[]][] = [
    [small.replace('bucket: lake', 'bucket: lak'), [`catalogs.tpch.bucket: no bucket named 'lak'`]],
    [small + 'nope: 1', ['nope: no such key']],
    [small + 'node: { threads: 0, memory: 2XB, labels: 3, cores: 1 }', [
      'node.threads: must be a whole number above 0', `node.memory: '2XB' is not a size such as 16GB or 512MB`,
      'node.labels: must be a mapping', 'node.cores: no such key',
    ]],
    [small + 'listen: { http: 80, flight: "h:99999" }', [
      'listen.http: must be host:port', `listen.flight: 'h:99999' is not host:port, with a port from 0 to 65535`,
    ]],
    [small + 'default_catalog: tpc', [`default_catalog: no catalog named 'tpc'`]],
    [small + 'data_dir: "${NOT_THERE}"', [`data_dir: no environment variable named 'NOT_THERE'`]],
    ['buckets: { a: { provider: local }, "b/c": { provider: local, path: x }, d: { path: x } }', [
      'buckets.a.path: is missing', 'buckets.b/c: a bucket name has letters, digits, _ . and - only',
      'buckets.d.provider: must be local, s3, r2, gcs or custom',
    ]],
    ['catalogs: { memory: {}, Skein: {}, a: { type: iceberg, bucket: b } }', [
      "catalogs.memory: this name is DuckDB's own", 'catalogs.Skein: this name is of the tables about the cluster',
      'catalogs.a.type: must be bucket_tables or duckdb',
    ]],
    ['catalogs: { a: { type: bucket_tables, bucket: b, file_format: orc, tables: [] } }', [
      'catalogs.a.file_format: must be parquet, csv or json', 'catalogs.a.tables: must be a mapping',
    ]],
    ['catalogs: { a: { type: duckdb, bucket: b, path: "../x", writers: ["a*b"], tables: {} } }', [
      'catalogs.a.writers.0: a * may stand at the end only', 'catalogs.a.tables: no such key',
    ]],
    [small.replace('catalogs: {', 'catalogs: { a: { type: duckdb, bucket: no, path: "../x" },'),
      ["catalogs.a.bucket: no bucket named 'no'",
        'catalogs.a.path: must name one file inside the bucket, such as work.duckdb',
        'default_catalog: is missing: one of a, tpch']],
    [small.replace('catalogs: {', 'catalogs: { a: { type: duckdb, bucket: gcs, path: x },')
      .replace('buckets: {', 'buckets: { gcs: { provider: gcs, bucket: y },').concat('default_catalog: a'),
      ["catalogs.a.bucket: 'gcs' is not local: DuckDB cannot write there"]],
    [small.replace('tables: {', 'tables: { Orders: x,'),
      [`catalogs.tpch.tables.orders: differs from 'Orders' by case only`]],
    [small.replace('catalogs: {', 'catalogs: { x: { type: bucket_tables, bucket: lake, tables: {} },'),
      ['default_catalog: is missing: one of x, tpch']],
    [orders('{ csv: { delimeter: "|" } }'), [
      'catalogs.tpch.tables.orders.path: is missing', 'catalogs.tpch.tables.orders.csv.delimeter: no such key',
    ]],
    [orders('{ path: "", file_format: csv, csv: { quote: "ab", skip: -1, header: 7 } }'), [
      'catalogs.tpch.tables.orders.path: must not be empty',
      'catalogs.tpch.tables.orders.csv.quote: must be one character',
      'catalogs.tpch.tables.orders.csv.header: must be true or false',
      'catalogs.tpch.tables.orders.csv.skip: must not be below 0',
    ]],
    [orders('{ path: a, file_format: json, json: { columns: { a: INTEGRE }, format: xml } }'), [
      'catalogs.tpch.tables.orders.json.format: must be newline_delimited, array or unstructured',
      `catalogs.tpch.tables.orders.json.columns.a: 'INTEGRE' is not a type such as BIGINT, DECIMAL(9,2) or VARCHAR[]`,
    ]],
    [orders('{ path: a, csv: { header: true }, json: {} }'), [
      'catalogs.tpch.tables.orders.csv: the files of the table are parquet',
      'catalogs.tpch.tables.orders.json: the files of the table are parquet',
    ]],
    [orders('{ path: a, file_format: csv, csv: { columns: { a: INT }, types: { a: INT } } }'), [
      'catalogs.tpch.tables.orders.csv.types: has no meaning beside columns, which has the type of every column',
    ]],
    [orders('7'), ['catalogs.tpch.tables.orders: must be a pattern of keys, or a mapping']],
    ['a: [1', ['line 1, column 6: Flow sequence in block collection must be sufficiently indented and end with a ]']],
    ['a: 1\na: 2', ['line 2, column 1: Map keys must be unique']],
    ['- 1', ['must be a mapping']],
  ]
  for (const [text, lines] of expected) t.strictSame(problems(text), lines.map(line => `skein.yaml: ${line}`), text)
})

t.test('what this version does not serve is refused with that reason', async t => {
  t.strictSame(problems(small + 'listen: { postgres: "a:1" }'), [
    'skein.yaml: listen.postgres: not served by this version',
  ])
})

t.test('a cluster on several hosts: store, certificates, addresses', async t => {
  t.match(parse(`${small}
store: { etcd: ["https://a:2379", "https://b:2379"], tls: { cert: c.pem, key: /k.pem, ca: ../ca.pem }, prefix: x/ }
store_grace: 5m
secret_key_file: secret.key
tls: { cert: n.pem, key: n.key, ca: ca.pem }
client_tls: { cert: d.pem, key: d.key, clients_ca: u.pem }
node: { advertise: "10.0.0.5:4290" }
listen: { node: "0.0.0.0:4290" }
`), {
    store: {
      hosts: ['https://a:2379', 'https://b:2379'], prefix: 'x/',
      tls: { cert: '/etc/skein/c.pem', key: '/k.pem', ca: '/etc/ca.pem' },
    },
    storeGraceMs: 300_000, secretKeyFile: '/etc/skein/secret.key',
    tls: { cert: '/etc/skein/n.pem', key: '/etc/skein/n.key', ca: '/etc/skein/ca.pem' },
    clientTls: { cert: '/etc/skein/d.pem', key: '/etc/skein/d.key', clientsCa: '/etc/skein/u.pem' },
    node: { advertise: '10.0.0.5:4290' }, listen: { node: '0.0.0.0:4290' },
  })
  t.strictSame(problems(small + 'store: { etcd: [x] }\ntls: { cert: x }\nnode: { advertise: a }').sort(), [
    'skein.yaml: node.advertise: \'a\' is not host:port, with a port from 0 to 65535',
    'skein.yaml: store.etcd.0: must be http://host:port or https://host:port',
    'skein.yaml: tls.ca: is missing', 'skein.yaml: tls.key: is missing',
  ])
})

t.test('a file is read with paths from its own folder', async t => {
  const read = async (path: string) => {
    if (path !== 'conf/skein.yaml') throw Object.assign(new Error('not there'), { code: 'ENOENT' })
    return small
  }
  const config = await loadConfig('conf/skein.yaml', {}, read, machine)
  t.match(config.buckets['lake'], { path: `${process.cwd()}/conf/lake` })
  const missing = { code: 'INVALID_CONFIG', message: 'no.yaml: no such file' }
  await t.rejects(loadConfig('no.yaml', {}, read, machine), missing)
})

t.test('sizes have units of 1000 and of 1024', async t => {
  const texts = ['16GB', '1.5 GiB', '7', '7b', '1 kb', '0.5KiB', '', 'GB', '-1GB', '1PB', '1e3', '9999999TB']
  t.strictSame(texts.map(parseSize),
    [16e9, 1.5 * 2 ** 30, 7, 7, 1000, 512, undefined, undefined, undefined, undefined, undefined, undefined])
})

t.test('a user belongs to the first group that names him, else to the default group', async t => {
  const { resourceGroups } = parse(`
resource_groups: { default: {}, bi: { users: [ann, "dash-*"] }, etl: { users: ["*"] }, last: { users: [bob] } }`)
  t.strictSame(['ann', 'anna', 'dash-7', 'bob'].map(user => groupOf(resourceGroups, user).name),
    ['bi', 'etl', 'bi', 'etl'])
  t.equal(groupOf(parse('').resourceGroups, 'ann').name, 'default')
})

t.test('what is wrong with a resource group is named', async t => {
  t.strictSame(problems(`
resource_groups:
  default: { users: [ann] }
  empty: { weight: 0 }
  odd: { users: ["a*b"], max_running: 1.5, statement_timeout: soon, more: 1 }`), [
    'skein.yaml: resource_groups.empty.weight: must be 1 or more',
    'skein.yaml: resource_groups.odd.users.0: a * may stand at the end only',
    'skein.yaml: resource_groups.odd.max_running: must be a whole number',
    "skein.yaml: resource_groups.odd.statement_timeout: 'soon' is not a time such as 500ms, 30s, 5m or 1h",
    'skein.yaml: resource_groups.odd.more: no such key',
  ])
  t.strictSame(problems('resource_groups: { default: { users: [a] }, x: {}, y: { users: [b, b] } }'), [
    'skein.yaml: resource_groups.default.users: all others belong to it',
    'skein.yaml: resource_groups.x.users: nobody belongs to it',
    "skein.yaml: resource_groups.y.users: 'b' belongs to y already",
  ])
})

t.test('clients have to log in where other hosts reach a door', async t => {
  t.equal(parse('').auth, 'none')
  t.equal(parse('auth: users').auth, 'users')
  t.equal(parse('listen: { flight: "10.0.0.5:4281" }').auth, 'users')
  t.throws(() => parse('auth: none\nlisten: { http: "0.0.0.0:80" }'), {
    code: 'INVALID_CONFIG', message: /auth: none: listen\.http is open to other hosts: it needs users$/,
  })
  t.throws(() => parse('auth: some'), { code: 'INVALID_CONFIG', message: /auth: must be none or users/ })
})
