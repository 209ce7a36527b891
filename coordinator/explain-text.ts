/**
 * An explanation for people: the answer on top, below it the stages that it is made of, as a tree. At the right edge of
 * an operator stands how many rows it is thought to give. The SQL of the stages comes last, each on a line that can be
 * copied.
 *
 *   Stage 1 → result   1 task
 *   │ TopN 10 by revenue DESC                                          ~10
 *   │   Read stage 0 by gather                                        ~4.8k
 *   │
 *   └─ gather: one task combines the parts of groups: about 4.8k rows
 *      Stage 0   3 tasks
 *      …
 */

import type {
  ActualQuery, ActualStage, ActualTask, ExplainedScan, ExplainedStage, ExplainedTask, Explanation, OperatorLine,
} from './explanation.ts'
import { bytes, count, estimate, milliseconds } from './explain-numbers.ts'

/** Where estimates stand; longer lines push them out. */
const ESTIMATES_AT = 96
/** Of an executor's stable id, a UUID; enough to tell them apart. */
const SHORT_ID = 8
const MAX_FILES = 4
/** An estimate that is off by so much is pointed out: it may have chosen a bad plan. */
const OFF_BY = 10
/** A few rows more or less than guessed choose nothing. */
const OFF_BY_ROWS = 1000
const BAR_CELLS = 24

export function explanationText(explanation: Explanation): string {
  const { stages } = explanation
  const last = stages.at(-1)
  const tree = last === undefined ? [] : new Tree(explanation).lines(last, '')
  const sql = stages.toReversed().map(stage => `SQL of stage ${stage.stage}:\n${stage.sql}\n`)
  return `${[...head(explanation), '', ...tree].join('\n')}\n\n${sql.join('\n')}`
}

function head(explanation: Explanation): string[] {
  const { whole_reason: reason, stages, executors, plan_ms, actual, dialect, statement } = explanation
  const tasks = stages.reduce((sum, stage) => sum + stage.tasks, 0)
  const what = reason !== null ? `Whole on one executor: ${reason}`
    : `Distributed: ${count(stages.length, 'stage')}, ${count(tasks, 'task')}, ${count(executors, 'executor')}`
  const read = actual !== null ? `Reads ${bytes(explanation.bytes)}`
    : `Reads ${bytes(explanation.bytes)}: ${bytes(explanation.bytes_cached)} at hand, ` +
      `${bytes(explanation.bytes_to_fetch)} to fetch at most`
  const translated = dialect === null ? [] : [`Translated from ${dialect}: ${statement}`]
  const planned = `${read} · planned in ${milliseconds(plan_ms)}`
  return [...translated, what, planned, ...(actual === null ? [] : actualLines(actual))]
}

function actualLines(actual: ActualQuery): string[] {
  const memory = actual.peak_memory_bytes === 0 ? '' : ` · memory ${bytes(actual.peak_memory_bytes)} at most`
  const spill = actual.spilled ? ' · spilled to disk' : ''
  const retries = actual.retries === 0 ? '' : ` · ${count(actual.retries, 'attempt')} made again`
  return [
    `Ran ${milliseconds(actual.elapsed_ms)}, ${milliseconds(actual.cpu_ms)} of CPU on ` +
      `${count(actual.executors, 'executor')} · ${count(actual.rows, 'row')}, ${bytes(actual.result_bytes)}${retries}`,
    `${bytes(actual.bytes_fetched)} fetched, ${bytes(actual.bytes_cached)} from cache, ` +
      `${bytes(actual.exchange_bytes)} through exchanges${memory}${spill}`,
  ]
}

class Tree {
  readonly #stages: ReadonlyMap<number, ExplainedStage>
  readonly #actual: ActualQuery | null
  readonly #shown = new Set<number>()

  constructor({ stages, actual }: Explanation) {
    this.#stages = new Map(stages.map(stage => [stage.stage, stage]))
    this.#actual = actual
  }

