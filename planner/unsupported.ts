/**
 * Thrown where the planner meets something it does not know. Not an error of the user: one place (plan-query.ts)
 * catches it, and the query runs whole on one executor with this as its reason.
 */
export class Unsupported extends Error {
  override readonly name = 'Unsupported'
}
