-- Every aggregate of DuckDB, by group over several files, and over values that make parts hard to combine.


-- count, count_if, countif, count_star
SELECT team, count(*) AS a, count(age) AS b, count_if(age > 30) AS c, countif(active) AS d, count() AS e FROM people
  GROUP BY team;

-- sum and avg of every number
SELECT sum(tiny) AS a, sum(small) AS b, sum(big) AS c, sum(utiny) AS d, sum(usmall) AS e, sum(uint) AS f,
  sum(ubig) AS g,
  sum(f4) AS h, sum(dec4) AS i, sum(dec9) AS j, sum(dec18) AS k, sum(dec38) AS l, sum(yes) AS m FROM kinds;

-- avg of every number
SELECT avg(tiny) AS a, avg(big) AS c, avg(ubig) AS g, avg(f4) AS h, avg(dec4) AS i, avg(dec9) AS j, avg(dec18) AS k,
  avg(dec38) AS l, avg(id) AS n FROM kinds;

-- avg of dates and times
SELECT active, avg(joined) AS a, avg(joined::TIMESTAMP) AS b FROM people GROUP BY active;

-- min and max of every type
SELECT min(yes) AS a, max(tiny) AS b, min(ubig) AS c, max(f4) AS d, max(f8) AS e, min(f8) AS f, max(dec38) AS g,
  min(word) AS h, max(bytes) AS i, min(uuid) AS j, max(day) AS k, min(hour) AS l, max(stamp) AS m, min(nanos) AS n,
  max(zoned) AS o, min(span) AS p FROM kinds;

-- min and max of nested values
SELECT min(nums) AS a, max(pair) AS b, max(words) AS c, min(deep) AS d FROM nested;

-- the n smallest and largest
SELECT team, min(pay, 2) AS a, max(age, 3) AS b FROM people GROUP BY team;

-- arg_min, arg_max and their other names
SELECT team, arg_min(id, (pay, id)) AS a, arg_max(id, (pay, id)) AS b, min_by(name, id) AS c, max_by(name, id) AS d,
  argmin(id, id) AS e, argmax(id, id) AS f FROM people GROUP BY team;

-- arg_max with NULLs
SELECT arg_max(s, v) AS a, arg_max_null(s, v) AS b, arg_min(k, v) AS c, arg_min_null(k, v) AS d, arg_max(v,
  s || v) AS e FROM lefts;

-- arg_max of n
SELECT team, arg_max(id, id, 3) AS a, arg_min(name, id, 2) AS b FROM people GROUP BY team;

-- bool_and, bool_or
SELECT team, bool_and(active) AS a, bool_or(active) AS b, bool_and(age > 10) AS c FROM people GROUP BY team;

-- bit_and, bit_or, bit_xor
SELECT customer IS NULL AS none, bit_and(id) AS a, bit_or(quantity) AS b, bit_xor(id) AS c FROM sales GROUP BY 1;

-- bitstring_agg
SELECT team, bitstring_agg(id, 0, 47) AS a FROM people GROUP BY team;

-- product
SELECT k, product(v + 1) AS p FROM lefts GROUP BY k;

-- fsum, kahan_sum, sumkahan, favg
SELECT customer % 3 AS rest, fsum(rating) AS a, kahan_sum(rating) AS b, sumkahan(price) AS c, favg(rating) AS d
  FROM sales GROUP BY 1;

-- variance and its kin
SELECT team, var_pop(pay) AS a, var_samp(pay) AS b, variance(age) AS c, stddev(pay) AS d, stddev_pop(age) AS e,
  stddev_samp(age) AS f, sem(pay) AS g FROM people GROUP BY team;

-- variance of one value and of none
SELECT k, var_pop(m) AS a, var_samp(m) AS b, stddev(d) AS c, sem(m) AS e FROM single GROUP BY k;

-- skewness, kurtosis, entropy
SELECT quantity % 2 AS odd, skewness(quantity * quantity) AS a, kurtosis(price) AS b, kurtosis_pop(rating) AS c,
  entropy(product) AS d FROM sales
  GROUP BY 1;

-- covariance and correlation
SELECT quantity, covar_pop(price, rating) AS a, covar_samp(price, rating) AS b, corr(price, rating) AS c FROM sales
  GROUP BY 1;

-- regression
SELECT regr_avgx(price, rating) AS a, regr_avgy(price, rating) AS b, regr_count(customer, rating) AS c,
  regr_intercept(price, rating) AS d, regr_r2(price, rating) AS e, regr_slope(price, rating) AS f,
  regr_sxx(price, rating) AS g, regr_sxy(price, rating) AS h, regr_syy(price, rating) AS i FROM sales;

-- median, quantile_cont, quantile_disc
SELECT team, median(pay) AS a, quantile_cont(pay, 0.25) AS b, quantile_disc(pay, 0.75) AS c, quantile(age, 0.5) AS d
  FROM people
  GROUP BY team;

