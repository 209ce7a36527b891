/**
 * The coordinator between executor and client: its CPU time for a gigabyte against a raw TCP proxy's, the memory that a
 * client costs who does not read, and whether such a client slows another.
 */

import { open, rm } from 'node:fs/promises'
import type { ClientHttp2Stream } from 'node:http2'
import { join } from 'node:path'
import { delay, systemClock } from '../../proto/clock.ts'
import type { Skein } from '../../test/cluster/skein.ts'
import type { Family, FamilyOptions, FamilyResult } from '../family.ts'
import { compare, measuredOf, median, type Measured } from '../harness.ts'
import { ownCpuMs, residentBytes, treeCpuMs } from '../processes.ts'
import { plain, ratio, whole } from '../report.ts'
import { generatedData } from '../tpch/data.ts'
import { withCluster } from '../tpch/cluster.ts'
import { cancel, drain, FlightClient, stall } from './flight-client.ts'
import { RelayPart } from './relay-parts.ts'
import { addressOf, processOf } from './server-processes.ts'

const PROXY = 'TCP proxy'
const COORDINATOR = 'coordinator'
const MIB = 1024 * 1024
/** Eight BIGINT columns. */
const ROW_BYTES = 64
/**
 * Clients that stall first, and after them: many, because what waits for V8's next full collection is up to 64 MiB of
 * buffers more or less, whoever has had them.
 */
const STALLED = { first: 8, more: 24 }
const SMOKE_STALLED = { first: 2, more: 2 }
/** More than is held back, for each. */
const STALLED_BYTES = 64 * MIB
/** What counts as not slowed: times on a shared machine scatter by so much. */
const NOT_SLOWER = 1.2
/** A limit that is not reached: room for the reservations of all their queries, which end with their clients. */
const STALLS_MEMORY_GB = 16
/** Until nothing moves any more: memory, and CPU time in each such step. */
const SETTLED_MS = 400
const SETTLED_BYTES = MIB
const SETTLED_CPU_MS = 30
const SETTLE_WITHIN_MS = 20_000

interface Stalls {
  readonly clients: typeof STALLED
  /** Of one stalled client. */
  readonly heldBytes: number
  readonly aloneMs: number
  readonly besideMs: number
}

export const family: Family = { name: 'relay', run }

async function run(options: FamilyOptions): Promise<FamilyResult> {
  const data = await generatedData(0.01, options.folder) // some catalog: results come from range()
  const byteCount = options.smoke ? 64 * MIB : 1024 * MIB
  const cluster = { data, executors: 1, memoryEachGb: STALLS_MEMORY_GB }
  const stalls = await withCluster(cluster, skein => stallClients(skein, options, data.folder))
  options.print(`${plain(stalls.heldBytes / MIB)} MiB held for a stalled client`)
  return withCluster({ data, executors: 1 }, async skein => {
    const sender = await RelayPart.sender()
    const proxy = await RelayPart.proxy(sender.port)
    const client = await FlightClient.connect(addressOf(skein, 'flight'))
    const proxied = await FlightClient.connect(`127.0.0.1:${proxy.port}`)
    try {
      await client.logIn()
      const counts = { [PROXY]: 0, [COORDINATOR]: 0 }
      const coordinator = processOf(skein, 'coordinator')
      const sides = await compare([
        {
          name: PROXY, cpuMs: () => ownCpuMs(proxy.pid),
          run: async () => { counts[PROXY] = await drain(proxied.get(Buffer.from(String(byteCount / MIB)))) },
        },
        {
          name: COORDINATOR, cpuMs: () => ownCpuMs(coordinator),
          run: async () => { counts[COORDINATOR] = await client.query(numbers(byteCount)) },
        },
      ], { rounds: options.rounds, maxRuns: 1 }, systemClock)
      return resultOf(sides, counts, byteCount, stalls)
    } finally {
      client.close()
      proxied.close()
      proxy.stop()
      sender.stop()
    }
  })
}

/** A result of at least so many bytes, cheap to make. */
function numbers(byteCount: number): string {
  const columns = Array.from({ length: 8 }, (_, k) => `range + ${k} AS c${k}`)
  return `SELECT ${columns.join(', ')} FROM range(${Math.ceil(byteCount / ROW_BYTES)})`
}

/**
 * On a fresh coordinator, whose memory has no room yet that was used and given back. The first stalled clients grow its
 * heap and its code; what more of them add is theirs.
 */