  /** A stage and below it those that it reads; one that was shown already is only named. */
  lines(stage: ExplainedStage, indent: string): string[] {
    this.#shown.add(stage.stage)
    const inputs = stage.inputs.flatMap(input => {
      const from = this.#stages.get(input.stage)
      return from === undefined ? [] : [{ ...input, from }]
    })
    const bar = inputs.length > 0 ? '│' : ' '
    const body = [
      ...(stage.actual === null ? [] : this.#actualLines(stage, stage.actual)),
      ...stage.operators.map(operatorLine), ...stage.scans.map(scanLine),
      ...(stage.actual === null ? placementLines(stage.placement) : []),
    ]
    const lines = [`${indent}${title(stage)}`, ...body.map(line => `${indent}${bar} ${line}`.trimEnd())]
    inputs.forEach(({ exchange, reason, from }, i) => {
      const isLast = i === inputs.length - 1
      const below = `${indent}${isLast ? ' ' : '│'}  `
      const known = this.#shown.has(from.stage)
      lines.push(`${indent}│`)
      lines.push(`${indent}${isLast ? '└' : '├'}─ ${exchange}${reason && `: ${reason}`}`)
      lines.push(...(known ? [`${below}Stage ${from.stage}, as above`] : this.lines(from, below)))
    })
    return lines
  }

  #actualLines(stage: ExplainedStage, actual: ActualStage): string[] {
    const total = Math.max(1, this.#actual?.elapsed_ms ?? 1)
    const from = Math.min(BAR_CELLS - 1, Math.floor(actual.from_ms / total * BAR_CELLS))
    const to = Math.min(BAR_CELLS, Math.max(from + 1, Math.ceil(actual.to_ms / total * BAR_CELLS)))
    const bar = `▕${' '.repeat(from)}${'█'.repeat(to - from)}${' '.repeat(BAR_CELLS - to)}▏`
    const [first, second] = [
      // of a sample the estimate is of the rows that it is drawn from
      stage.output === 'sample' ? `${count(actual.rows, 'key')} drawn`
        : `${count(actual.rows, 'row')}, ${bytes(actual.bytes)}${missed(stage.estimated_rows, actual.rows)}`,
      [`${bar} ${milliseconds(actual.from_ms)} to ${milliseconds(actual.to_ms)}`,
        `${milliseconds(actual.cpu_ms)} of CPU`, ...moved(actual)].join(' · '),
    ]
    return [first, second, ...executorLines(actual)]
  }
}

function title({ stage, output, tasks, inputs }: ExplainedStage): string {
  const isInOrder = inputs.some(({ exchange }) => exchange === 'range')
  const turns = isInOrder ? ', whose rows follow each other' : ', whose rows come in turns'
  return `Stage ${stage} → ${output} · ${count(tasks, 'task')}${output === 'result' && tasks > 1 ? turns : ''}`
}

function operatorLine({ depth, text, estimated_rows: rows }: OperatorLine): string {
  return `${`${'  '.repeat(depth)}${text}`.padEnd(ESTIMATES_AT)} ${estimate(rows).padStart(6)}`
}

function scanLine(scan: ExplainedScan): string {
  const files = `${scan.files_kept} of ${count(scan.files, 'file')}`
  const groups = scan.row_groups === 0 ? '' : `, ${scan.row_groups_kept} of ${count(scan.row_groups, 'row group')}`
  const { bytes_to_fetch: toFetch, bytes_cached: atHand } = scan
  const from = toFetch === 0 ? ' at hand' : `: ${bytes(atHand)} at hand, ${bytes(toFetch)} to fetch at most`
  const all = scan.reads === 'all' ? ', read by every task' : ''
  const steps = scan.steps === 1 ? '' : `, in ${scan.steps} steps at most`
  return `▪ ${scan.table}: ${files}${groups} · ${bytes(scan.bytes)}${from}${all}${steps}`
}

/** A line an executor. */
function placementLines(tasks: readonly ExplainedTask[]): string[] {
  const executors = [...new Set(tasks.map(({ executor }) => executor))].sort()
  return executors.map(executor => {
    const own = tasks.filter(task => task.executor === executor)
    const fileCount = own.reduce((sum, task) => sum + task.file_count, 0)
    const names = own.flatMap(({ files }) => files).slice(0, MAX_FILES)
    const more = fileCount > names.length ? ` and ${fileCount - names.length} more` : ''
    const read = bytes(own.reduce((sum, task) => sum + task.bytes, 0))
    return `▸ ${shortId(executor)}: ${count(own.length, 'task')}, ${read} · ${names.join(' ')}${more}`
  })
}

/** A line an executor. */
function executorLines({ tasks }: ActualStage): string[] {
  const executors = [...new Set(tasks.map(({ executor }) => executor))].sort()
  const width = Math.max(...executors.map(executor => shortId(executor).length))
  return executors.map(executor => {
    const own = tasks.filter(task => task.executor === executor)
    const sum = (of: (task: ActualTask) => number): number => own.reduce((total, task) => total + of(task), 0)
    const ended = ['failed', 'cancelled'].map(as => [own.filter(({ state }) => state === as).length, as] as const)
    const uncounted = ended.map(([tasks, as]) => tasks === 0 ? '' : `, ${tasks} ${as}`).join('')
    const slowest = Math.max(...own.map(task => task.run_ms))
    const name = shortId(executor).padEnd(width)
    return `▸ ${name}  ${count(own.length, 'task')}, ${count(sum(task => task.rows), 'row')}, ` +
      `${milliseconds(sum(task => task.run_ms))} (longest ${milliseconds(slowest)}), ` +
      `${milliseconds(sum(task => task.cpu_ms))} of CPU${uncounted}`
  })
}

function moved(actual: ActualStage): string[] {
  return [
    ...(actual.bytes_fetched + actual.bytes_cached === 0 ? []
      : [`${bytes(actual.bytes_fetched)} fetched, ${bytes(actual.bytes_cached)} from cache`]),
    ...(actual.exchange_bytes === 0 ? [] : [`${bytes(actual.exchange_bytes)} of exchanges`]),
    ...(actual.peak_memory_bytes === 0 ? [] : [`memory ${bytes(actual.peak_memory_bytes)}`]),
    ...(actual.spilled ? ['spilled'] : []),
    ...(actual.retries === 0 ? [] : [`${count(actual.retries, 'attempt')} made again`]),
  ]
}

function missed(estimated: number, rows: number): string {
  const [more, fewer] = [rows / Math.max(1, estimated), estimated / Math.max(1, rows)]
  const thought = ` · ${estimate(estimated)} estimated`
  if (Math.abs(rows - estimated) < OFF_BY_ROWS || Math.max(more, fewer) < OFF_BY) return thought
  return `${thought}, ${more > fewer ? `${Math.round(more)} times too few` : `${Math.round(fewer)} times too many`}`
}

function shortId(executor: string | null): string {
  return executor === null ? 'any executor' : executor.slice(0, SHORT_ID)
}
