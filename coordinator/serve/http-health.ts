/**
 * GET /livez, /readyz and /metrics: for those who watch over processes. /livez answers as long as the process turns;
 * /readyz says whether a query that is sent here now could run.
 */

import type { Route } from './http.ts'

export interface HealthPorts {
  /** Why no query could run now; null: one could. */
  readonly notReady: () => string | null
  /** In Prometheus' format. */
  readonly metrics: () => string
}

export function healthRoutes({ notReady, metrics }: HealthPorts): Route[] {
  return [
    { method: 'GET', path: '/livez', handle: async exchange => exchange.json(200, { ok: true }) },
    {
      method: 'GET', path: '/readyz',
      handle: async exchange => {
        const why = notReady()
        exchange.json(why === null ? 200 : 503, why === null ? { ok: true } : { ok: false, reason: why })
      },
    },
    { method: 'GET', path: '/metrics', handle: async exchange => exchange.text(200, metrics()) },
  ]
}
