/** How sides are compared, and how results are written down. */

import { spawn } from 'node:child_process'
import t from 'tap'
import { compare, geometricMean, measuredOf, median, quantile } from '../../bench/harness.ts'
import { commandOf, descendants, isAlive, ownCpuMs, residentBytes, treeCpuMs } from '../../bench/processes.ts'
import type { Clock } from '../../proto/clock.ts'

t.test('sides take turns, as often as a round needs, and ratios are to the first', async t => {
  let nowMs = 0
  const clock: Clock = { nowMs: () => nowMs, wallMs: () => nowMs, after: () => () => undefined }
  const order: string[] = []
  const side = (name: string, costMs: number) => ({
    name, cpuMs: () => nowMs * 2, run: async () => { order.push(name); nowMs += costMs },
  })
  const results = await compare([side('a', 100), side('b', 150)], { rounds: 2, maxRuns: 10 }, clock)
  t.equal(order.join(''), 'ab' + 'aaabbb'.repeat(2))
  t.strictSame(results, [
    { name: 'a', wallMs: 100, cpuMs: 200, wallRatio: 1, cpuRatio: 1 },
    { name: 'b', wallMs: 150, cpuMs: 300, wallRatio: 1.5, cpuRatio: 1.5 },
  ])
})

t.test('what a side has to put away first is not measured', async t => {
  let nowMs = 0
  const clock: Clock = { nowMs: () => nowMs, wallMs: () => nowMs, after: () => () => undefined }
  const [side] = await compare([{
    name: 'a', cpuMs: () => nowMs, prepare: () => { nowMs += 1000 }, run: async () => { nowMs += 300 },
  }], { rounds: 3, maxRuns: 5 }, clock)
  t.equal(side?.wallMs, 300)
  t.equal(side?.cpuMs, 300)
})

t.test('a ratio is the median of the rounds\' ratios, not the ratio of the medians', async t => {
  let nowMs = 0
  const clock: Clock = { nowMs: () => nowMs, wallMs: () => nowMs, after: () => () => undefined }
  const costs = { a: [300, 300, 900, 600], b: [300, 900, 900, 300] }
  const side = (name: 'a' | 'b') => ({
    name, cpuMs: () => nowMs, run: async () => { nowMs += costs[name].shift() ?? 0 },
  })
  const results = await compare([side('a'), side('b')], { rounds: 3, maxRuns: 1 }, clock)
  t.equal(measuredOf(results, 'b').cpuRatio, 1) // of 3, 1 and 0.5; the medians' ratio would be 1.5
  t.throws(() => measuredOf(results, 'c'), /no side c/)
})

t.test('medians, quantiles, means', async t => {
  t.equal(median([9, 1, 5]), 5)
  t.equal(quantile([1, 2, 3, 4], 0.95), 4)
  t.equal(geometricMean([1, 4, 16]).toFixed(6), '4.000000')
})

t.test('the CPU time of a tree counts children that run and children that ended', {
  skip: process.platform === 'linux' ? false : 'no /proc',
}, async t => {
  const burn = 'const end = process.cpuUsage().user + 2e5; while (process.cpuUsage().user < end);'
  const script = `require('child_process').execFileSync(process.execPath, ['-e', ${JSON.stringify(burn)}]);
    process.stdout.write('done'); process.stdin.resume()`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] })
  await new Promise(resolve => child.stdout.once('data', resolve))
  const pid = child.pid ?? 0
  t.ok(treeCpuMs(pid) >= 200, `${treeCpuMs(pid)} ms`)
  t.ok(ownCpuMs(pid) <= treeCpuMs(pid))
  t.ok(residentBytes(pid) > 10 * 1024 * 1024)
  t.strictSame(commandOf(pid), [process.execPath, '-e', script])
  t.ok(isAlive(pid))
  child.kill()
  await new Promise(resolve => child.once('exit', resolve))
  t.notOk(isAlive(pid))
  t.strictSame(descendants(pid), [])
  t.strictSame([commandOf(pid), residentBytes(pid), ownCpuMs(pid)], [[], 0, 0])
})
