/** The queries that the demo shows: each one a way in which rows move. */

export interface DemoQuery {
  readonly title: string
  readonly sql: string
}

export const demoQueries: readonly DemoQuery[] = [
  {
    title: 'Every executor adds up its own files; one adds up the parts',
    sql: `
SELECT l_returnflag, l_linestatus, count(*) AS lines, sum(l_quantity) AS quantity, round(avg(l_discount), 4) AS discount
FROM lineitem
GROUP BY ALL
ORDER BY ALL`,
  },
  {
    title: 'A small table is sent to all, a large one stays where it is',
    sql: `
SELECT n_name AS nation, count(*) AS orders, sum(o_totalprice) AS value
FROM orders JOIN customer ON o_custkey = c_custkey JOIN nation ON c_nationkey = n_nationkey
WHERE o_orderdate >= DATE '1998-01-01'
GROUP BY ALL
ORDER BY value DESC
LIMIT 5`,
  },
  {
    title: 'A window over every customer: rows of one customer meet in one task',
    sql: `
SELECT o_custkey AS customer, o_orderdate AS day, o_totalprice AS price,
       sum(o_totalprice) OVER (PARTITION BY o_custkey ORDER BY o_orderdate, o_orderkey) AS spent
FROM orders
QUALIFY row_number() OVER (PARTITION BY o_custkey ORDER BY o_totalprice DESC, o_orderkey) = 1
ORDER BY spent DESC, customer
LIMIT 5`,
  },
  {
    title: 'Large orders: partial sums, exchanged by order, joined with their lines',
    sql: `
SELECT c_name AS customer, o_orderkey AS "order", o_orderdate AS day, sum(l_quantity) AS quantity
FROM customer JOIN orders ON c_custkey = o_custkey JOIN lineitem ON o_orderkey = l_orderkey
WHERE o_orderkey IN (SELECT l_orderkey FROM lineitem GROUP BY l_orderkey HAVING sum(l_quantity) > 280)
GROUP BY ALL
ORDER BY quantity DESC, "order"
LIMIT 5`,
  },
]
