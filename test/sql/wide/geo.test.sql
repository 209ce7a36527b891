-- Geography by arithmetic.

-- great circle distances
SELECT a.place_id AS x, b.place_id AS y, round(6371 * 2 * asin(sqrt(pow(sin(radians(b.lat - a.lat) / 2), 2) +
  cos(radians(a.lat)) * cos(radians(b.lat)) * pow(sin(radians(b.lon - a.lon) / 2), 2))), 3) AS km FROM places a JOIN
  places b ON a.place_id < b.place_id WHERE a.country = 'DE' AND b.country = 'DE' ORDER BY km, x, y LIMIT 15;

-- nearest place of each sensor
SELECT DISTINCT ON (s.sensor_id) s.sensor_id, p.place_id, round(sqrt(pow(p.lat - s.lat, 2) + pow((p.lon - s.lon) *
  cos(radians(s.lat)), 2)) * 111.2, 2) AS km FROM sensors s CROSS JOIN places p ORDER BY s.sensor_id, km,
  p.place_id;

-- nearest place by arg_min
SELECT s.sensor_id, arg_min(p.name, abs(p.lat - s.lat) + abs(p.lon - s.lon)) AS near, min(abs(p.lat - s.lat) +
  abs(p.lon - s.lon)) AS d FROM sensors s, places p GROUP BY 1 ORDER BY 1;

-- boxes of one degree
SELECT floor(lat)::INT AS la, floor(lon / 5)::INT * 5 AS lo, count(*) AS n, sum(population) AS p FROM places GROUP
  BY ALL ORDER BY ALL;

-- places in a box
SELECT place_id, name FROM places WHERE lat BETWEEN 45 AND 55.5 AND lon >= 0 AND lon < 12 AND NOT (kind = 'port' AND
  population IS NULL) ORDER BY place_id;

-- centroid and extent
SELECT country, avg(lat) AS la, avg(lon) AS lo, max(lat) - min(lat) AS h, sum(lat * population) / sum(population) AS
  weighted FROM places GROUP BY 1 ORDER BY 1;

-- bearing
SELECT a.place_id, b.place_id AS other, degrees(atan2(sin(radians(b.lon - a.lon)) * cos(radians(b.lat)),
  cos(radians(a.lat)) * sin(radians(b.lat)) - sin(radians(a.lat)) * cos(radians(b.lat)) * cos(radians(b.lon -
  a.lon)))) AS deg FROM places a JOIN places b ON b.place_id = a.place_id + 1 ORDER BY 1;

-- trips between countries
SELECT a.country AS x, b.country AS y, count(*) AS n, avg(t.km) AS km, sum(t.fare) AS fare FROM trips t JOIN places
  a ON a.place_id = t.from_id LEFT JOIN places b ON b.place_id = t.to_id GROUP BY ALL ORDER BY ALL;

-- speed with an interval
SELECT trip_id, km / nullif(epoch(took) / 3600, 0) AS kmh FROM trips WHERE took > INTERVAL 2 HOUR ORDER BY kmh DESC
  NULLS LAST, trip_id LIMIT 12;

-- length of a path
SELECT trip_id, sqrt(pow(path[2].lat - path[1].lat, 2) + pow(path[2].lon - path[1].lon, 2)) AS len FROM trips ORDER
  BY len DESC, trip_id LIMIT 10;

-- points of paths in cells
SELECT round(p.lat, 0) AS la, round(p.lon, 0) AS lo, count(*) AS n FROM (SELECT unnest(path) AS p FROM trips) GROUP
  BY ALL ORDER BY ALL;

-- round trips
SELECT count(*) AS n FROM trips a JOIN trips b ON a.from_id = b.to_id AND a.to_id = b.from_id AND a.trip_id <
  b.trip_id;

-- two-leg connections
SELECT a.from_id, b.to_id, count(*) AS ways, min(a.km + b.km) AS best FROM trips a JOIN trips b ON a.to_id =
  b.from_id AND b.started > a.started WHERE a.from_id < 6 GROUP BY 1, 2 ORDER BY ways DESC, 1, 2 LIMIT 12;