-- quantiles as lists, of dates and descending
SELECT quantile_cont(price, [0.1, 0.5, 0.9]) AS a, quantile_disc(product, [0.2, 0.8]) AS b, quantile_cont(day,
  0.3) AS c,
  percentile_disc(0.9) WITHIN GROUP (ORDER BY price DESC) AS d FROM sales;

-- mad and mode
SELECT team, mad(pay) AS a, mode(id // 40) AS b, mad(joined) AS c FROM people GROUP BY team;

-- mode without ties
SELECT mode(customer) AS a, mode(s) AS b FROM (SELECT customer, CASE WHEN id % 3 = 0 THEN 'x' ELSE 'y' END AS s
  FROM sales);

-- any_value, first, last and arbitrary of what is the same in a group
SELECT team, any_value(team || '!') AS a, first(team) AS b, last(team) AS c, arbitrary(length(team)) AS d FROM people
  GROUP BY team;

-- any_value skips NULL, first does not, in a stated order
SELECT first(s ORDER BY v) AS a, last(s ORDER BY v) AS b, any_value(k ORDER BY v DESC) AS c FROM lefts;

-- list and array_agg in a stated order
SELECT team, list(id ORDER BY id DESC) AS a, array_agg(age ORDER BY age NULLS FIRST, id) AS b FROM people
  GROUP BY team;

-- list with FILTER and DISTINCT
SELECT active, list(DISTINCT team ORDER BY team) AS a, list(id ORDER BY id) FILTER (WHERE id < 10) AS b FROM people
  GROUP BY active;

-- list without an order has the same members
SELECT team, list_sort(list(id)) AS a, len(list(age)) AS b FROM people GROUP BY team;

-- string_agg, group_concat, listagg in a stated order
SELECT team, string_agg(name, ', ' ORDER BY id) AS a, group_concat(id, '-' ORDER BY id DESC) AS b,
  listagg(age::VARCHAR, '' ORDER BY id) AS c
  FROM people GROUP BY team;

-- histogram
SELECT active, histogram(team) AS a, histogram(age // 10) AS b FROM people GROUP BY active;

-- histogram with bins
SELECT histogram(quantity, [3, 6, 9]) AS a, histogram_exact(quantity, [1, 2, 3]) AS b FROM sales;

-- approx_count_distinct is a function of the set
SELECT approx_count_distinct(customer) AS a, approx_count_distinct(product) AS b, approx_count_distinct(id) AS c
  FROM sales;

-- approx_quantile of few values, and approx_top_k
-- spread
SELECT active, approx_quantile(id, 0.5) AS a, approx_top_k(active, 1) AS b FROM people GROUP BY active;

-- reservoir_quantile with a reservoir for all values
-- whole
SELECT reservoir_quantile(v, 0.5, 100) AS a FROM lefts;

-- aggregates of all NULL
SELECT count(n) AS a, sum(n) AS b, avg(n) AS c, min(n) AS d, median(n) AS e, list(n) AS f, string_agg(n, ',') AS g,
  mode(n) AS h,
  first(n) AS i, histogram(n) AS j, arg_max(n, n) AS k FROM (SELECT NULL::INTEGER AS n FROM lefts);

-- aggregates over no rows
SELECT count(*) AS a, sum(k) AS b, avg(k) AS c, max(s) AS d, median(m) AS e, list(s) AS f, string_agg(s) AS g,
  stddev(d) AS h,
  corr(d, k) AS i, histogram(k) AS j, arg_min(s, k) AS l, bit_or(k) AS m, bool_or(k = 1) AS n, product(k) AS o,
  quantile_cont(m, [0.5]) AS p, approx_count_distinct(s) AS q, mode(s) AS r, entropy(s) AS t, min(k, 2) AS u
  FROM nothing;

-- aggregates of aggregates
SELECT max(n) AS a, avg(total) AS b, sum(n) AS c FROM (SELECT customer, count(*) AS n, sum(price) AS total FROM sales
  GROUP BY customer);

-- an aggregate in an expression and in the order
SELECT product, sum(price) / count(*) AS mean, 100 * count(*) / (SELECT count(*) FROM sales) AS share FROM sales
  GROUP BY product ORDER BY sum(price) DESC, product LIMIT 10;

-- finalized lists of structs
SELECT team, list({'id': id, 'pay': pay} ORDER BY id) AS rows FROM people WHERE id < 12 GROUP BY team;

-- count_if of no rows is NULL
-- spread
SELECT count_if(quantity > 3) AS a, count_if(note IS NULL) FILTER (quantity > 100) AS b, count(*) AS n FROM sales
  WHERE length(product) > 100;

-- count_if in groups
-- spread
SELECT customer, count_if(quantity > 11) AS a, count_if(note IS NULL) FILTER (quantity > 11) AS b FROM sales GROUP BY 1;
