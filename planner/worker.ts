/**
 * Entry of a planner thread: answers one question at a time with a planning database of its own. A database that has
 * met a fault inside DuckDB is not used again.
 */

import { MessageChannel, parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { CompletionDatabase } from './completion.ts'
import { describeFiles } from './describe-files.ts'
import {
  errorData, errorFrom, type Answer, type ErrorData, type ProcessOptions, type PruneOutcome, type Question,
} from './messages.ts'
import { hideColumns } from './hide-columns.ts'
import { namesIn, planQuery } from './plan-query.ts'
import type { PrunableScan, PruneScans } from './planned-query.ts'
import { PlanningDatabase } from './planning-database.ts'
import { prepareQuery } from './prepare-query.ts'
import { statementsIn } from './statement-list.ts'
import { unreachable } from '../proto/errors.ts'

/** Errors do not cross a thread with their code. */
export type Outcome = { readonly answer: Answer } | { readonly error: ErrorData }

export interface Task {
  readonly id: number
  readonly question: Question
}

/** To the process: prune for the question `id`, and say by `port` what came of it. */
export interface Pruning {
  readonly id: number
  readonly scans: readonly PrunableScan[]
  readonly port: MessagePort
}

const options = workerData as ProcessOptions
let database: PlanningDatabase | null = null
const completion = new CompletionDatabase()

export default async function answer({ id, question }: Task): Promise<Outcome> {
  try {
    return { answer: await answerQuestion(question, scans => prune(id, scans)) }
  } catch (thrown) {
    const error = errorData(thrown)
    if (error.code === 'INTERNAL') discard()
    return { error }
  } finally {
    if (database?.isFaulty === true) discard()
  }
}

async function answerQuestion(question: Question, prune: PruneScans): Promise<Answer> {
  if (question.kind === 'describe') return describeFiles(question.files)
  if (question.kind === 'complete') return completion.complete(question.request)
  // with its parser, which few ever need
  if (question.kind === 'translate') {
    const { translate } = await import('./dialect/translate.ts')
    return translate(question.dialect, question.sql)
  }
  const own = database ??= await PlanningDatabase.open(options.skeletonDirectory)
  switch (question.kind) {
    case 'hiding': return hideColumns(question.request, sql => own.trees(sql))
    case 'names': return namesIn(own, question.sql)
    case 'statements': return statementsIn(own, question.sql)
    case 'plan': return planQuery(own, question.request, prune)
    case 'prepare': return prepareQuery(own, question.request)
    default: return unreachable(question)
  }
}

function discard(): void {
  completion.close()
  database?.close()
  database = null
}

/** A channel of its own, because few ask. */
function prune(id: number, scans: readonly PrunableScan[]): ReturnType<PruneScans> {
  const { port1, port2 } = new MessageChannel()
  return new Promise<PruneOutcome>(resolve => {
    port1.once('message', resolve)
    const pruning: Pruning = { id, scans, port: port2 }
    parentPort?.postMessage(pruning, [port2])
  }).then(outcome => {
    port1.close()
    if ('error' in outcome) throw errorFrom(outcome.error)
    return outcome.estimates
  })
}