-- hubs
SELECT p.name, coalesce(o.n, 0) AS departures, coalesce(i.n, 0) AS arrivals FROM places p LEFT JOIN (SELECT from_id
  AS id, count(*) AS n FROM trips GROUP BY 1) o ON o.id = p.place_id LEFT JOIN (SELECT to_id AS id, count(*) AS n
  FROM trips GROUP BY 1) i ON i.id = p.place_id ORDER BY 2 DESC, 3 DESC, p.place_id LIMIT 10;

-- biggest place of each country with ties
SELECT country, name, population FROM (SELECT *, rank() OVER (PARTITION BY country ORDER BY population DESC NULLS
  LAST) AS r FROM places) WHERE r = 1 ORDER BY 1, 2;

-- share of population by kind
SELECT country, kind, sum(population) AS p, round(sum(population) * 100.0 / sum(sum(population)) OVER (PARTITION BY
  country), 1) AS pct FROM places GROUP BY country, kind ORDER BY ALL;

-- within ten degrees of a given point
SELECT count(*) AS n, min(name) AS f FROM places, (SELECT lat AS x, lon AS y FROM places WHERE place_id = 17) c
  WHERE pow(lat - c.x, 2) + pow(lon - c.y, 2) < 100;

-- geohash-like keys
SELECT (((lat + 90) * 8)::INT << 12) | ((lon + 180) * 8)::INT AS cell, count(*) AS n, bit_count(max(place_id)) AS b
  FROM places GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10;

-- places without trips either way
SELECT place_id FROM places WHERE place_id NOT IN (SELECT from_id FROM trips) OR place_id NOT IN (SELECT to_id FROM
  trips) ORDER BY 1;

-- trips to unknown places
SELECT t.to_id, count(*) AS n FROM trips t ANTI JOIN places p ON t.to_id = p.place_id GROUP BY 1 ORDER BY 1;

-- math functions
SELECT place_id, sin(lat), cos(lon), tan(lat), exp(lat / 100), ln(lat), log10(lat), log2(lat), cbrt(lat), sign(lon),
  ceil(lat), floor(lon), trunc(lon), pi() * lat, gamma(place_id + 1.5), even(lat), gcd(place_id, 12),
  factorial(place_id % 10), isnan(lat) FROM places WHERE place_id % 15 = 4 ORDER BY 1;

-- variance of coordinates
SELECT country, var_samp(lat) AS v, stddev_pop(lon) AS s, covar_samp(lat, lon) AS c, regr_avgx(lat, lon) AS ax,
  regr_sxy(lat, lon) AS xy FROM places GROUP BY 1 ORDER BY 1;

-- fare classes by quantile bounds
WITH q AS (SELECT quantile_disc(fare, 0.33) AS a, quantile_disc(fare, 0.66) AS b FROM trips) SELECT CASE WHEN fare
  <= q.a THEN 1 WHEN fare <= q.b THEN 2 ELSE 3 END AS class, count(*) AS n, sum(fare) AS f FROM trips, q GROUP BY 1
  ORDER BY 1;

-- width buckets
SELECT width_bucket AS b, count(*) AS n FROM (SELECT least(9, greatest(0, floor((km - 0) / 50)))::INT AS
  width_bucket FROM trips) GROUP BY 1 ORDER BY 1;

-- neighbours in latitude
SELECT place_id, lag(name) OVER (ORDER BY lat, place_id) AS south, lead(name) OVER (ORDER BY lat, place_id) AS north
  FROM places ORDER BY place_id LIMIT 25;

-- exactly one destination
SELECT from_id FROM trips GROUP BY from_id HAVING count(DISTINCT to_id) = 2 AND min(to_id) < max(to_id) ORDER BY 1
  LIMIT 10;

-- distances in a matrix
SELECT a.kind, max(CASE WHEN b.kind = 'city' THEN abs(a.lat - b.lat) END) AS city, max(CASE WHEN b.kind = 'town'
  THEN abs(a.lat - b.lat) END) AS town FROM places a, places b WHERE a.country = b.country GROUP BY 1 ORDER BY 1;
