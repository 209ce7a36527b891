/**
 * Entry of a planner thread: answers one question at a time with a planning database of its own. A database that has
 * met a fault inside DuckDB is not used again.
 */

import { workerData, type MessagePort } from 'node:worker_threads'
import { CompletionDatabase } from './completion.ts'
import { describeFiles } from './describe-files.ts'
import {
  errorData, errorFrom, type Answer, type ErrorData, type ProcessOptions, type PruneOutcome, type Question,
} from './messages.ts'
import { hideColumns } from './hidden-columns.ts'
import { namesIn, planQuery } from './plan-query.ts'
import type { PruneScans } from './planned-query.ts'
import { PlanningDatabase } from './planning-database.ts'
import { prepareQuery } from './prepare-query.ts'
import { statementsIn } from './statement-list.ts'
import { unreachable } from '../proto/errors.ts'

/** Errors do not cross a thread with their code. */
export type Outcome = { readonly answer: Answer } | { readonly error: ErrorData }

export interface Task {
  readonly question: Question
  /** Asks the parent process to prune: one message out, one back. null: the question is not a plan's. */
  readonly prunePort: MessagePort | null
}

const options = workerData as ProcessOptions
let database: PlanningDatabase | null = null
const completion = new CompletionDatabase()

export default async function answer({ question, prunePort }: Task): Promise<Outcome> {
  try {
    return { answer: await answerQuestion(question, pruneBy(prunePort)) }
  } catch (thrown) {
    const error = errorData(thrown)
    if (error.code === 'INTERNAL') discard()
    return { error }
  } finally {
    if (database?.isFaulty === true) discard()
    prunePort?.close()
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

function pruneBy(port: MessagePort | null): PruneScans {
  return scans => new Promise((resolve, reject) => {
    if (port === null) return reject(new Error('only a plan prunes'))
    port.once('message', (outcome: PruneOutcome) => {
      if ('error' in outcome) reject(errorFrom(outcome.error))
      else resolve(outcome.estimates)
    })
    port.postMessage(scans)
  })
}
