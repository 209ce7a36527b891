/**
 * Patterns of keys inside a bucket: `*` and `?` within one folder, `[a-z]` and `[!a-z]`, `**` for any number of
 * folders, `{a,b}` for either, `\` before a sign that stands for itself. As in DuckDB, `*` takes names that start with
 * a dot too, and case counts.
 */

import { QueryError } from '../proto/errors.ts'

export interface Glob {
  /** The folder (`a/b/`, or nothing) that every match is in. */
  readonly folder: string
  /** The one key that it means, if it has no sign that means another; else null. */
  readonly only: string | null
  /** Of a key: whether it matches. Of a folder, ending in `/`: whether a match may be inside. */
  wants(path: string): boolean
}

/** What braces may expand to. */
const MAX_ALTERNATIVES = 1024

/** INVALID_CONFIG if the pattern leaves the bucket or is empty. */
export function parseGlob(pattern: string): Glob {
  const alternatives = expandBraces(pattern)
  if (alternatives.length > MAX_ALTERNATIVES) {
    throw new QueryError('INVALID_CONFIG', `'${pattern}' stands for more than ${MAX_ALTERNATIVES} patterns`)
  }
  const paths = alternatives.map(alternative => alternative.split('/'))
  if (paths.some(path => path.some(segment => segment === '' || segment === '.' || segment === '..'))) {
    throw new QueryError('INVALID_CONFIG', `'${pattern}' is not a path inside a bucket`)
  }
  const matchers = paths.map(path => path.map(segment => segment === '**' ? anyFolders : segmentMatcher(segment)))
  return {
    folder: commonFolder(paths),
    only: alternatives.length === 1 && !/[*?[\\{]/.test(pattern) ? pattern : null,
    wants(path) {
      const isFolder = path.endsWith('/')
      const names = (isFolder ? path.slice(0, -1) : path).split('/')
      return matchers.some(segments => isFolder ? leadsTo(segments, names) : matches(segments, names))
    },
  }
}

const anyFolders = Symbol('**')
type Segment = ((name: string) => boolean) | typeof anyFolders

/** `**` takes no folder, or one and stays. */
function matches(segments: readonly Segment[], names: readonly string[], i = 0, j = 0): boolean {
  const segment = segments[i]
  const name = names[j]
  if (segment === undefined) return name === undefined
  if (segment !== anyFolders) return name !== undefined && segment(name) && matches(segments, names, i + 1, j + 1)
  if (i === segments.length - 1) return name !== undefined // a last ** takes every file below
  return matches(segments, names, i + 1, j) || (name !== undefined && matches(segments, names, i, j + 1))
}

/** Whether the folders `names` are the start of some match. */
function leadsTo(segments: readonly Segment[], names: readonly string[]): boolean {
  for (const [i, name] of names.entries()) {
    const segment = segments[i]
    if (segment === anyFolders) return true
    if (segment === undefined || !segment(name)) return false
  }
  return segments.length > names.length
}

/** The folders without signs that all alternatives start with. */
function commonFolder(paths: readonly (readonly string[])[]): string {
  const [first = []] = paths
  const shared = first.slice(0, -1).findIndex((segment, i) =>
    /[*?[\\]/.test(segment) || paths.some(path => path[i] !== segment || path.length === i + 1))
  const folders = shared === -1 ? first.slice(0, -1) : first.slice(0, shared)
  return folders.map(folder => `${folder}/`).join('')
}

function segmentMatcher(segment: string): (name: string) => boolean {
  if (!/[*?[\\]/.test(segment)) return name => name === segment
  let source = ''
  for (let i = 0; i < segment.length; i++) {
    const sign = segment[i] ?? ''
    const set = sign === '[' ? characterSet(segment, i) : undefined
    if (set !== undefined) {
      source += set.source
      i = set.last
    } else if (sign === '*') source += '.*'
    else if (sign === '?') source += '.'
    else if (sign === '\\' && i + 1 < segment.length) source += literal(segment[++i] ?? '')
    else source += literal(sign)
  }
  const expression = new RegExp(`^${source}$`, 'us')
  return name => expression.test(name)
}

/** `[…]` from position `from`; undefined if it is not closed, and then stands for itself. */
function characterSet(segment: string, from: number): { source: string; last: number } | undefined {
  const negated = segment[from + 1] === '!' || segment[from + 1] === '^'
  const start = from + (negated ? 2 : 1)
  const last = segment.indexOf(']', start + 1)
  if (last === -1) return undefined
  const inside = segment.slice(start, last).replaceAll(/[\\\]^[]/g, '\\$&')
  const descending = [...inside.matchAll(/(.)-(.)/gsu)].some(([, low = '', high = '']) => low > high)
  return descending ? undefined : { source: `[${negated ? '^' : ''}${inside}]`, last }
}

function literal(sign: string): string {
  return sign.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}

/** One pattern for each choice of braces, which nest; a brace without its partner, or with one choice, stays. */
function expandBraces(pattern: string): string[] {
  const found = firstBraces(pattern)
  if (found === undefined) return [pattern]
  const { from, to, choices } = found
  const results: string[] = []
  for (const choice of choices) {
    results.push(...expandBraces(pattern.slice(0, from) + choice + pattern.slice(to)))
    if (results.length > MAX_ALTERNATIVES) break
  }
  return results
}

function firstBraces(pattern: string): { from: number; to: number; choices: string[] } | undefined {
  for (let from = 0; from < pattern.length; from++) {
    if (pattern[from] === '\\') from++
    else if (pattern[from] === '{') {
      const braces = bracesAt(pattern, from)
      if (braces !== undefined) return { from, ...braces }
    }
  }
  return undefined
}

function bracesAt(pattern: string, from: number): { to: number; choices: string[] } | undefined {
  const choices: string[] = []
  let depth = 0
  let start = from + 1
  for (let i = from; i < pattern.length; i++) {
    const sign = pattern[i]
    if (sign === '\\') i++
    else if (sign === '{') depth++
    else if (sign === ',' && depth === 1) {
      choices.push(pattern.slice(start, i))
      start = i + 1
    } else if (sign === '}' && --depth === 0) {
      choices.push(pattern.slice(start, i))
      return choices.length > 1 ? { to: i + 1, choices } : undefined
    }
  }
  return undefined
}
