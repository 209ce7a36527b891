/**
 * What a script can see of the style: calls that have one door, sizes, names, leftovers. The reasons are in
 * CONTRIBUTING.md.
 */

import { report, sources, type Source } from './sources.ts'

const MAX_LINES = 400
const MAX_COLUMNS = 120

interface Ban {
  readonly what: string
  readonly found: RegExp
  /** Files in which it may stand. */
  readonly except: RegExp
}

const entries = /^proto\/clock\.ts$|(^|\/)main\.ts$/
const around = /^(bench|\.ci)\//

const bans: readonly Ban[] = [
  { what: 'Date.now: take a Clock', found: /\bDate\.now\(|\bnew Date\(\)/, except: or(entries, around) },
  // tap's own t.setTimeout says how long a test may take
  {
    what: 'timer: take a Clock', found: /(?<!\bt\.)\bset(Timeout|Interval)\(|timers\/promises/,
    except: or(entries, around),
  },
  { what: 'performance.now: take a Clock', found: /\bperformance\.now\(/, except: or(entries, around, /^test\//) },
  { what: 'Math.random: take a source of chance', found: /\bMath\.random\(/, except: entries },
  {
    what: 'random id: take it as a parameter', found: /\brandom(UUID|Bytes)\(/,
    except: or(entries, around, /^test\//),
  },
  { what: 'console: write to a stream or a log', found: /\bconsole\.\w+\(/, except: /(^|\/)main\.ts$/ },
  { what: 'any', found: /\bas any\b|: any\b|<any>/, except: /^$/ },
  { what: 're-export', found: /^export (\*|\{[^}]*\}) from /, except: /^$/ },
  { what: 'path of a machine', found: /['"`\s(](\/work|\/root|\/home\/\w+|\/tmp)\//, except: /\.md$|^\.ci\// },
]

const leftover = /\b(TODO|FIXME|XXX)\b(?!\(#\d+\))/
const vagueName = /(^|\/)(index|utils?|common|helpers?|manager|misc)\.ts$/
const kebab = /^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.bench)?\.ts$/

function or(...patterns: readonly RegExp[]): RegExp {
  return new RegExp(patterns.map(pattern => pattern.source).join('|'))
}

function faultsOf(source: Source): string[] {
  const { path, text } = source
  const code = /\.(ts|mjs)$/.test(path)
  const lines = text.split('\n')
  const faults: string[] = []
  if (code && lines.length - 1 > MAX_LINES) faults.push(`${path}: ${lines.length - 1} lines, at most ${MAX_LINES}`)
  // the names of its tests say what a test file is
  if (code && !path.endsWith('.test.ts') && !/^(#!.*\n)?\/\*\*/.test(text)) {
    faults.push(`${path}: no opening comment that says what it is`)
  }
  if (path.endsWith('.ts') && (vagueName.test(path) || !kebab.test(path.split('/').at(-1) ?? ''))) {
    faults.push(`${path}: the name is no kebab-case noun`)
  }
  if (text !== '' && !text.endsWith('\n')) faults.push(`${path}: no newline at the end`)
  const inLines = lines.flatMap((line, i) => lineFaults(path, line, code).map(what => `${path}:${i + 1}: ${what}`))
  return [...faults, ...inLines]
}

function lineFaults(path: string, line: string, code: boolean): string[] {
  const faults: string[] = []
  if (line.length > MAX_COLUMNS && !path.endsWith('.md')) faults.push(`${line.length} columns, at most ${MAX_COLUMNS}`)
  if (leftover.test(line) && path !== '.ci/tidy.ts') faults.push('TODO, FIXME or XXX without an issue: write TODO(#7)')
  if (/\s$/.test(line) && code) faults.push('space at the end of the line')
  const comment = /^\s*(\*|\/\/|\/\*)/.test(line)
  if (path === '.ci/tidy.ts' || !code || comment) return faults
  return [...faults, ...bans.filter(ban => ban.found.test(line) && !ban.except.test(path)).map(ban => ban.what)]
}

report('tidy', sources().flatMap(faultsOf))