async function stallClients(skein: Skein, { smoke, rounds }: FamilyOptions, folder: string): Promise<Stalls> {
  const readBytes = smoke ? 32 * MIB : 256 * MIB
  const [stalledSql, readSql] = [numbers(STALLED_BYTES), numbers(readBytes)]
  const counts = smoke ? SMOKE_STALLED : STALLED
  const coordinator = processOf(skein, 'coordinator')
  const address = addressOf(skein, 'flight')
  const connections = Array.from({ length: 1 + counts.first + counts.more }, () => FlightClient.connect(address))
  const [reader, ...clients] = await Promise.all(connections)
  const stalled: ClientHttp2Stream[] = []
  const stallAll = async (some: readonly FlightClient[]): Promise<number> => {
    for (const client of some) {
      const stream = client.get(await client.ticket(stalledSql))
      stalled.push(stream)
      await stall(stream)
    }
    return settledBytes(skein, coordinator)
  }
  const timed = async (): Promise<number> => {
    await touchMemory(folder, 2 * readBytes)
    const startMs = systemClock.nowMs()
    await reader?.query(readSql)
    return systemClock.nowMs() - startMs
  }
  try {
    for (const client of clients) await client.logIn()
    await reader?.logIn()
    let heldBytes = NaN
    const times: { readonly aloneMs: number; readonly besideMs: number }[] = []
    for (let round = 0; round < rounds; round++) {
      const some = await stallAll(clients.slice(0, counts.first))
      const more = await stallAll(clients.slice(counts.first))
      if (round === 0) heldBytes = (more - some) / counts.more
      const besideMs = await timed()
      for (const stream of stalled.splice(0)) cancel(stream)
      times.push({ besideMs, aloneMs: await timed() })
    }
    return {
      clients: counts, heldBytes, aloneMs: median(times.map(({ aloneMs }) => aloneMs)),
      besideMs: median(times.map(({ besideMs }) => besideMs)),
    }
  } finally {
    for (const client of clients) client.close()
    reader?.close()
  }
}

/**
 * A file of so many bytes, written and removed: the machine has memory at hand then for the files of a result. Alone,
 * the result would have what the stalled clients' files have just given back; beside them, a virtual machine that gets
 * its memory from its host page by page would be timed (seen: 0.55 s of system time to write 256 MiB, then 0.04 s).
 */
async function touchMemory(folder: string, byteCount: number): Promise<void> {
  const path = join(folder, 'touched')
  const piece = Buffer.alloc(MIB)
  const file = await open(path, 'w')
  try {
    for (let at = 0; at < byteCount; at += MIB) await file.write(piece)
  } finally {
    await file.close()
    await rm(path)
  }
}

/** Resident memory, once it and the work of all servers stand still. */
async function settledBytes(skein: Skein, pid: number): Promise<number> {
  const deadlineMs = systemClock.nowMs() + SETTLE_WITHIN_MS
  for (let [bytes, cpuMs] = [residentBytes(pid), treeCpuMs(skein.pid)]; ;) {
    await delay(systemClock, SETTLED_MS)
    const [nextBytes, nextCpuMs] = [residentBytes(pid), treeCpuMs(skein.pid)]
    const isStill = Math.abs(nextBytes - bytes) < SETTLED_BYTES && nextCpuMs - cpuMs < SETTLED_CPU_MS
    if (isStill || systemClock.nowMs() > deadlineMs) return nextBytes;
    [bytes, cpuMs] = [nextBytes, nextCpuMs]
  }
}

function resultOf(
  sides: readonly Measured[], counts: Readonly<Record<typeof PROXY | typeof COORDINATOR, number>>, byteCount: number,
  { clients, heldBytes, aloneMs, besideMs }: Stalls,
): FamilyResult {
  const perGb = (name: keyof typeof counts): number => measuredOf(sides, name).cpuMs / 1000 / (counts[name] / 1e9)
  const names = [PROXY, COORDINATOR] as const
  const short = names.filter(name => counts[name] < byteCount)
  return {
    method: [
      `${plain(byteCount / MIB)} MiB of numbers in messages of about 1 MiB to one client over HTTP/2,`,
      'undecoded. The proxy, a process that pipes sockets, passes what a sender has prebuilt; the coordinator',
      'passes what an executor makes. CPU is that process\' alone; medians of rounds that take turns. Stalled',
      'clients ask for more than is held and read nothing after the first piece: on a fresh coordinator',
      `${clients.first} of them, then ${clients.more} more, and what its resident memory grows by with these, for one;`,
      'and how long another client\'s result takes beside all of them and alone, each time after a file twice as',
      'large was written and removed: in either case the kernel has memory at hand for what its spool puts on disk.',
    ].join(' '),
    tables: [{
      title: '', heads: ['', 'CPU s/GB', 'over the proxy', 'MB/s'],
      rows: names.map(name => [
        name, ratio(perGb(name)), ratio(perGb(name) / perGb(PROXY)),
        whole(counts[name] / 1e6 / (measuredOf(sides, name).wallMs / 1000)),
      ]),
    }, {
      title: '', heads: ['', ''], rows: [
        ['MiB held for a stalled client', ratio(heldBytes / MIB)],
        ['a result alone, ms', whole(aloneMs)],
        [`beside ${clients.first + clients.more} stalled clients, ms`, whole(besideMs)],
      ],
    }],
    figures: [
      { what: 'CPU for a gigabyte over the proxy', value: perGb(COORDINATOR) / perGb(PROXY), limit: 1.5, unit: '' },
      { what: 'held for a stalled client', value: heldBytes / MIB, limit: 4, unit: ' MiB' },
      { what: 'a result beside stalled clients over alone', value: besideMs / aloneMs, limit: NOT_SLOWER, unit: '' },
    ].map(figure => ({ ...figure, bound: 'at most' as const })),
    chart: {
      title: 'CPU seconds for a gigabyte', unit: ' s', series: ['CPU'],
      groups: names.map(name => ({ name, values: [perGb(name)] })),
      mark: { value: 1.5 * perGb(PROXY), name: 'wanted of the coordinator' },
    },
    checks: names.length,
    faults: short.map(name => `${name}: ${counts[name]} bytes came instead of ${byteCount}`),
  }
}
